/* SPDX-License-Identifier: MIT */
/*
 * stat.c - the sums of src/cache/stat.h, for slob
 */
#include "cache/stat.h"
#include "ashlar/heap.h"
#include "cache/block.h"

void stat_sum(struct stat_sum *sum)
{
	struct ashlar_heap_stat s;
	size_t dirty = 0;

	ashlar_heap_stat(&s);
	for (const struct zone *z = pages_zones; z; z = z->next)
		dirty += READ_ONCE(z->dirty_pages);
	*sum = (struct stat_sum){
		.online_bytes = s.total_bytes,
		.free_bytes = s.page_bytes,
		.dirty_bytes = size_min(dirty << PAGE_SHIFT, s.page_bytes),
		.slab_bytes = 0,
		.idle_bytes = s.free_bytes - s.page_bytes,
		.used_bytes = s.used_bytes,
	};
}
