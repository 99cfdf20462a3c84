/* SPDX-License-Identifier: MIT */
/*
 * bare.h - Ashlar in a kernel: what the kernel calls, what it gives
 *
 * What    The kernel paints its memory map (ashlar_boot_memory, ashlar_boot_take), may allocate
 *         from it at once (ashlar_boot_alloc), and calls ashlar_boot_start. From then on
 *         kmalloc, caches and alloc_pages work on every CPU and in interrupts. The functions
 *         named ashlar_host_ are the kernel's to write.
 * Context Until ashlar_boot_start has returned one CPU runs, with interrupts off.
 * See     docs/porting.md: a checklist; kernel/hello: the smallest example
 */
#ifndef ASHLAR_BARE_H
#define ASHLAR_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ashlar/gfp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the boot memory map: physical addresses, any order, the last call wins ---------------- */

/* [@start, @start + @bytes) is usable memory of NUMA node @node, rounded inwards to pages. Returns
 * false iff there were too many separate ranges (128): that one is not used. */
ASHLAR_API bool ashlar_boot_memory(uint64_t start, uint64_t bytes, unsigned int node);

/* It is not usable (a firmware's hole), rounded outwards. */
ASHLAR_API void ashlar_boot_hole(uint64_t start, uint64_t bytes);

/* What of it is memory belongs to @node: for tables that come after the map (SRAT). */
ASHLAR_API void ashlar_boot_node(uint64_t start, uint64_t bytes, unsigned int node);

/* It is in use (the kernel's image, tables, an initrd) and stays so. */
ASHLAR_API void ashlar_boot_take(uint64_t start, uint64_t bytes);

/* @bytes of memory below @high, aligned to @align (a power of two; at least a page), for good;
 * UINT64_MAX iff there is none. Contents are what they were. Not after ashlar_boot_start. */
ASHLAR_API uint64_t ashlar_boot_alloc(uint64_t bytes, uint64_t align, uint64_t high);

/* Usable memory, and what of it is neither taken nor allocated. */
ASHLAR_API uint64_t ashlar_boot_total(void);
ASHLAR_API uint64_t ashlar_boot_free(void);

/* The @index'th range of usable memory; false iff there are not so many. */
ASHLAR_API bool ashlar_boot_range(unsigned int index, uint64_t *start, uint64_t *end,
				  unsigned int *node);

/* ---- the start --------------------------------------------------------------------------- */

struct ashlar_boot {
	uintptr_t direct;  /* virtual = physical + direct, for all memory of the map; a multiple of
			      * the largest block (8 MiB of 4 KiB pages) */
	uintptr_t window;  /* virtual addresses that are free, for tables: 1/12 of the span from the
			      * lowest to the highest address of the map. 0: the tables lie in the
			      * direct map, holes between ranges take a twelfth of their size */
	unsigned int cpus; /* CPU numbers are below this */
	unsigned int nodes;  /* NUMA nodes are below this, at least 1; PORT_MAX_NODES (8) are told
			      * apart, further ones share the last */
	uint64_t random;     /* bits that an attacker does not know */
	const char *options; /* the boot line's, as ASHLAR_OPTIONS, or NULL */
	uint64_t dma_end;    /* physical addresses below it are __GFP_DMA (a PC: 16 MiB); 0: none */
	uint64_t dma32_end;  /* the same for __GFP_DMA32 (4 GiB where devices are of 32 bits) */
};

/* Take over all memory of the map. false iff it is too little, or the numbers are wrong. */
ASHLAR_API bool ashlar_boot_start(const struct ashlar_boot *boot);

/* Physical and virtual addresses of the direct map. */
ASHLAR_API void *ashlar_phys_to_virt(uint64_t physical);
ASHLAR_API uint64_t ashlar_virt_to_phys(const void *address);

/* Print the caches as Linux's /proc/slabinfo, version 2.1, has them. Any context but NMI. */
ASHLAR_API void ashlar_slabinfo(void);

/* The same of the zones of pages: /proc/zoneinfo's free pages, watermarks, sizes and reserves, and
 * /proc/buddyinfo's free blocks by order. */
ASHLAR_API void ashlar_zoneinfo(void);
ASHLAR_API void ashlar_buddyinfo(void);

/* ---- interrupts, NMIs, other CPUs -------------------------------------------------------- */

/* The interrupt of ashlar_host_interrupt has arrived: call this on that CPU. */
ASHLAR_API void ashlar_interrupted(void);

/* Around an NMI handler that allocates or frees: this CPU's arrays are out of its reach meanwhile,
 * since the NMI may have come while they change. Pass what enter returned to leave. */
ASHLAR_API void *ashlar_nmi_enter(void);
ASHLAR_API void ashlar_nmi_leave(void *entered);

/* ---- what the kernel gives ----------------------------------------------------------------- */

/* Print @bytes of @text; locks may be held, memory may be broken. */
void ashlar_host_write(const char *text, size_t bytes);

/* Ashlar has found a misuse or damage, and has said which: stop the machine. */
void ashlar_host_panic(void) __attribute__((noreturn));

/* A CPU waits for another one in a loop: what the processor has for that. Interrupts may be off. */
void ashlar_host_relax(void);

/* A thread waits for another one: let others run, if interrupts are on and there are any. */
void ashlar_host_yield(void);

/* Make @cpu call ashlar_interrupted() soon. Not called with one CPU. */
void ashlar_host_interrupt(unsigned int cpu);

/* What the kernel may give, for debugging (slab_debug=U and T); who has none leaves it out: the
 * return addresses of the callers, innermost first, at most @most, returning how many; nanoseconds
 * since some moment; the thread's number; "function+0x12" of a code address. Any context. */
unsigned int ashlar_host_callers(void **frames, unsigned int most) __attribute__((weak));
uint64_t ashlar_host_time(void) __attribute__((weak));
uint32_t ashlar_host_thread(void) __attribute__((weak));
void ashlar_host_symbol(const void *address, char *text, size_t bytes) __attribute__((weak));

/* Of a kernel with several nodes: how far node @to is from node @from, as ACPI's SLIT and a device
 * tree's distance-map have it, 10 the node itself (0 or no function: 20 to any other); and the
 * node of a CPU (no function: 0). A CPU of a node without memory uses the nearest that has some. */
unsigned int ashlar_host_distance(unsigned int from, unsigned int to) __attribute__((weak));
unsigned int ashlar_host_cpu_node(unsigned int cpu) __attribute__((weak));

/* A word of the running task's that is Ashlar's, 0 at first, for memalloc_noio_save and its like;
 * who leaves it out cannot use these. Any context. */
uintptr_t *ashlar_host_task(void) __attribute__((weak));

/* With a window only: let @bytes at the virtual address be the memory at @physical; or let them
 * read as zeros, all of the same memory. false iff that needs memory and there is none. It may
 * call ashlar_boot_alloc, at any time. An address is asked for once: nothing was mapped there (only
 * a call that failed is made again, before any access), so that no CPU has an old translation and
 * none but the calling one, if any, needs a flush. A processor that keeps "nothing is mapped" (some
 * RISC-V) lets a fault in the window flush and go on, if there is an entry now.
 * A wrong pointer, freed, into memory that is not in use yet faults in the window: a misuse. */
bool ashlar_host_map(void *address, uint64_t physical, size_t bytes);
bool ashlar_host_map_zeros(void *address, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
