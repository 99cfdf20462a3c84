/* SPDX-License-Identifier: MIT */
/*
 * map_known.c - of several zones: which pages have tables
 *
 * What    A zone comes online from its bottom up, holes included: what lies below its online_end.
 * Rules   M5 of map.h
 */
#include "page/map.h"
#include "page/zones.h"

bool map_is_known_slow(size_t pfn)
{
	const struct zone *z = zones_of(pfn);

	return pfn >= z->first_pfn && pfn < LOAD_ACQUIRE(z->online_end);
}
