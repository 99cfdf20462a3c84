/* SPDX-License-Identifier: MIT */
/*
 * sim_host.c - the simulated machine's memory: a window of pages that come when they are touched
 *
 * What    As a process has it: what is open and was not touched costs nothing and reads as
 *         zeros, what is closed faults. An entry without a page says which.
 * State   pages that are free, linked through their first word; the next address of the window
 */
#include "ashlar/bare.h"
#include "machine.h"
#include "port/sim/host.h"
#include "unit.h"

#define PAGE VM_PAGE
#define BLOCK_PAGES ((size_t)0x100000 / PAGE) /* pages taken from the boot map at a time */

/* Entries without a page. */
#define CLOSED 0u
#define OPEN_READ 2u
#define OPEN_WRITE 4u

/* Before a block: its bytes. */
struct block {
	size_t bytes;
};

static struct {
	char *free; /* pages, in the direct map */
	uintptr_t next;
	char *zero;
} host;

static char *direct(uint64_t entry)
{
	return (char *)(vm_address(entry) + KERNEL_DIRECT);
}

static void page_put(char *page)
{
	*(char **)(void *)page = host.free;
	host.free = page;
}

static char *page_get(void)
{
	char *page = host.free;

	if (!page) {
		uint64_t at = ashlar_boot_alloc(BLOCK_PAGES * PAGE, PAGE, UINT64_MAX);

		if (at == UINT64_MAX)
			panic("the simulated machine has used all memory");
		for (size_t i = 0; i < BLOCK_PAGES; i++)
			page_put((char *)(at + KERNEL_DIRECT + i * PAGE));
		page = host.free;
	}
	host.free = *(char **)(void *)page;
	return memset(page, 0, PAGE);
}

static uint64_t *entry_of(uintptr_t address)
{
	uint64_t *entry = vm_entry(address);

	if (entry)
		return entry;
	vm_map(address, 0, VM_NONE); /* makes the table */
	return vm_entry(address);
}

static void set(uintptr_t address, uint64_t value)
{
	uint64_t *entry = entry_of(address);
	uint64_t old = *entry;

	*entry = value;
	if (!(old & VM_PRESENT))
		return;
	vm_flush(address);
	if (direct(old) != host.zero)
		page_put(direct(old));
}

static bool fault(uintptr_t address, bool write)
{
	uint64_t *entry = vm_entry(address);
	uint64_t state;
	char *page;

	address &= ~(PAGE - 1);
	if (address < KERNEL_SCRATCH || address >= host.next || !entry)
		return false;
	state = *entry;
	if (state & VM_PRESENT)
		return false;
	if (state != OPEN_WRITE && (state != OPEN_READ || write))
		return false;
	page = state == OPEN_WRITE ? page_get() : host.zero;
	*entry = vm_make_page((uintptr_t)page - KERNEL_DIRECT, state == OPEN_WRITE);
	vm_fence();
	return true;
}

void sim_host_init(void)
{
	host.next = KERNEL_SCRATCH;
	host.zero = early_alloc(PAGE, PAGE);
	vm_fault = fault;
}

void sim_host_forget(void)
{
	sim_host_close((void *)KERNEL_SCRATCH, host.next - KERNEL_SCRATCH);
	host.next = KERNEL_SCRATCH;
}

void *sim_host_reserve(size_t bytes)
{
	uintptr_t start = host.next;

	host.next += (bytes + PAGE - 1) & ~(PAGE - 1);
	return (void *)start;
}

void sim_host_release(void *start, size_t bytes)
{
	sim_host_close(start, bytes);
}

static bool for_pages(void *start, size_t bytes, uint64_t state)
{
	for (uintptr_t at = (uintptr_t)start & ~(PAGE - 1); at < (uintptr_t)start + bytes;
	     at += PAGE)
		set(at, state);
	return true;
}

void sim_host_close(void *start, size_t bytes)
{
	for (uintptr_t at = (uintptr_t)start; at < (uintptr_t)start + bytes; at += PAGE) {
		uint64_t *entry = vm_entry(at);

		if (entry && *entry != CLOSED)
			set(at, CLOSED);
	}
}

/* Pages that hold something keep it. */
bool sim_host_open(void *start, size_t bytes, bool write)
{
	for (uintptr_t at = (uintptr_t)start; at < (uintptr_t)start + bytes; at += PAGE) {
		uint64_t *entry = entry_of(at);

		if (!(*entry & VM_PRESENT) || direct(*entry) == host.zero) {
			set(at, write ? OPEN_WRITE : OPEN_READ);
		} else {
			*entry = vm_make_page(vm_address(*entry), write);
			vm_flush(at);
		}
	}
	return true;
}

bool sim_host_is_open(const void *p)
{
	const uint64_t *entry = vm_entry((uintptr_t)p & ~(PAGE - 1));

	return entry && ((*entry & VM_PRESENT) || *entry == OPEN_READ || *entry == OPEN_WRITE);
}

bool sim_host_clear(void *start, size_t bytes)
{
	return for_pages(start, bytes, OPEN_WRITE);
}

/* A page before the block says how long it is. */
void *sim_host_block(size_t bytes, size_t align)
{
	char *start = sim_host_reserve(bytes + align + 2 * PAGE);
	uintptr_t at = ((uintptr_t)start + PAGE + align - 1) & ~(uintptr_t)(align - 1);
	struct block *b = (struct block *)(at - PAGE);

	for_pages(b, PAGE, OPEN_WRITE);
	for_pages((void *)at, bytes, OPEN_WRITE);
	b->bytes = bytes;
	return (void *)at;
}

void sim_host_block_free(void *block)
{
	struct block *b = (struct block *)((uintptr_t)block - PAGE);

	sim_host_close(block, b->bytes);
	sim_host_close(b, PAGE);
}

_Noreturn void sim_host_die(const char *why)
{
	print(why);
	panic("the simulated machine has ended");
}
