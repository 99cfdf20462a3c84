/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h - sizes to caches, pointers to sizes
 *
 * What    One family of size caches for kmalloc and malloc, four a doubling, eight
 *         from 1 to 8 KiB, every power of two among them. A table of one entry for each 16 bytes
 *         of size gives the header offset of the cache.
 * Rules   KM1 an object of a power-of-two class is aligned to its size; any is aligned to
 *             the largest power of two that divides its class
 *         KM2 kmalloc_fast_limit is 0 until sequences may run: nothing takes the fast path
 */
#ifndef ASHLAR_CACHE_KMALLOC_H
#define ASHLAR_CACHE_KMALLOC_H

#include "ashlar/slab.h"
#include "cache/array.h"
#include "cache/kmalloc_class.h"
#include "cache/object.h"
#include "percpu.h"

#define KMALLOC_TABLE_SIZE (CONFIG_KMALLOC_MAX_CACHE / 16)

/* kmalloc_table[(size - 1) >> 4] is the header offset of the cache that serves size. */
extern u16 kmalloc_table[KMALLOC_TABLE_SIZE] internal_data;

/* Sizes of 1 .. this may take the fast path. */
extern size_t kmalloc_fast_limit internal_data;

bool kmalloc_init(void);

/* What @early, a stand-in of ashlar_kmalloc_caches, has become, after starting everything; NULL
 * iff there is no memory. */
struct kmem_cache *kmalloc_started(const struct kmem_cache *early);

/* LOCK mode's middle way may be gone. */
extern bool kmalloc_lock_pops internal_data;
extern bool kmalloc_lock_pushes internal_data;

/* Let the fast paths run, or LOCK mode's middle way, as far as no gate is closed (gate.h). */
void kmalloc_open(bool lock_mode);

/* The size cache for what @gfp says of the kind of memory; made if there is none yet and @gfp may
 * wait. NULL iff there is no such memory (then the reason is printed), or none at all. */
struct kmem_cache *kmalloc_type_cache(unsigned class, gfp_t gfp);

/* Any size but 0, any state of the world. */
void *kmalloc_slow(size_t size, gfp_t gfp);

/* Above the size caches, on a node. */
void *kmalloc_large_node(size_t size, gfp_t gfp, unsigned node);

/* @size bytes of an object of @c, a size cache. */
void *kmalloc_from(struct kmem_cache *c, size_t size, gfp_t gfp);

/* @size bytes aligned to @align, a power of two. */
void *kmalloc_aligned(size_t size, size_t align, gfp_t gfp);

/* The cache that serves @size at this alignment; NULL: pages do. */
struct kmem_cache *kmalloc_cache(size_t size, size_t align);

/* Bytes of an object of a size cache. */
size_t kmalloc_class_bytes(const struct kmem_cache *c);

/* Free whatever starts at @p, checked; @function is the caller's name in a report. */
void kmalloc_free(void *p, const char *function);

/* The second half: the state of @p is STATE_FREE and its array had no room. */
void kmalloc_free_released(void *p);

/* Does @p start a block in use of ours? */
bool kmalloc_owns(const void *p);

/* Bytes usable at @p, which must start a block in use; else a report. */
size_t kmalloc_usable(const void *p, const char *function);

/* krealloc for any caller: @p is a block in use, @size is not 0. */
void *kmalloc_resize(void *p, size_t size, gfp_t gfp, const char *function);

/* The fast halves; the callers are the doors. false: take the slow path. */
static always_inline bool kmalloc_pop(size_t size, void **out)
{
	size_t header_offset;

	if (unlikely(size - 1 >= kmalloc_fast_limit))
		return false;
	header_offset = kmalloc_table[(size - 1) >> GRANULE_SHIFT];
	if (unlikely(!percpu_pop(header_offset, out)))
		return false;
	object_claim(map_id(header_offset)->states, *out);
	return true;
}

/* Is @p in a slab of the cache that serves @size? The usual answer for a sized delete. */
static always_inline bool kmalloc_is_class(const void *p, size_t size)
{
	size_t granule = object_granule(p);

	return size - 1 < kmalloc_fast_limit && granule < map.fast_granules &&
	       object_header_offset(granule) == kmalloc_table[(size - 1) >> GRANULE_SHIFT];
}

enum kmalloc_push {
	KMALLOC_PUSHED,   /* done */
	KMALLOC_RELEASED, /* its state is free, its array had no room: kmalloc_free_released */
	KMALLOC_UNKNOWN,  /* no object, or not started: kmalloc_free */
};

static always_inline enum kmalloc_push kmalloc_push(void *p)
{
	size_t granule = object_granule(p);
	size_t header_offset;

	if (unlikely(granule >= map.fast_granules))
		return KMALLOC_UNKNOWN;
	header_offset = object_header_offset(granule);
	if (unlikely(!object_release(map_id(header_offset)->states, p)))
		return KMALLOC_UNKNOWN;
	if (unlikely(!percpu_push(header_offset, p)))
		return KMALLOC_RELEASED;
	return KMALLOC_PUSHED;
}

/* LOCK mode's middle way: no sequences, but an array. false: take the slow path. */
static always_inline bool kmalloc_pop_lock(size_t size, void **out)
{
	size_t header_offset;

	if (!kmalloc_lock_pops || size - 1 >= CONFIG_KMALLOC_MAX_CACHE)
		return false;
	header_offset = kmalloc_table[(size - 1) >> GRANULE_SHIFT];
	if (!array_pop_lock(header_offset, out))
		return false;
	object_claim(map_id(header_offset)->states, *out);
	return true;
}

static always_inline enum kmalloc_push kmalloc_push_lock(void *p)
{
	size_t granule = object_granule(p);
	size_t header_offset;

	if (!kmalloc_lock_pushes || granule >= READ_ONCE(map.granules))
		return KMALLOC_UNKNOWN;
	header_offset = object_header_offset(granule);
	if (!object_release(map_id(header_offset)->states, p))
		return KMALLOC_UNKNOWN;
	if (!array_push_lock(header_offset, p))
		return KMALLOC_RELEASED;
	return KMALLOC_PUSHED;
}

#endif
