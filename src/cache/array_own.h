/* SPDX-License-Identifier: MIT */
/*
 * array_own.h - what the files of the arrays tell each other
 *
 * State   arrays.cpu[]: what each CPU has; the port's table says who may use it
 */
#ifndef ASHLAR_CACHE_ARRAY_OWN_H
#define ASHLAR_CACHE_ARRAY_OWN_H

#include "base/lock.h"
#include "cache/array.h"
#include "cache/cache.h"

struct array_cpu {
	struct array_cache *region; /* NULL until the CPU is first seen; then constant */
	unsigned node;              /* constant, once there is a region */
	char *chunk;                /* array_lock: where the next entry block begins */
	size_t chunk_left;          /* array_lock: bytes */
};

struct arrays {
	struct lock lock;
	unsigned cpus;                    /* CPU numbers are below this */
	unsigned regions;                 /* CPUs that have one */
	unsigned on_node[PORT_MAX_NODES]; /* the same, of each NUMA node */
	struct array_cpu cpu[PORT_MAX_CPUS];
};

extern struct arrays arrays internal_data;

static inline struct array_cache *array_header(struct array_cache *region, size_t header_offset)
{
	return (struct array_cache *)((uintptr_t)region + header_offset);
}

/* Let a CPU use its region, at its own node for allocations. */
void array_publish(unsigned number, struct array_cache *region);

/* Own a CPU's region, under array_lock; NULL iff the system refuses the fence. */
struct array_cache *array_stop(unsigned cpu);

/* An array of the CPU's own node is as long as the cache says. One of another node is emptied
 * whole: it has the length of a batch. */
unsigned array_limit(const struct array_cpu *cpu, const struct kmem_cache_node *n);

#endif
