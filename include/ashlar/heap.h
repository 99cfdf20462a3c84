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
 *         instructions, without a division. Of one region that was given:
 *
 *           P  bytes of a page; S, pages that a search looks at: numbers of the port
 *           N  pages of the region; O, bits of N, or the port's largest order if that is less
 *           L  bytes of the shortest block in use, header included: 6, where a port aligns kmalloc
 *              to 4 bytes 4; in a process and on the bare port 4 and a pointer
 *           F  (P + L) / (L + 2), most free blocks of a page: no two touch, and each has 2 bytes
 *           U  1 + (P - 2) / L, most looks for a block in use: at the free blocks before it, and
 *              behind the last of these at those in use
 *
 *           kmalloc, kmem_cache_alloc   S * (1 + F) + 1 + O   while a page is free
 *                                       (S + N) * (1 + F)     when none is
 *           kfree, kmem_cache_free      U, or O + 2 if that is more: the last block of a page
 *           a block of pages            O to get, 2 * O to give back; twice that if it is
 *                                       aligned to more than a page, or was resized
 *
 *         A shrinker that frees something (slab.h) begins the request anew. Tests count the steps
 *         and come within a few of the bounds; damaged pages end in a report.
 *         Interrupts are kept out for one guard at a time: S * (1 + F) steps, or 4 * O; for
 *         N * (1 + F) in a request that finds no free page and looks at all that are in use.
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

/* The bounds above, as numbers: F, U, the rows; for blocks of pages without what is twice that. */
#define ASHLAR_HEAP_FREE_BLOCKS(page, least) (((page) + (least)) / ((least) + 2))
#define ASHLAR_HEAP_LOOKS(page, least) (1 + ((page)-2) / (least))
#define ASHLAR_HEAP_ALLOC_STEPS(page, least, search, orders) \
	((search) * (1 + ASHLAR_HEAP_FREE_BLOCKS(page, least)) + 1 + (orders))
#define ASHLAR_HEAP_FULL_STEPS(page, least, search, pages) \
	(((search) + (pages)) * (1 + ASHLAR_HEAP_FREE_BLOCKS(page, least)))
#define ASHLAR_HEAP_FREE_STEPS(page, least, orders)                                       \
	(ASHLAR_HEAP_LOOKS(page, least) > (orders) + 2 ? ASHLAR_HEAP_LOOKS(page, least) : \
							 (orders) + 2)
#define ASHLAR_HEAP_GET_STEPS(orders) (orders)
#define ASHLAR_HEAP_GIVE_STEPS(orders) (2 * (orders))

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
 * some of it is Ashlar's already: given before, or from a malloc that is Ashlar's; or @attributes
 * mean nothing here, which is printed: unknown bits, a node that the port does not have,
 * ASHLAR_HEAP_ASKED alone (nobody could ask), ASHLAR_HEAP_DMA32 on a small machine.
 */
ASHLAR_API size_t ashlar_heap_add(void *start, size_t bytes, uint32_t attributes);

/*
 * How it fares, over all regions. largest_bytes is what one kmalloc could have; it could not have a
 * byte more. Where pages are free it is the longest block of these. Blocks are powers of two, so
 * in an empty region of 61 pages it is 32 of them: more than half of what is free, seldom all, and
 * `fragmented` says 475. Without a free page it is what fits into a free block of a page in use,
 * less its header. Where the heap grows (a process) it is what is had without growing, as by
 * GFP_NOWAIT; what is free at the end then counts as a whole.
 */
struct ashlar_heap_stat {
	size_t total_bytes;   /* in pages, used or not */
	size_t used_bytes;    /* total less free: objects, headers, the tails of runs */
	size_t free_bytes;    /* in free pages and in slob pages */
	size_t page_bytes;    /* of these, in free pages */
	size_t largest_bytes; /* the largest kmalloc that would succeed now; see below */
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
