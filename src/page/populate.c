/* SPDX-License-Identifier: MIT */
/*
 * populate.c - see populate.h
 */
#include "page/populate.h"

unsigned populate_ask(gfp_t gfp)
{
	return (gfp & __GFP_DIRECT_RECLAIM ? PORT_ASK_WAIT : 0) |
	       (gfp & __GFP_IO ? PORT_ASK_IO : 0) | (gfp & __GFP_FS ? PORT_ASK_FS : 0) |
	       (gfp & __GFP_HIGH ? PORT_ASK_URGENT : 0);
}

/* What got no memory goes back with none at all, so that it is known what has some. */
bool populate_run(struct zone *z, size_t pfn, size_t count, gfp_t gfp)
{
	if (port_populate(map_address(pfn), count << PAGE_SHIFT, populate_ask(gfp)))
		return true;
	if (port_discard(map_address(pfn), count << PAGE_SHIFT))
		zone_try_return(z, pfn, count);
	else
		zone_try_free(z, pfn, count);
	return false;
}

void populate_blocks(struct zone *z, struct list *blocks, unsigned order, gfp_t gfp)
{
	struct list *next;

	for (struct list *link = blocks->next; link != blocks; link = next) {
		size_t pfn = map_page_pfn(container_of(link, struct page, link));
		size_t dirty = map_clear_dirty(pfn, (size_t)1 << order);

		next = link->next;
		if (dirty < (size_t)1 << order) {
			list_remove(link);
			if (!populate_run(z, pfn, (size_t)1 << order, gfp))
				continue;
			list_add(next->prev, link);
		}
		map_set_dirty(pfn, (size_t)1 << order);
	}
}
