/* SPDX-License-Identifier: MIT */
/*
 * buddy.c - see buddy.h
 */
#include "page/buddy.h"
#include "base/bits.h"
#include "base/check.h"

u8 buddy_types[PORT_PAGEBLOCKS + 1];
bool buddy_typed;

void buddy_init(struct zone *z)
{
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		for (unsigned list = 0; list < BUDDY_LISTS; list++)
			list_init(&z->area[o].free[list]);
		z->area[o].count = 0;
	}
}

static bool buddy_is_inside(const struct zone *z, size_t pfn, unsigned order)
{
	return pfn >= z->first_pfn && pfn + ((size_t)1 << order) <= LOAD_ACQUIRE(z->online_end);
}

/* Is there a free block of exactly this order at @pfn? A block that is somebody's may be given
 * another kind at any moment, but never PAGE_FREE: that is written under the zone's lock. */
static bool buddy_is_free(const struct zone *z, size_t pfn, unsigned order)
{
	const struct page *p = &map.pages[pfn];

	return buddy_is_inside(z, pfn, order) && READ_ONCE(p->kind) == PAGE_FREE &&
	       READ_ONCE(p->order) == order;
}

/* P3: would the block merge once more if its buddy became free? */
static bool buddy_is_promising(const struct zone *z, size_t pfn, unsigned order)
{
	size_t parent = pfn & ~((size_t)1 << order);

	if (order + 1 >= MAX_ORDER)
		return false;
	return buddy_is_free(z, parent ^ ((size_t)1 << (order + 1)), order + 1);
}

/* B6: pageblocks from that of @pfn on, as many as 2^order pages have, at least one. */
static void buddy_set_type(size_t pfn, unsigned order, unsigned type)
{
	size_t block = pfn >> PAGEBLOCK_ORDER;
	size_t end = (pfn + ((size_t)1 << order) - 1) >> PAGEBLOCK_ORDER;

	if (type != MIGRATE_UNMOVABLE)
		WRITE_ONCE(buddy_typed, true);
	for (; block <= end && block < ARRAY_SIZE(buddy_types); block++)
		WRITE_ONCE(buddy_types[block], (u8)type);
}

static struct list *buddy_list(struct zone *z, unsigned order, unsigned type, bool dirty)
{
	return &z->area[order].free[type * BUDDY_SIDES + (dirty ? BUDDY_DIRTY : BUDDY_CLEAN)];
}

/* Put a block that cannot merge on its list (B1, B5, P3). */
static void buddy_insert(struct zone *z, size_t pfn, unsigned order, size_t dirty)
{
	struct page *head = &map.pages[pfn];
	unsigned type = buddy_type(pfn);
	struct list *list = buddy_list(z, order, type, dirty != 0);

	if (NR_MIGRATE_TYPES > 1 && order > PAGEBLOCK_ORDER)
		buddy_set_type(pfn, order, type);
	head->kind = PAGE_FREE;
	head->order = (u8)order;
	head->pages = dirty;
	if (buddy_is_promising(z, pfn, order))
		list_add_tail(list, &head->link);
	else
		list_add(list, &head->link);
	z->area[order].count++;
	z->free_pages += (size_t)1 << order;
	z->dirty_pages += dirty;
}

void buddy_remove(struct zone *z, struct page *head)
{
	ASSERT(head->kind == PAGE_FREE);
	list_remove(&head->link);
	z->area[head->order].count--;
	z->free_pages -= (size_t)1 << head->order;
	z->dirty_pages -= head->pages;
	head->kind = PAGE_TAIL; /* until it is somebody's head again (B2) */
}

void buddy_give(struct zone *z, size_t pfn, unsigned order)
{
	size_t dirty;

	CHECK(order <= MAX_ORDER, "a block is not larger than the largest order");
	dirty = map_count_dirty(pfn, (size_t)1 << order);
	ASSERT((pfn & (((size_t)1 << order) - 1)) == 0);
	ASSERT(buddy_is_inside(z, pfn, order));
	if (dirty)
		z->touched_end = size_max(z->touched_end, pfn + ((size_t)1 << order));
	map.pages[pfn].kind = PAGE_TAIL;
	for (; order < MAX_ORDER; order++) {
		size_t buddy = pfn ^ ((size_t)1 << order);

		if (!buddy_is_free(z, buddy, order))
			break;
		dirty += map.pages[buddy].pages;
		buddy_remove(z, &map.pages[buddy]);
		pfn &= buddy;
	}
	buddy_insert(z, pfn, order, dirty);
}

/* Dirty pages in the lower half of a block of 2^(order+1) that has @dirty of them. */
static size_t buddy_split_dirty(size_t pfn, unsigned order, size_t dirty)
{
	if (dirty == 0)
		return 0;
	if (dirty == (size_t)2 << order)
		return (size_t)1 << order;
	return map_count_dirty(pfn, (size_t)1 << order);
}

