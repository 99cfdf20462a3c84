/* SPDX-License-Identifier: MIT */
/*
 * zone_late.c - blocks of a zone whose lock cannot be waited for
 *
 * What    Who may not wait and has a block to give back tries the zone's lock; where it is held he
 *         leaves the block on a stack, and the next one who takes pages from the zone, or gives
 *         some, makes it free.
 * Rules   Z5 of zone.h
 * Why     A stack of which only all is taken has no ABA; the blocks' descriptors are nobody
 *         else's, so the stack needs no memory.
 */
#include "base/check.h"
#include "page/zone.h"

static void zone_late_push(struct zone *z, struct page *head)
{
	struct page *first = __atomic_load_n(&z->late, __ATOMIC_RELAXED);

	do
		head->owner = first;
	while (!__atomic_compare_exchange_n(&z->late, &first, head, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

void zone_late_leave(struct zone *z, size_t pfn, size_t count)
{
	size_t end = pfn + count;

	while (pfn < end) {
		struct page *head = &map.pages[pfn];
		unsigned order = zone_largest_order(pfn, end);

		head->kind = PAGE_ISOLATED;
		head->order = (u8)order;
		zone_late_push(z, head);
		pfn += (size_t)1 << order;
	}
}

noinline void zone_late_sweep(struct zone *z)
{
	struct page *head = __atomic_exchange_n(&z->late, NULL, __ATOMIC_ACQUIRE);

	while (head) {
		struct page *next = head->owner;
		size_t pfn = map_page_pfn(head);
		size_t count = (size_t)1 << head->order;

		ASSERT(head->kind == PAGE_ISOLATED);
		zone_give(z, pfn, count);
		head = next;
	}
}

void zone_try_free(struct zone *z, size_t pfn, size_t count)
{
	map_set_dirty(pfn, count);
	zone_try_return(z, pfn, count);
}

void zone_try_return(struct zone *z, size_t pfn, size_t count)
{
	if (!lock_try(&z->lock)) {
		zone_late_leave(z, pfn, count);
		return;
	}
	zone_give(z, pfn, count);
	lock_release(&z->lock);
}
