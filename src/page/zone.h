/* SPDX-License-Identifier: MIT */
/*
 * zone.h - watermarks, growth and give-back around a zone's buddy allocator
 *
 * What    zone_alloc and zone_free take the zone's lock, watch the watermarks,
 *         and keep count of what is dirty; zone_grow brings more memory online.
 * Rules   Z1  an ordinary request leaves watermark[MIN] pages free; __GFP_HIGH may
 *             use half of these, __GFP_MEMALLOC all
 *         Z2  the zone's lock is never held while the port is called. The growth lock, one for
 *             all zones, is: it keeps two threads from bringing the same memory or the same
 *             part of the tables online, and an audit or a fork from seeing a block that is
 *             neither online nor offline
 *         Z3  what comes online is bound to its node, where there are several
 *         Z4  a request that may not wait for a lock (lock_may_wait) tries it, and finds nothing
 *             where it is held. Where growth makes no system call (PORT_GROWS_ATOMIC) one with
 *             __GFP_KSWAPD_RECLAIM, which may wait there, may grow the zone
 *         Z5  what a request without __GFP_DIRECT_RECLAIM gives back while somebody has the zone's
 *             lock waits on a stack until somebody takes pages from the zone or gives some. Such
 *             memory counts as in use
 *         Z6  where no fault brings memory (PORT_POPULATES) free pages that are not dirty have
 *             none: what leaves a zone gets it, without locks, or goes back (populate.h)
 */
#ifndef ASHLAR_PAGE_ZONE_H
#define ASHLAR_PAGE_ZONE_H

#include "base/bits.h"
#include "page/buddy.h"

/* Make zone @index of node @node own the pages [first, end), all offline. */
void zone_init(struct zone *z, unsigned index, unsigned node, size_t first, size_t end);

/* With it a request gets no part of a pageblock of another type (B7). */
#define ZONE_GFP_APART 0x80000000u

/* The first @count pages of a block of 2^order, kind PAGE_TAIL, their ids cleared; the rest
 * of the block stays free. *@zero tells whether they read as zero. */
struct page *zone_alloc(struct zone *z, unsigned order, size_t count, gfp_t gfp, bool *zero);

/* Up to @count blocks of 2^order into @blocks, their ids as they are; as many as an ordinary
 * request may have, whatever @gfp says of reserves; Z4 holds. Returns how many. */
unsigned zone_alloc_list(struct zone *z, unsigned order, unsigned count, gfp_t gfp,
			 struct list *blocks);

/* Free @count pages from @pfn, any alignment and length; they are dirty. */
void zone_free(struct zone *z, size_t pfn, size_t count);

/* The same for who may not wait (Z5). */
void zone_try_free(struct zone *z, size_t pfn, size_t count);

/* The same; their ids say what of them is dirty. */
void zone_try_return(struct zone *z, size_t pfn, size_t count);

/* Free every block on @blocks (linked by link, order set); all are this zone's and dirty. */
void zone_free_list(struct zone *z, struct list *blocks);

/* Bring at least @pages more pages online, enough for one block of 2^order; or find that somebody
 * else just did. false iff the port or the zone has no more. Makes system calls. */
bool zone_grow(struct zone *z, unsigned order, size_t pages);

/* Is there address space that it might still grow into? */
static inline bool zone_has_room(const struct zone *z)
{
	return READ_ONCE(z->online_end) < z->end_pfn || READ_ONCE(z->offline_pages);
}

/* Take the @extra pages from @pfn if all are free. */
bool zone_claim(struct zone *z, size_t pfn, size_t extra, bool *zero);

/* Discard free dirty blocks until at most @keep dirty pages are left; returns pages given back. */
size_t zone_discard(struct zone *z, size_t keep);

/* Take large free blocks offline; returns pages. */
size_t zone_offline(struct zone *z);

size_t zone_audit(struct zone *z);

/* Z5: pages that are nobody's, for the next holder of the lock; what has come so is made free
 * (under the lock). */
void zone_late_leave(struct zone *z, size_t pfn, size_t count);
void zone_late_sweep(struct zone *z);

/* Under the lock: a run becomes free. */
void zone_give(struct zone *z, size_t pfn, size_t count);

/* Of the largest aligned block that begins at @pfn and ends before @end. */
static inline unsigned zone_largest_order(size_t pfn, size_t end)
{
	unsigned order = bits_lowest(pfn | ((size_t)1 << MAX_ORDER));

	return order > bits_highest(end - pfn) ? bits_highest(end - pfn) : order;
}

/* Keep all memory as it is, on- or offline (Z2). */
extern struct lock zone_growth internal_data;

#endif
