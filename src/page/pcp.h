/* SPDX-License-Identifier: MIT */
/*
 * pcp.h - a CPU's lists of free blocks, in front of the zones
 *
 * What    Blocks of order 0 .. CONFIG_PCP_ORDERS-1, newest first, so that the
 *         next slab on this CPU gets pages that are still in its cache. How many are
 *         kept, and how many come at once from the zone, follows use: a CPU that runs
 *         empty again and again gets more at a time, one whose overflow is asked back
 *         keeps more, one that only frees keeps less. And runs that are no blocks (large.h): a
 *         program that takes and frees a buffer of 13 pages would have eleven blocks joined
 *         and cut again each time.
 * State   one struct per CPU and, so that it stays within two cache lines, a list of runs beside
 *         it; guarded by its lock, which is only ever tried: who finds it taken goes to the zone
 * Rules   C1  a block here has kind PCP and its order, a run PAGE_RUN and its length; ids say what
 *             is dirty
 *         C2  pcp->pages == sum of their pages, at most PCP_HIGH + pcp->more
 *         C3  an empty list doubles the batch, from one page to PCP_BATCH_MAX; an overflow
 *             halves it
 *         C4  an empty list after an overflow lets PCP_STEP pages more be kept, up to PCP_MORE_MAX;
 *             an overflow that follows another one, with no empty list between, takes a quarter of
 *             that back. Draining forgets both.
 *         C5  a CPU keeps pages of one range only, its NUMA node's highest zone; nothing is kept
 *             in front (pcp_keep_page) until that is known, and then it stays
 *         C6  where a CPU keeps anything, its lists have been made circles
 */
#ifndef ASHLAR_PAGE_PCP_H
#define ASHLAR_PAGE_PCP_H

#include "base/check.h"
#include "page/zone.h"

/* Pages a CPU keeps at most, before C4; past it the older half of a list goes to the zone. 256 KiB,
 * but never fewer than 16 pages. */
#define PCP_HIGH (PORT_PAGE_SHIFT <= 14 ? 64u >> (PORT_PAGE_SHIFT - 12) : 16u)
#define PCP_STEP (PCP_HIGH / 4)
#define PCP_MORE_MAX (PCP_HIGH * 3)
#define PCP_BATCH_MAX (PCP_HIGH / 2) /* pages */

/* Runs that are kept: shorter ones serve more when they are joined, longer ones are used for
 * longer. So many are looked at for one that fits. */
#define PCP_RUN_LEAST (PCP_HIGH / 8 + 1)
#define PCP_RUN_MOST (PCP_HIGH / 2)
#define PCP_RUN_LOOKS 8u

struct pcp {
	struct lock lock;
	u32 pages;                           /* in all lists (C2) */
	u16 more;                            /* pages kept above PCP_HIGH (C4) */
	u16 batch;                           /* pages (C3) */
	bool overflowed;                     /* since a list was empty */
	size_t first;                        /* C5: the range; set once, before span */
	size_t span;                         /* its pages; 0: not known yet */
	struct list free[CONFIG_PCP_ORDERS]; /* newest first; zeros until C6 */
} cacheline_aligned;

extern struct pcp pcp[PORT_MAX_CPUS] internal_data;

/* A block from CPU @cpu's list of this order; NULL iff the list is empty or busy. */
static always_inline struct page *pcp_take(unsigned cpu, unsigned order)
{
	struct pcp *c = &pcp[cpu];
	struct page *head = NULL;
	struct port_irq irq;

	if (unlikely(order >= CONFIG_PCP_ORDERS) || unlikely(READ_ONCE(c->pages) == 0) ||
	    unlikely(!lock_try_here(&c->lock, &irq)))
		return NULL;
	if (likely(!list_is_empty(&c->free[order]))) { /* C6: there were pages */
		head = list_first_entry(&c->free[order], struct page, link);
		ASSERT(head->kind == PAGE_PCP && head->order == order);
		list_remove(&head->link);
		c->pages -= 1u << order;
	}
	lock_release_here(&c->lock, irq);
	return head;
}

/* May @cpu keep page @pfn (C5)? false also where that is not known yet. */
static always_inline bool pcp_serves(unsigned cpu, size_t pfn)
{
	size_t span = LOAD_ACQUIRE(pcp[cpu].span);

	return pfn - pcp[cpu].first < span;
}

/* Keep a single free page of the CPU's range, whose id says what is dirty, if there is room; false
 * where there is none, or the list is busy. */
static always_inline bool pcp_keep_page(unsigned cpu, struct page *page)
{
	struct pcp *c = &pcp[cpu];
	struct port_irq irq;

	if (unlikely(!lock_try_here(&c->lock, &irq)))
		return false;
	if (unlikely(c->pages >= PCP_HIGH + c->more)) {
		lock_release_here(&c->lock, irq);
		return false;
	}
	page->kind = PAGE_PCP;
	list_add(&c->free[0], &page->link);
	c->pages++;
	lock_release_here(&c->lock, irq);
	return true;
}

/* From now on @cpu may keep [@first, @first + @span) (C5), if its lists are not busy just now. */
void pcp_open(unsigned cpu, size_t first, size_t span);

/* The floor begins, perhaps anew: no CPU's range is known. */
void pcp_init(void);

/* Up to @count single pages from the list, into @pages; returns how many. */
size_t pcp_take_bulk(unsigned cpu, struct page **pages, size_t count);

/* Are runs of @count pages kept at all? */
static inline bool pcp_keeps_run(size_t count)
{
	return count >= PCP_RUN_LEAST && count <= PCP_RUN_MOST;
}

/* A run of exactly @count pages whose first one's number is a multiple of @align, a power of two;
 * NULL iff there is none, or the list is busy. */
struct page *pcp_take_run(unsigned cpu, size_t count, size_t align);

/* The list of this order was empty: how many blocks shall come from the zone at once (C3). */
unsigned pcp_miss(unsigned cpu, unsigned order);

/* Keep a free block on @cpu's list, or a run of @count pages. What must leave instead (this one, or
 * the older half of its list) is linked to @out. */
void pcp_give(unsigned cpu, struct page *head, struct list *out);
void pcp_give_run(unsigned cpu, struct page *head, size_t count, struct list *out);

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
