/* SPDX-License-Identifier: MIT */
/*
 * walk.c - see walk.h
 */
#include "engine/walk.h"
#include "engine/engine.h"

/* Is @p the start of an object that is neither in its slab nor in an array? */
static bool walk_is_in_use(const struct kmem_cache_node *n, const char *p)
{
	u8 state = *map_state(p);
	struct slab_object o;

	return state != STATE_FREE && state != STATE_NONE && state != STATE_PENDING &&
	       slab_find(n, p, &o) && o.start == p;
}

unsigned walk_in_use(u32 header_offset, void **objects, unsigned most)
{
	const struct kmem_cache_node *n = map_id(header_offset)->node;
	size_t pages = READ_ONCE(map.granules) >> (PAGE_SHIFT - GRANULE_SHIFT);
	unsigned found = 0;

	for (size_t pfn = 0; n && pfn < pages && found < most; pfn++) {
		if (!map_is_known(pfn) || map.ids[pfn] != header_offset)
			continue;
		for (char *p = map_address(pfn), *end = p + PAGE_SIZE; p < end && found < most;
		     p += GRANULE_SIZE)
			if (walk_is_in_use(n, p))
				objects[found++] = p;
	}
	return found;
}
