/* SPDX-License-Identifier: MIT */
/*
 * vm.c - page tables for windows of single pages
 *
 * What    The three processors' tables differ in their entries only (machine.h). Ranges that read
 *         as zeros share one table of the zero page, so that a hole costs nothing.
 */
#include "ashlar/bare.h"
#include "machine.h"

#define VM_BITS (VM_SHIFT - 3) /* of an address, that a table resolves */
#define VM_ENTRIES ((size_t)1 << VM_BITS)
#define VM_TABLE_BYTES (VM_PAGE * VM_ENTRIES)

bool (*vm_fault)(uintptr_t address, bool write);

static uint64_t *zero_table; /* all entries are of the zero page */
static uint64_t zero_page;   /* physical */

void *early_alloc(size_t bytes, size_t align)
{
	uint64_t at = ashlar_boot_alloc(bytes, align, UINT64_MAX);

	if (at == UINT64_MAX)
		panic("no memory for the kernel's own tables");
	return memset((void *)(at + KERNEL_DIRECT), 0, bytes);
}

/* A table from the boot map, even when nearly all is gone; NULL iff all is. */
static uint64_t *vm_new_table(void)
{
	uint64_t at = ashlar_boot_alloc(VM_PAGE, VM_PAGE, UINT64_MAX);

	return at == UINT64_MAX ? NULL : memset((void *)(at + KERNEL_DIRECT), 0, VM_PAGE);
}

static uint64_t vm_physical(const void *direct)
{
	return (uintptr_t)direct - KERNEL_DIRECT;
}

void vm_init(void)
{
	zero_page = vm_physical(early_alloc(VM_PAGE, VM_PAGE));
	zero_table = early_alloc(VM_PAGE, VM_PAGE);
	for (unsigned i = 0; i < VM_ENTRIES; i++)
		zero_table[i] = vm_make_page(zero_page, false);
}

/* Which entry of its table of @level an address means. */
static size_t vm_index(uintptr_t address, unsigned level)
{
	address &= UINTPTR_MAX >> (64 - VM_ADDRESS_BITS);
	return address >> (VM_SHIFT + VM_BITS * (level - 1)) & (VM_ENTRIES - 1);
}

/* The entry of level @depth (1: of a page) for @address; NULL iff a table is missing and cannot
 * or shall not be made. A shared table is replaced by a copy first if it shall be changed. */
static uint64_t *vm_walk(uintptr_t address, unsigned depth, bool make)
{
	uint64_t *table = vm_root;

	for (unsigned level = VM_LEVELS; level > depth; level--) {
		uint64_t *entry = &table[vm_index(address, level)];
		uint64_t *next = (uint64_t *)(vm_address(*entry) + KERNEL_DIRECT);
		bool shared = level == 2 && next == zero_table;

		if (make && (!(*entry & VM_PRESENT) || shared)) {
			next = vm_new_table();
			if (!next)
				return NULL;
			if (shared)
				memcpy(next, zero_table, VM_PAGE);
			*entry = vm_make_table(vm_physical(next));
		} else if (!(*entry & VM_PRESENT)) {
			return NULL;
		}
		table = next;
	}
	return &table[vm_index(address, depth)];
}

uint64_t *vm_entry(uintptr_t address)
{
	return vm_walk(address, 1, false);
}

bool vm_map(uintptr_t address, uint64_t physical, enum vm_access access)
{
	uint64_t *entry = vm_walk(address, 1, true);

	if (!entry)
		return false;
	*entry = access == VM_NONE ? 0 : vm_make_page(physical, access == VM_WRITE);
	vm_flush(address);
	return true;
}

/* Let whole tables, from @address on, be the shared one, as far as one table of level 2 reaches and
 * has nothing there yet. Returns the address behind them: @address iff there are none. */
static uintptr_t vm_share_tables(uintptr_t address, uintptr_t end)
{
	uint64_t shared = vm_make_table(vm_physical(zero_table));
	uint64_t *entry;

	if (address % VM_TABLE_BYTES || end - address < VM_TABLE_BYTES)
		return address;
	entry = vm_walk(address, 2, true);
	while (entry && !(*entry & VM_PRESENT)) {
		*entry++ = shared;
		address += VM_TABLE_BYTES;
		if (end - address < VM_TABLE_BYTES || vm_index(address, 2) == 0)
			break;
	}
	return address;
}

/* The same page by page, as far as their table reaches, whatever was there. */
static uintptr_t vm_zero_pages(uintptr_t address, uintptr_t end)
{
	uint64_t *entry = vm_walk(address, 1, true);

	if (!entry)
		return address;
	do {
		*entry++ = vm_make_page(zero_page, false);
		vm_flush(address);
		address += VM_PAGE;
	} while (address < end && address % VM_TABLE_BYTES);
	return address;
}

bool vm_map_zeros(uintptr_t address, size_t bytes)
{
	uintptr_t end = address + bytes;

	while (address < end) {
		uintptr_t behind = vm_share_tables(address, end);

		if (behind == address)
			behind = vm_zero_pages(address, end);
		if (behind == address)
			return false;
		address = behind;
	}
	return true;
}
