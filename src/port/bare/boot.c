/* SPDX-License-Identifier: MIT */
/*
 * boot.c - the boot map: what the kernel says of its memory, and the early allocations
 *
 * What    The kernel's calls before there are pages. Afterwards tables and zones take what is
 *         left, from any CPU.
 * State   bare: the map under its lock, and where the arena is
 */
#include "port/bare/arch.h"
#include "port/bare/bare.h"

struct ashlar_boot bare_boot;

struct bare bare;

/* ---- locks ------------------------------------------------------------- */

uintptr_t bare_lock(struct bare_lock *lock)
{
	for (;;) {
		struct port_irq irq = port_irq_save();

		if (!__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE))
			return irq.flags;
		port_irq_restore(irq);
		ashlar_host_relax();
	}
}

void bare_unlock(struct bare_lock *lock, uintptr_t irq)
{
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
	port_irq_restore((struct port_irq){ irq });
}

/* ---- the boot map -------------------------------------------------------- */

bool ashlar_boot_memory(uint64_t start, uint64_t bytes, unsigned int node)
{
	return memblock_add(&bare.map, start, bytes, node);
}

void ashlar_boot_hole(uint64_t start, uint64_t bytes)
{
	memblock_remove(&bare.map, start, bytes);
}

void ashlar_boot_node(uint64_t start, uint64_t bytes, unsigned int node)
{
	memblock_set_node(&bare.map, start, bytes, node);
}

void ashlar_boot_take(uint64_t start, uint64_t bytes)
{
	memblock_take(&bare.map, start, bytes);
}

static uint64_t bare_alloc_locked(uint64_t bytes, uint64_t align, uint64_t high)
{
	if (bytes == 0)
		return MEMBLOCK_NONE;
	return memblock_alloc(&bare.map, bytes, align > BARE_PAGE ? align : BARE_PAGE, BARE_PAGE,
			      high);
}

/* The kernel's map functions call this while the lock is not held. */
uint64_t ashlar_boot_alloc(uint64_t bytes, uint64_t align, uint64_t high)
{
	uintptr_t irq = bare_lock(&bare.lock);
	uint64_t at = bare_alloc_locked(bytes, align, high);

	bare_unlock(&bare.lock, irq);
	return at;
}

uint64_t ashlar_boot_total(void)
{
	return memblock_bytes(&bare.map.memory);
}

uint64_t ashlar_boot_free(void)
{
	return memblock_free_bytes(&bare.map);
}

bool ashlar_boot_range(unsigned int index, uint64_t *start, uint64_t *end, unsigned int *node)
{
	const struct memblock_range *r = &bare.map.memory.range[index];

	if (index >= bare.map.memory.count)
		return false;
	*start = r->start;
	*end = r->end;
	*node = r->node;
	return true;
}

void *ashlar_phys_to_virt(uint64_t physical)
{
	return (void *)(uintptr_t)(physical + bare_boot.direct);
}

uint64_t ashlar_virt_to_phys(const void *address)
{
	return (uintptr_t)address - bare_boot.direct;
}

/* ---- start ------------------------------------------------------------- */

bool bare_start(const struct ashlar_boot *boot)
{
	const struct memblock_list *memory = &bare.map.memory;

	if (memory->count == 0 || boot->cpus == 0 || boot->cpus > PORT_MAX_CPUS || boot->nodes == 0)
		return false;
	bare_boot = *boot;
	if (bare_boot.nodes > PORT_MAX_NODES)
		bare_boot.nodes = PORT_MAX_NODES;
	bare.low = memory->range[0].start & ~((BARE_PAGE << PORT_MAX_ORDER) - 1);
	bare.high = memory->range[memory->count - 1].end;
	bare.bytes = memblock_bytes(memory);
	memblock_take(&bare.map, 0, BARE_PAGE); /* address 0 is nobody's */
	return true;
}
