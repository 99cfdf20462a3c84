/* SPDX-License-Identifier: MIT */
/*
 * buddy.c - see buddy.h
 */
#include "page/buddy.h"
#include "base/bits.h"
#include "base/check.h"

void buddy_init(struct zone *z)
{
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		list_init(&z->area[o].free[BUDDY_CLEAN]);
		list_init(&z->area[o].free[BUDDY_DIRTY]);
		z->area[o].count = 0;
	}
}

static bool buddy_is_inside(const struct zone *z, size_t pfn, unsigned order)
{
	return pfn >= z->first_pfn && pfn + ((size_t)1 << order) <= z->online_end;
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

/* Put a block that cannot merge on its list (B1, B5, P3). */
static void buddy_insert(struct zone *z, size_t pfn, unsigned order, size_t dirty)
{
	struct page *head = &map.pages[pfn];
	struct list *list = &z->area[order].free[dirty ? BUDDY_DIRTY : BUDDY_CLEAN];

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

struct page *buddy_take(struct zone *z, unsigned order)
{
	for (unsigned side = BUDDY_SIDES; side-- > 0;) {
		for (unsigned o = order; o < NR_ORDERS; o++) {
			struct list *list = &z->area[o].free[side];
			struct page *head;

			if (list_is_empty(list))
				continue;
			head = list_first_entry(list, struct page, link);
			buddy_remove(z, head);
			buddy_split(z, head, order);
			return head;
		}
	}
	return NULL;
}

struct page *buddy_find_dirty(struct zone *z)
{
	for (unsigned o = NR_ORDERS; o-- > 0;)
		if (!list_is_empty(&z->area[o].free[BUDDY_DIRTY]))
			return list_last_entry(&z->area[o].free[BUDDY_DIRTY], struct page, link);
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
