/* SPDX-License-Identifier: MIT */
/*
 * zone_audit.c - the proof of a zone's rules: every list, every page of every free block
 */
#include "page/zone.h"

/* One free list: kinds, orders, sides and dirty counts (B1, B3, B5). */
static size_t zone_audit_list(const struct zone *z, unsigned order, unsigned side, size_t *dirty)
{
	const struct list *node;
	size_t faults = 0;

	list_for_each(node, &z->area[order].free[side]) {
		const struct page *head = list_entry_const(node, struct page, link);
		size_t pfn = map_page_pfn(head);
		size_t buddy = pfn ^ ((size_t)1 << order);
		size_t size = (size_t)1 << order;

		faults += head->kind != PAGE_FREE || head->order != order;           /* B1 */
		faults += map_count_dirty(pfn, size) != head->pages;                 /* B1 */
		faults += (head->pages != 0) != (side % BUDDY_SIDES == BUDDY_DIRTY); /* B5 */
		faults += (pfn & (size - 1)) != 0 || pfn + size > z->online_end;
		for (size_t i = 1; i < size; i++)
			faults += map.pages[pfn + i].kind != PAGE_TAIL; /* B2 */
		if (order < MAX_ORDER && buddy + size <= z->online_end && buddy >= z->first_pfn)
			faults += READ_ONCE(map.pages[buddy].kind) == PAGE_FREE &&
				  map.pages[buddy].order == order; /* B3 */
		for (size_t i = 0; i < size; i += (size_t)1 << PAGEBLOCK_ORDER)
			faults += buddy_type(pfn + i) != side / BUDDY_SIDES; /* B6 */
		*dirty += head->pages;
	}
	return faults;
}

size_t zone_audit(struct zone *z)
{
	size_t faults = 0;
	size_t pages = 0;
	size_t dirty = 0;

	zone_late_sweep(z); /* Z5 */
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		for (unsigned side = 0; side < BUDDY_LISTS; side++)
			faults += zone_audit_list(z, o, side, &dirty);
		pages += z->area[o].count << o;
	}
	faults += pages != z->free_pages;  /* B4 */
	faults += dirty != z->dirty_pages; /* B5 */
	faults += z->managed_pages + z->offline_pages + z->absent_pages !=
		  z->online_end - z->first_pfn;
	return faults;
}
