/* SPDX-License-Identifier: MIT */
/*
 * heap.h - memory of the caller's own, on the slob engine
 *
 * What    Machines without an operating system give Ashlar their memory here, one region
 *         or several, and ask how it fares. Everything else is slab.h: kmalloc, kmem_cache_*.
 *         Of the slob library only (libashlar-slob, and what is built for small machines).
 * Differs from the slab library: constructors run at every allocation; a kmalloc is aligned to 8 or
 *         16, a power of two up to a page to its size; what the fast paths of the slab library
 *         are for is not in it. docs/engines.md has the list.
 * Context Where the port says one CPU: anywhere, interrupt handlers included, but for
 *         ashlar_heap_stat and ashlar_heap_minimum, which look at every page. Elsewhere any
 *         thread.
 *
 * Bounds  A step is one look at a page, a block or a list of free pages; each is a handful of
 *         instructions, without a division. With P bytes a page, N pages, and the numbers
 *         that the port chooses: S pages are searched, blocks have at most 2^O pages.
 *
 *           kmalloc, kmem_cache_alloc   S * (1 + B) + 1 + B + M   while a page is free
 *                                       2 * S * (1 + B) + N * (1 + B) + M   when none is
 *           kfree, kmem_cache_free      2 * B + O
 *           a block of pages            M to get, 2 * O * O to give back
 *
 *         B = P/4, most blocks of a page; M = O + 2 * O * O, splits and what is left over; all of
 *         one region. A test counts them.
 *         Interrupts are kept out for one guard at a time: S * (1 + B) steps, or M; for
 *         N * (1 + B) in a request that finds no free page and looks at all that are in use.
 */
#ifndef ASHLAR_HEAP_H
#define ASHLAR_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ashlar/gfp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The bounds above, as numbers. */
#define ASHLAR_HEAP_BLOCKS(page) ((page) / 4)
#define ASHLAR_HEAP_PAGE_STEPS(orders) ((orders) + 2 * (orders) * (orders))
#define ASHLAR_HEAP_ALLOC_STEPS(page, search, orders) \
	(((search) + 1) * (1 + ASHLAR_HEAP_BLOCKS(page)) + ASHLAR_HEAP_PAGE_STEPS(orders))
#define ASHLAR_HEAP_FULL_STEPS(page, search, orders, pages) \
	((2 * (search) + (pages)) * (1 + ASHLAR_HEAP_BLOCKS(page)) + ASHLAR_HEAP_PAGE_STEPS(orders))
#define ASHLAR_HEAP_FREE_STEPS(page, orders) (2 * ASHLAR_HEAP_BLOCKS(page) + (orders))

/* What a region is good for. An allocation that asks for it (the flag beside it) gets only such
 * memory; one that does not gets plain memory first. */
#define ASHLAR_HEAP_DMA 0x1u     /* devices reach it: __GFP_DMA */
#define ASHLAR_HEAP_FAST 0x2u    /* no wait states: ASHLAR_GFP_FAST */
#define ASHLAR_HEAP_BATTERY 0x4u /* keeps its contents without power: ASHLAR_GFP_BATTERY */
#define ASHLAR_HEAP_ASKED 0x8u   /* only for allocations that ask for one of the others */
#define ASHLAR_HEAP_DMA32 0x10u  /* 64-bit machines: __GFP_DMA32; DMA memory is, too */
#define ASHLAR_HEAP_NODE(n) ((uint32_t)(n) << 8)
#define ASHLAR_GFP_FAST 0x4000000u
#define ASHLAR_GFP_BATTERY 0x2000000u

/*
 * Give Ashlar the memory [@start, @start + @bytes) for good. It is described in itself: a few dozen
 * bytes, and at most 12 for each page. Before or after the first allocation; not in two threads at
 * once. Returns the bytes that can be allocated, in whole pages; 0 iff there is no room for one, or
 * some of it is Ashlar's already: given before, or from a malloc that is Ashlar's.
 */
ASHLAR_API size_t ashlar_heap_add(void *start, size_t bytes, uint32_t attributes);

/* How it fares, over all regions. */
struct ashlar_heap_stat {
	size_t total_bytes;   /* in pages, used or not */
	size_t used_bytes;    /* total less free: objects, headers, the tails of runs */
	size_t free_bytes;    /* in free pages and in slob pages */
	size_t page_bytes;    /* of these, in free pages */
	size_t largest_bytes; /* the largest block that could be allocated now */
	size_t least_bytes;   /* fewest bytes in free pages, at any time */
	size_t blocks;        /* free blocks inside slob pages */
	unsigned fragmented;  /* of the free bytes, per 1,000: not in the largest block */
};
ASHLAR_API void ashlar_heap_stat(struct ashlar_heap_stat *stat);

/* One event of a trace: @bytes 0 frees what @slot holds; else @slot gets so much. */
struct ashlar_heap_event {
	uint32_t slot;
	uint32_t bytes;
};

/*
 * A small region in which a trace of @events succeeds, in bytes to give to ashlar_heap_add if
 * it begins at a multiple of a page as far as @scratch does; found by trying in the @bytes at
 * @scratch; @slots has room for every slot of the trace, and is overwritten. More memory may
 * fragment in another way: now and then a region a few parts in a hundred smaller does, too, or one
 * that is a little larger does not, so try what is given in the end. Returns 0 iff the
 * trace does not fit into @scratch. What was allocated before is left alone; nobody else may
 * allocate meanwhile. `ashlar minimum` makes the events of a recorded trace.
 */
ASHLAR_API size_t ashlar_heap_minimum(const struct ashlar_heap_event *events, size_t count,
				      void **slots, void *scratch, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
