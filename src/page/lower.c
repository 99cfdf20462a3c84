/* SPDX-License-Identifier: MIT */
/*
 * lower.c - the program has lowered its RLIMIT_AS: see page.h
 */
#include "base/bits.h"
#include "page/page.h"
#include "page/zone.h"
#include "page/zones.h"
#include "port/port.h"

/* Pages that may stay reserved although they never were online. */
static size_t page_spare(size_t reserved)
{
	size_t block = (size_t)1 << MAX_ORDER;
	size_t limit;
	size_t used;
	size_t others;

	if (!port_address_space(&limit, &used))
		return reserved;
	others = used - size_min(used, reserved * MAP_BYTES_PER_PAGE);
	if (limit <= others)
		return 0;
	return size_min(reserved, (limit - others) / 2 / MAP_BYTES_PER_PAGE & ~(block - 1));
}

size_t page_lower(void)
{
	struct zone *z = &zones.of[0];
	size_t reserved;
	size_t spare;

	if (zones.count != 1)
		return 0;
	lock_acquire_outer(&zone_growth);
	reserved = z->end_pfn - z->online_end;
	spare = page_spare(reserved);
	if (spare < reserved) {
		z->end_pfn = z->online_end + spare;
		map_lower(z->end_pfn);
	}
	lock_release_outer(&zone_growth);
	return (reserved - spare) * MAP_BYTES_PER_PAGE;
}
