/* SPDX-License-Identifier: MIT */
/*
 * pcp.h - a CPU's lists of free blocks, in front of the zones
 *
 * What    Blocks of order 0 .. CONFIG_PCP_ORDERS-1, newest first, so that the
 *         next slab on this CPU gets pages that are still in its cache. How many are
 *         kept, and how many come at once from the zone, follows use: a CPU that runs
 *         empty again and again gets more at a time, one whose overflow is asked back
 *         keeps more, one that only frees keeps less.
 * State   one struct per CPU, guarded by its own lock, which is only ever tried:
 *         who finds it taken goes to the zone
 * Rules   C1  a block here has kind PCP and its order; its ids say what of it is dirty
 *         C2  pcp->pages == sum of the blocks' pages, at most PCP_HIGH + pcp->more
 *         C3  an empty list doubles the batch, from one page to PCP_BATCH_MAX; an overflow
 *             halves it
 *         C4  an empty list after an overflow lets PCP_STEP pages more be kept, up to PCP_MORE_MAX;
 *             an overflow that follows another one, with no empty list between, takes a quarter of
 *             that back. Draining forgets both.
 */
#ifndef ASHLAR_PAGE_PCP_H
#define ASHLAR_PAGE_PCP_H

#include "page/zone.h"

/* Pages a CPU keeps at most, before C4; past it the older half of a list goes to the zone. */
#define PCP_HIGH 64u
#define PCP_STEP 16u
#define PCP_MORE_MAX 192u
#define PCP_BATCH_MAX 32u /* pages */

/* A block from CPU @cpu's list of this order; NULL iff the list is empty or busy. */
struct page *pcp_take(unsigned cpu, unsigned order);

/* Up to @count single pages from the list, into @pages; returns how many. */
size_t pcp_take_bulk(unsigned cpu, struct page **pages, size_t count);

/* The list of this order was empty: how many blocks shall come from the zone at once (C3). */
unsigned pcp_miss(unsigned cpu, unsigned order);

/* Keep a free block on @cpu's list. What must leave instead (this block, or the older half
 * of its list) is linked to @out. */
void pcp_give(unsigned cpu, struct page *head, struct list *out);

/* Keep the blocks on @blocks, which have their orders, as far as there is room; the others stay
 * there. */
void pcp_fill(unsigned cpu, struct list *blocks);

/* Move all of @cpu's blocks to @out. */
void pcp_drain(unsigned cpu, struct list *out);

size_t pcp_pages(unsigned cpu);
bool pcp_has_any(void); /* of any CPU */

/* Pages that @cpu keeps at most, now (C2), and its batch. */
size_t pcp_high(unsigned cpu);
size_t pcp_batch(unsigned cpu);

/* CPU 0's count of pages, for tools; the next CPU's is *@step bytes on. */
const u32 *pcp_pages_table(size_t *step);

/* CPUs at and above this number never kept a block. */
unsigned pcp_cpus(void);
size_t pcp_audit(unsigned cpu);
void pcp_lock(unsigned cpu);
void pcp_unlock(unsigned cpu);

#endif
