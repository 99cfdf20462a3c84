/* SPDX-License-Identifier: MIT */
/*
 * port.c - a bare machine: memory from the boot map, one CPU's waiting for another
 *
 * What    The arena is the direct map from the lowest to the highest address of memory. Its
 *         tables get memory from the boot map as the arena comes online, or all at once
 *         where the kernel has no window of virtual addresses for them.
 * Rules   BP1 what port_memory has given with take is no memory of the boot map any more
 *         BP2 tables are allocated from the top, the arena comes online from the bottom
 */
#include "port/port.h"
#include "percpu.h"
#include "port/bare/bare.h"

void *memset(void *to, int byte, size_t bytes);

void port_init(struct port_machine *machine)
{
	*machine = (struct port_machine){
		.ram_bytes = bare.bytes,
		.address_bytes = SIZE_MAX,
		.cpus = bare_boot.cpus,
		.nodes = bare_boot.nodes,
		.page_bytes = BARE_PAGE,
		.random = bare_boot.random,
	};
}

const char *port_options(bool *secure)
{
	*secure = false;
	return bare_boot.options;
}

/* ---- memory -------------------------------------------------------------- */

static bool bare_is_arena(const void *start)
{
	uint64_t at = ashlar_virt_to_phys(start);

	return at >= bare.low && at < bare.high;
}

bool port_arena(size_t align, void **start, size_t *bytes)
{
	if (bare.low & (align - 1) || bare_boot.direct & (align - 1))
		return false;
	*start = ashlar_phys_to_virt(bare.low);
	*bytes = bare.high - bare.low;
	return true;
}

bool port_memory(void **start, size_t *bytes, bool take)
{
	uint64_t from = ashlar_virt_to_phys(*start);
	struct memblock_range run;
	uintptr_t irq = bare_lock(&bare.lock);
	bool found = memblock_next(&bare.map, from, from + *bytes, &run);

	if (found && take)
		memblock_take(&bare.map, run.start, run.end - run.start);
	bare_unlock(&bare.lock, irq);
	if (!found)
		return false;
	*start = ashlar_phys_to_virt(run.start);
	*bytes = run.end - run.start;
	return true;
}

/* Without a window the tables are a piece of memory. */
void *port_reserve(size_t bytes, size_t align)
{
	uint64_t at;

	if (bare_boot.window)
		return (void *)((bare_boot.window + align - 1) & ~(uintptr_t)(align - 1));
	at = ashlar_boot_alloc(bytes, align, bare.high);
	if (at == MEMBLOCK_NONE)
		return NULL;
	if (bare_boot.nodes > 1 || bare_boot.dma_end || bare_boot.dma32_end)
		memset(ashlar_phys_to_virt(at), 0, bytes); /* of several zones all is looked at */
	return ashlar_phys_to_virt(at);
}

void port_release(void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
}

bool port_address_space(size_t *limit, size_t *used)
{
	(void)limit;
	(void)used;
	return false;
}

bool port_map_zeros(void *start, size_t bytes)
{
	if (bare_boot.window)
		return ashlar_host_map_zeros(start, bytes);
	memset(start, 0, bytes);
	return true;
}

bool port_map(void *start, size_t bytes)
{
	uint64_t at;

	if (bare_is_arena(start))
		return true;
	if (bare_boot.window) {
		at = ashlar_boot_alloc(bytes, BARE_PAGE, bare.high);
		if (at == MEMBLOCK_NONE || !ashlar_host_map(start, at, bytes))
			return false;
	}
	memset(start, 0, bytes);
	return true;
}

void port_unmap(void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
}

bool port_discard(void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
	return false;
}

void *port_mapping_alloc(size_t bytes, size_t align)
{
	(void)bytes;
	(void)align;
	return NULL;
}

void port_mapping_free(void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
}

void *port_mapping_resize(void *start, size_t old_bytes, size_t new_bytes)
{
	(void)start;
	(void)old_bytes;
	(void)new_bytes;
	return NULL;
}

/* The direct map has large pages already. */
bool port_huge(void *start, size_t bytes, bool on)
{
	(void)start;
	(void)bytes;
	(void)on;
	return false;
}

/* Physical addresses below a limit, as the kernel has named it. */
size_t port_zone_bytes(unsigned kind)
{
	uint64_t end = kind ? bare_boot.dma32_end : bare_boot.dma_end;

	return end > bare.low ? (size_t)(end - bare.low) : 0;
}

/* ---- waiting --------------------------------------------------------------- */

void port_wait(uint32_t *word, uint32_t value)
{
	bare_answer();
	if (__atomic_load_n(word, __ATOMIC_RELAXED) == value)
		ashlar_host_relax();
}

void port_wake(uint32_t *word)
{
	(void)word;
}

void port_yield(void)
{
	bare_answer();
	ashlar_host_yield();
}

/* ---- the world --------------------------------------------------------------- */

void port_write(const char *text, size_t bytes)
{
	ashlar_host_write(text, bytes);
}

_Noreturn void port_abort(void)
{
	ashlar_host_panic();
}
