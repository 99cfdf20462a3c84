/* SPDX-License-Identifier: MIT */
/*
 * pcp.h - a CPU's lists of free blocks, in front of the zones
 *
 * What    Blocks of order 0 .. CONFIG_PCP_ORDERS-1, newest first, so that the
 *         next slab on this CPU gets pages that are still in its cache.
 * State   one struct per CPU, guarded by its own lock, which is only ever tried:
 *         who finds it taken goes to the zone
 * Rules   C1  a block here has kind PCP, its order, and is dirty
 *         C2  pcp->pages == sum of the blocks' pages, at most PCP_HIGH
 */
#ifndef ASHLAR_PAGE_PCP_H
#define ASHLAR_PAGE_PCP_H

#include "page/zone.h"

/* Pages a CPU keeps at most; past it the whole list of that order goes to the zone. */
#define PCP_HIGH 64u

/* A block from CPU @cpu's list of this order; NULL iff the list is empty or busy. */
struct page *pcp_take(unsigned cpu, unsigned order);

/* Keep a free block on @cpu's list. What must leave instead (this block, or the older half
 * of its list) is linked to @out. */
void pcp_give(unsigned cpu, struct page *head, struct list *out);

/* Move all of @cpu's blocks to @out. */
void pcp_drain(unsigned cpu, struct list *out);

size_t pcp_pages(unsigned cpu);

/* CPU 0's count of pages, for tools; the next CPU's is *@step bytes on. */
const u32 *pcp_pages_table(size_t *step);

/* CPUs at and above this number never kept a block. */
unsigned pcp_cpus(void);
size_t pcp_audit(unsigned cpu);
void pcp_lock(unsigned cpu);
void pcp_unlock(unsigned cpu);

#endif
