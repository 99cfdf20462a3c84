/* SPDX-License-Identifier: MIT */
/*
 * walk.c - see walk.h
 */
#include "engine/walk.h"
#include "page/map.h"

unsigned walk_in_use(u32 header_offset, void **objects, unsigned most)
{
	size_t pages = READ_ONCE(map.granules) >> (PAGE_SHIFT - GRANULE_SHIFT);
	unsigned found = 0;

	for (size_t pfn = 0; pfn < pages && found < most; pfn++) {
		if (map.ids[pfn] != header_offset)
			continue;
		for (char *p = map_address(pfn), *end = p + PAGE_SIZE; p < end && found < most;
		     p += GRANULE_SIZE)
			if (*map_state(p) != STATE_FREE && *map_state(p) != STATE_NONE)
				objects[found++] = p;
	}
	return found;
}