/* Give the upper halves back until the block has 2^order pages (P4). Of a partly dirty block
 * the lower half stays with the caller: low addresses fill first. */
static void buddy_split(struct zone *z, struct page *head, unsigned order)
{
	size_t pfn = map_page_pfn(head);
	size_t dirty = head->pages;

	for (unsigned o = head->order; o > order; o--) {
		size_t low = buddy_split_dirty(pfn, o - 1, dirty);

		buddy_insert(z, pfn + ((size_t)1 << (o - 1)), o - 1, dirty - low);
		dirty = low;
	}
	head->order = (u8)order;
	head->pages = dirty;
}

/* All of the pageblock is the zone's, and half of it is free. */
static bool buddy_is_half_free(const struct zone *z, size_t start)
{
	size_t size = (size_t)1 << PAGEBLOCK_ORDER;
	size_t free = 0;
	size_t at = start;

	if (start >> PAGEBLOCK_ORDER >= ARRAY_SIZE(buddy_types) ||
	    !buddy_is_inside(z, start, PAGEBLOCK_ORDER))
		return false;
	while (at < start + size) {
		const struct page *p = &map.pages[at];
		size_t pages = READ_ONCE(p->kind) == PAGE_FREE ? (size_t)1 << p->order : 0;

		free += pages;
		at += pages ? pages : 1;
	}
	return free >= size / 2;
}

/* The pageblock and all free blocks in it become of @type. */
static void buddy_claim(struct zone *z, size_t start, unsigned type)
{
	for (size_t at = start; at < start + ((size_t)1 << PAGEBLOCK_ORDER);) {
		struct page *p = &map.pages[at];

		if (READ_ONCE(p->kind) != PAGE_FREE) {
			at++;
			continue;
		}
		list_remove(&p->link);
		list_add(buddy_list(z, p->order, type, p->pages != 0), &p->link);
		at += (size_t)1 << p->order;
	}
	buddy_set_type(start, PAGEBLOCK_ORDER, type);
}

/* The largest block of another type, of 2^order pages at least (P5). */
static struct page *buddy_find_other(struct zone *z, unsigned order, unsigned type)
{
	static const u8 others[3][2] = {
		[MIGRATE_UNMOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
		[MIGRATE_RECLAIMABLE] = { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
		[MIGRATE_MOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
	};

	for (unsigned o = NR_ORDERS; o-- > order;)
		for (unsigned i = 0; i < BUDDY_SIDES * ARRAY_SIZE(others[0]); i++) {
			struct list *list = buddy_list(z, o, others[type][i / 2], i % 2 == 0);

			if (!list_is_empty(list))
				return list_first_entry(list, struct page, link);
		}
	return NULL;
}

/* B7 */
static struct page *buddy_steal(struct zone *z, unsigned order, unsigned type, bool mix)
{
	struct page *head = buddy_find_other(z, order, type);
	size_t pfn;

	if (!head || (head->order < PAGEBLOCK_ORDER && !mix))
		return NULL;
	pfn = map_page_pfn(head);
	if (head->order < PAGEBLOCK_ORDER) {
		size_t start = pfn & ~(((size_t)1 << PAGEBLOCK_ORDER) - 1);

		if (buddy_is_half_free(z, start))
			buddy_claim(z, start, type);
		buddy_remove(z, head);
	} else {
		unsigned whole = order > PAGEBLOCK_ORDER ? order : PAGEBLOCK_ORDER;

		buddy_remove(z, head);
		buddy_split(z, head, whole);
		buddy_set_type(pfn, whole, type);
	}
	buddy_split(z, head, order);
	return head;
}

struct page *buddy_take_type(struct zone *z, unsigned order, unsigned type, bool mix)
{
	for (unsigned side = BUDDY_SIDES; side-- > 0;) {
		for (unsigned o = order; o < NR_ORDERS; o++) {
			struct list *list = buddy_list(z, o, type, side == BUDDY_DIRTY);
			struct page *head;

			if (list_is_empty(list))
				continue;
			head = list_first_entry(list, struct page, link);
			buddy_remove(z, head);
			buddy_split(z, head, order);
			return head;
		}
	}
	return NR_MIGRATE_TYPES > 1 ? buddy_steal(z, order, type, mix) : NULL;
}

struct page *buddy_find_dirty(struct zone *z)
{
	for (unsigned o = NR_ORDERS; o-- > 0;)
		for (unsigned type = 0; type < NR_MIGRATE_TYPES; type++) {
			struct list *list = buddy_list(z, o, type, true);

			if (!list_is_empty(list))
				return list_last_entry(list, struct page, link);
		}
	return NULL;
}

struct page *buddy_find(struct zone *z, size_t pfn)
{
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		size_t head = pfn & ~(((size_t)1 << o) - 1);

		if (buddy_is_free(z, head, o))
			return &map.pages[head];
	}
	return NULL;
}
