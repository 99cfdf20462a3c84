/* SPDX-License-Identifier: MIT */
/*
 * memblock.h - physical memory before there are pages: ranges, and the early boot allocator
 *
 * What    Two sorted lists of ranges: memory that the machine has, with its node, and what of
 *         it is taken. Firmware's map and everything that must be kept are painted into them
 *         in any order; what is memory and not taken may be allocated, top down.
 * Why     The map is hostile input: entries overlap, come unsorted, unaligned, empty, end past
 *         the address space, and contradict each other. Painting has one answer for each.
 * State   the caller's struct; no lock, one CPU
 * Rules   MB1 ranges of a list are sorted, not empty, disjoint, and neighbours that touch and
 *             have the same node are one
 *         MB2 memory is rounded inwards to pages, what is taken outwards
 *         MB3 the last paint wins; removing memory wins over a full table: of a range that
 *             cannot be split the larger part stays
 *         MB4 taking wins over a full table: the gap to a neighbour is taken, too
 */
#ifndef ASHLAR_PORT_BARE_MEMBLOCK_H
#define ASHLAR_PORT_BARE_MEMBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port_config.h"

#define MEMBLOCK_RANGES 128u
#define MEMBLOCK_NONE UINT64_MAX /* no address */

struct memblock_range {
	uint64_t start; /* bytes, a multiple of the page size */
	uint64_t end;   /* one past, > start */
	uint32_t node;
};

struct memblock_list {
	unsigned count;
	struct memblock_range range[MEMBLOCK_RANGES];
};

struct memblock {
	struct memblock_list memory;
	struct memblock_list taken;
};

/* [@start, @start + @bytes) is memory of @node. Returns false iff the table is full: then that
 * memory is not used. */
bool memblock_add(struct memblock *m, uint64_t start, uint64_t bytes, uint32_t node);

/* It is no memory after all. */
void memblock_remove(struct memblock *m, uint64_t start, uint64_t bytes);

/* What of it is memory belongs to @node. */
void memblock_set_node(struct memblock *m, uint64_t start, uint64_t bytes, uint32_t node);

/* It is in use: never to be allocated. */
void memblock_take(struct memblock *m, uint64_t start, uint64_t bytes);

/* The first run at or after @from, below @end, that is memory and not taken; it is of one node.
 * false iff there is none. */
bool memblock_next(const struct memblock *m, uint64_t from, uint64_t end,
		   struct memblock_range *run);

/* The highest @bytes aligned to @align (a power of two, at least a page) inside [@low, @high)
 * that are free, now taken; MEMBLOCK_NONE iff there are none. */
uint64_t memblock_alloc(struct memblock *m, uint64_t bytes, uint64_t align, uint64_t low,
			uint64_t high);

/* Bytes in a list; bytes that are free. */
uint64_t memblock_bytes(const struct memblock_list *list);
uint64_t memblock_free_bytes(const struct memblock *m);

/* Does MB1 hold for both lists? */
bool memblock_is_sound(const struct memblock *m);

#endif
