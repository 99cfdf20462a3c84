/* SPDX-License-Identifier: MIT */
/*
 * array_cache.h - a CPU's LIFO array of free objects: the layout that the sequences know
 *
 * What    Sixteen bytes a (cache, node); the headers of one CPU lie densely at
 *         the start of its region, four to a cache line, indexed by id. The
 *         entries lie in blocks elsewhere.
 * Rules   A1  0 <= avail <= limit; entry[0 .. avail-1] are free objects, the newest last
 *         A2  avail and idle are written by one store: that store commits a pop
 *         A3  limit and entry change only while the region is owned (port_percpu_own)
 * See     percpu.h of each port for the sequences, cache/array.c for the rest
 */
#ifndef ASHLAR_PORT_ARRAY_CACHE_H
#define ASHLAR_PORT_ARRAY_CACHE_H

#include <stdint.h>

struct array_cache {
	uint16_t avail;    /* free objects in the array */
	uint16_t idle;     /* not popped since: a mark; a pop clears it for nothing */
	uint16_t limit;    /* most objects it may hold; 0: no array here (id 0, the dummy) */
	uint16_t capacity; /* entries that fit the block, >= limit */
	void **entry;      /* the stack; entry[avail - 1] is the newest */
};

/* A2: @avail, and not idle, in one store. Both are of little-endian halfwords. */
static inline void array_cache_set_avail(struct array_cache *a, unsigned avail)
{
	__atomic_store_n((uint32_t *)(void *)a, (uint32_t)avail, __ATOMIC_RELAXED);
}

/* What an array was not popped since: the reaper looked; a flush, and that came later. */
#define ARRAY_IDLE_TICK 1u
#define ARRAY_IDLE_FLUSH 2u

/* Header of id i is at region + i * 16: that product is called header_offset. */
#define ARRAY_CACHE_SIZE 16u

#endif
