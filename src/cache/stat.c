/* SPDX-License-Identifier: MIT */
/*
 * stat.c - see stat.h; nothing is stopped: the figures are of about this moment
 */
#include "cache/stat.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/large.h"

static void stat_add_cache(struct stat_sum *sum, const struct kmem_cache_node *n)
{
	const struct shape *s = n->shape;
	size_t slabs = READ_ONCE(n->slabs);
	size_t parked = array_count_node(n) + READ_ONCE(n->shared_avail) + READ_ONCE(n->pending);
	size_t idle = READ_ONCE(n->free_objects);
	size_t objects = slabs * s->objects;

	if (objects > parked + idle && !(n->cache->flags & ASHLAR_FLAG_OWN))
		sum->used_bytes += (objects - parked - idle) * s->stride;
	sum->slab_bytes += slabs << s->order << PAGE_SHIFT;
	sum->parked_bytes += parked * s->stride;
	sum->idle_bytes += slab_ready(n) * s->stride;
}

void stat_sum(struct stat_sum *sum)
{
	struct page_stat pages;

	*sum = (struct stat_sum){ 0 };
	page_stat(&pages);
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		stat_add_cache(sum, n);
		cache_leave(n);
	}
	sum->online_bytes = pages.online_pages << PAGE_SHIFT;
	sum->free_bytes = (pages.free_pages + pages.pcp_pages) << PAGE_SHIFT;
	sum->dirty_bytes = (pages.dirty_pages + pages.pcp_pages) << PAGE_SHIFT;
	sum->mapping_bytes = large_used_pages() << PAGE_SHIFT;
	sum->kept_bytes = large_kept_pages() << PAGE_SHIFT;
	sum->used_bytes += sum->mapping_bytes + (READ_ONCE(large_figures()->runs) << PAGE_SHIFT);
}
