/* SPDX-License-Identifier: MIT */
/*
 * map.h - x86-64: the firmware's memory map into the boot map
 */
#ifndef ASHLAR_KERNEL_MAP_H
#define ASHLAR_KERNEL_MAP_H

#include <stdint.h>

/* What one entry of the direct map's root reaches: memory above it is not used. */
#define MAP_DIRECT_BYTES (UINT64_C(512) << 30)

struct map_entry {
	uint64_t start, bytes;
	uint32_t type, reserved; /* type 1 is memory */
};

/* Usable memory first, then everything else on top of it: what overlaps is not used. */
void map_read(const struct map_entry *map, uint32_t entries);

/* Where the direct map ends: behind all memory and the first 4 GiB. Memory above MAP_DIRECT_BYTES,
 * if there is any, is taken out of the boot map before, and that is said. */
uint64_t map_end(void);

#endif
