/* SPDX-License-Identifier: MIT */
/*
 * map.c - see map.h
 */
#include "map.h"
#include "ashlar/bare.h"
#include "kernel.h"

void map_read(const struct map_entry *map, uint32_t entries)
{
	for (uint32_t i = 0; i < entries; i++)
		if (map[i].type == 1)
			ashlar_boot_memory(map[i].start, map[i].bytes, 0);
	for (uint32_t i = 0; i < entries; i++)
		if (map[i].type != 1)
			ashlar_boot_hole(map[i].start, map[i].bytes);
}

uint64_t map_end(void)
{
	uint64_t all = ashlar_boot_total();
	uint64_t end = UINT64_C(4) << 30;
	uint64_t start;
	uint64_t stop;
	unsigned node;

	ashlar_boot_hole(MAP_DIRECT_BYTES, UINT64_MAX - MAP_DIRECT_BYTES);
	if (ashlar_boot_total() != all)
		print("memory above 512 GiB is not used\n");
	for (unsigned i = 0; ashlar_boot_range(i, &start, &stop, &node); i++)
		end = stop > end ? stop : end;
	return end;
}
