/* SPDX-License-Identifier: MIT */
/*
 * buddy.h - free blocks of 2^order pages inside one zone
 *
 * What    Per order two lists of free blocks: those with dirty pages inside, and
 *         those that are wholly zero and cost nothing. Taking splits a larger
 *         block; giving back merges with the buddy while that is free.
 * Why     Knuth, The Art of Computer Programming 1, 2.5, exercise 28: the buddy
 *         is one xor away, a zone never needs a search. Dirty memory is reused
 *         before untouched memory, so that a process stays small.
 * State   struct zone; the caller holds its lock
 * Rules   B1  a free block's head has kind FREE, its order, and its dirty pages counted
 *         B2  the other pages of a block have kind TAIL
 *         B3  no two free buddies of one order exist: they would have merged
 *         B4  sum over area[o].count << o == zone->free_pages
 *         B5  a block is on the dirty list iff its count of dirty pages is not 0,
 *             and the sum of these counts == zone->dirty_pages
 *         B6  a free block is on a list of its pageblock's type; all pageblocks of a larger one
 *             have the same
 *         B7  who finds nothing of its type takes the largest block of another, if that is a
 *             pageblock, and else asks for more memory; only where there is none a part of a
 *             pageblock of another type, which becomes of that type if half of it is free
 *         P3  a block goes to the tail of its list if the buddy of the block it
 *             would be part of is free: that pair is likely to merge soon
 * Cost    take and give: at most MAX_ORDER steps; a split of a partly dirty block
 *         counts dirty pages in it
 */
#ifndef ASHLAR_PAGE_BUDDY_H
#define ASHLAR_PAGE_BUDDY_H

#include "base/lock.h"
#include "page/map.h"

enum buddy_side { BUDDY_CLEAN, BUDDY_DIRTY, BUDDY_SIDES };

/* What becomes of a pageblock's memory: it stays, or a shrinker can free it, or it can be moved. */
enum migrate_type { MIGRATE_UNMOVABLE, MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE };
#define NR_MIGRATE_TYPES (PORT_PAGEBLOCKS ? 3u : 1u)
#define BUDDY_LISTS (BUDDY_SIDES * (PORT_PAGEBLOCKS ? 3 : 1)) /* type * BUDDY_SIDES + side */
#define PAGEBLOCK_ORDER (21u - PAGE_SHIFT)                    /* 2 MiB */

/* Types of the first pageblocks of the arena; all others are UNMOVABLE. Of the zone's lock. */
extern u8 buddy_types[PORT_PAGEBLOCKS + 1] internal_data;
extern bool buddy_typed internal_data; /* some pageblock is, or was, not UNMOVABLE */

static inline unsigned buddy_type(size_t pfn)
{
	if (NR_MIGRATE_TYPES == 1 || !READ_ONCE(buddy_typed) ||
	    pfn >> PAGEBLOCK_ORDER >= ARRAY_SIZE(buddy_types))
		return MIGRATE_UNMOVABLE;
	return READ_ONCE(buddy_types[pfn >> PAGEBLOCK_ORDER]);
}

static inline unsigned buddy_type_of(gfp_t gfp)
{
	if (NR_MIGRATE_TYPES == 1 || likely(!(gfp & (__GFP_RECLAIMABLE | __GFP_MOVABLE))))
		return MIGRATE_UNMOVABLE;
	return gfp & __GFP_RECLAIMABLE ? MIGRATE_RECLAIMABLE : MIGRATE_MOVABLE;
}

struct buddy_area {
	struct list free[BUDDY_LISTS];
	size_t count; /* blocks on all of them */
};

/* Lowest first: devices that reach only the first 16 MiB, or 4 GiB; all of memory. */
enum zone_kind { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, NR_ZONE_KINDS };

enum zone_watermark { WATERMARK_MIN, WATERMARK_LOW, WATERMARK_HIGH, NR_WATERMARKS };

/* Pages of one kind on one node. */
struct zone {
	struct lock lock;
	u8 index; /* in the floor's table of zones */
	u8 node;
	u8 kind;          /* enum zone_kind */
	u8 next;          /* the next zone of its node and kind, + 1; 0: this is the last */
	size_t first_pfn; /* the zone's pages are [first_pfn, end_pfn), online or not */
	size_t end_pfn;
	size_t online_end;    /* pages at and after this never were online; zone_growth */
	struct list offline;  /* blocks that went offline again */
	size_t offline_pages; /* pages in these */
	size_t absent_pages;  /* pages before it that there is no memory for; zone_growth */
	size_t managed_pages; /* online pages that the zone hands out */
	size_t free_pages;    /* on the lists */
	size_t dirty_pages;   /* of these, with memory behind them */
	size_t touched_end;   /* pages before this were dirty at some time */
	size_t refaulted;     /* pages handed out that had been discarded, ever */
	size_t discarded;     /* pages discarded, ever */
	size_t discard_again; /* dirty pages from which on a discard that failed is tried again */
	size_t watermark[NR_WATERMARKS];
	size_t lowmem_reserve[NR_ZONE_KINDS]; /* by the highest kind that a request may have */
	struct buddy_area area[NR_ORDERS];
	struct page *late; /* atomic: blocks that could not be given (Z5 of zone.h), by owner */
};

void buddy_init(struct zone *z);

/* Make the aligned block of 2^order pages at @pfn free, merging it. Its ids say what is dirty. */
void buddy_give(struct zone *z, size_t pfn, unsigned order);

/* Take a block of exactly 2^order pages out; NULL iff no block is large enough, or none but parts
 * of pageblocks of another type, and not @mix (B7). Its dirty pages are still marked. */
struct page *buddy_take_type(struct zone *z, unsigned order, unsigned type, bool mix);
static inline struct page *buddy_take(struct zone *z, unsigned order)
{
	return buddy_take_type(z, order, MIGRATE_UNMOVABLE, true);
}

/* Take this very free block off its list. */
void buddy_remove(struct zone *z, struct page *head);

/* A free block with dirty pages, of the largest order that has one; NULL iff none is dirty. */
struct page *buddy_find_dirty(struct zone *z);

/* The free block that holds page @pfn; NULL iff it is not free. */
struct page *buddy_find(struct zone *z, size_t pfn);

#endif
