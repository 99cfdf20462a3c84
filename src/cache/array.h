/* SPDX-License-Identifier: MIT */
/*
 * array.h - the CPUs' arrays of free objects
 *
 * What    Pop and push in whichever per-CPU mode is in force; regions and entry
 *         blocks made when a CPU or a cache is first seen; stopping a CPU.
 * Rules   A1..A3 of port/array_cache.h, and
 *         A4  only the holder of array_lock makes, stops or equips (RSEQ mode: so nobody
 *             ever waits for an owner); LOCK mode's pops and pushes own a region briefly
 *         A5  objects that leave a stopped CPU are flushed after it runs again
 */
#ifndef ASHLAR_CACHE_ARRAY_H
#define ASHLAR_CACHE_ARRAY_H

#include "base/base.h"
#include "percpu.h"

struct kmem_cache;
struct kmem_cache_node;

void array_init(unsigned cpus);

/* One object in LOCK mode; false where the array is empty (full), busy or not there yet. */
bool array_pop_lock(size_t header_offset, void **object);
bool array_push_lock(size_t header_offset, void *object);

/* One object in either mode. */
static inline void *array_pop(size_t header_offset)
{
	void *p;

	if (likely(percpu_ready()) ? percpu_pop(header_offset, &p) :
				     array_pop_lock(header_offset, &p))
		return p;
	return NULL;
}

static inline bool array_push(size_t header_offset, void *object)
{
	if (likely(percpu_ready()))
		return percpu_push(header_offset, object);
	return array_push_lock(header_offset, object);
}

/* Batches: as many as there are, as fit. */
unsigned array_pop_bulk(u32 header_offset, void **objects, unsigned count);
unsigned array_push_bulk(u32 header_offset, void *const *objects, unsigned count);

/* Was no object popped from this CPU's array since its last flush, or the reaper's last look?
 * And: a flush has ended. Hints: who is moved meanwhile reads or marks another CPU's. */
bool array_is_idle(u32 header_offset);
void array_mark_flush(u32 header_offset);

/* See to it that this CPU has a region and an array for @n's objects. Returns true iff it made
 * one: then a push that found no room may be tried again. */
bool array_equip(const struct kmem_cache_node *n);

/* Has this CPU an array for @n's objects that is not full, at this moment? */
bool array_has_room(const struct kmem_cache_node *n);

/* Empty every CPU's arrays of @c into its nodes. */
void array_drain(struct kmem_cache *c);

/* For squeeze.h, of one CPU's arrays of the nodes whose bits are set in @ids. Is there one that
 * has objects, and that nobody popped from since it was marked, or @all? If not, they are
 * marked. */
bool array_is_due(unsigned cpu, const u64 *ids, bool all);

/* What these arrays hold, from *@id on, to @objects, of SQUEEZE_OBJECTS at most; the others are
 * marked. The CPU is stopped meanwhile. *@id is the first id that found no room, or CONFIG_MAX_IDS.
 * Returns how many, also 0 where the CPU cannot be stopped. */
unsigned array_gather(unsigned cpu, const u64 *ids, bool all, void **objects, u32 *id);

/* CPUs that may have arrays have lower numbers. */
unsigned array_cpu_end(void);

/* The arrays of @c take its new limits; what they held goes to the nodes. false iff a CPU could not
 * be stopped: it keeps its old ones. */
bool array_retune(struct kmem_cache *c);

/* A tick of the reaper (TU3 of tune.c). */
void array_reap(struct kmem_cache *c);

/* Empty and close the arrays of a cache that is going away: limit 0 on every CPU (K1). false, with
 * some of them still open, iff the system refuses the fence or somebody still frees to it. */
bool array_retire(struct kmem_cache *c);

/* Free objects of @c (of @n) in all arrays, at this moment; CPUs that have a region, all of them
 * and those of one NUMA node. */
size_t array_count(const struct kmem_cache *c);
size_t array_count_node(const struct kmem_cache_node *n);
unsigned array_cpus(void);
unsigned array_cpus_on(unsigned node);

/* Where the first CPU's pointer to its headers lies, for tools; the next CPU's is *@step bytes
 * on, and there are *@count. */
const void *array_regions(size_t *step, unsigned *count);

size_t array_audit(void);
/* Own every CPU. false: the system refused the fence, and sequences that had begun may still be
 * storing: a copy of the memory made now (fork) must not trust the arrays. */
bool array_lock_all(void);
void array_unlock_all(void);

/* In the copy: forget what the arrays held; these objects are lost to it. */
void array_forget(void);

#endif
