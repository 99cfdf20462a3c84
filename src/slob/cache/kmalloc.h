/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h - kmalloc on slob, under the names of src/cache/kmalloc.h
 *
 * What    The slob build finds this header in that one's place. There is no fast half: those
 *         say "take the slow path" and vanish.
 * Rules   KM1 kmalloc: a power of two up to a page is aligned to its size; anything to BLOCK_ALIGN
 */
#ifndef ASHLAR_SLOB_KMALLOC_H
#define ASHLAR_SLOB_KMALLOC_H

#include "ashlar/slab.h"
#include "cache/block.h"
#include "cache/kmalloc_class.h"
#include "cache/report.h"

/* Any size but 0, for malloc: aligned to BLOCK_ALIGN. */
void *kmalloc_slow(size_t size, gfp_t gfp);

/* @size bytes aligned to @align, a power of two. */
void *kmalloc_aligned(size_t size, size_t align, gfp_t gfp);

/* KM1 */
static inline size_t kmalloc_natural(size_t size)
{
	bool natural = !(size & (size - 1)) && size <= PAGE_SIZE;

	return size_max(natural ? size : 1, BLOCK_ALIGN);
}

/* krealloc for any caller: @p is a block in use, @size is not 0. */
void *kmalloc_resize(void *p, size_t size, gfp_t gfp, const char *function);

static inline void kmalloc_free(void *p, const char *function)
{
	if (p)
		block_free(p, NULL, function);
}

static inline size_t kmalloc_usable(const void *p, const char *function)
{
	return block_usable(p, function);
}

static inline bool kmalloc_owns(const void *p)
{
	return block_is_used(p);
}

/* @size bytes of an object of @c, a size cache of a set (buckets.c). */
static inline void *kmalloc_from(struct kmem_cache *c, size_t size, gfp_t gfp)
{
	(void)size;
	return kmem_cache_alloc(c, gfp);
}

static inline bool map_contains(const void *p)
{
	return pages_zone(p) != NULL;
}

static inline bool map_spans(const void *p)
{
	return map_contains(p);
}

/* The size that a pointer of ashlar_kmalloc_caches stands for; 0: a cache. Firmware
 * is compiled with ASHLAR_SLOB and has no such pointers. */
static inline size_t kmalloc_class_of(const struct kmem_cache *c)
{
	return PORT_SLOB_STEP && (uintptr_t)c <= CONFIG_KMALLOC_MAX_CACHE ? (uintptr_t)c : 0;
}

/* What serves @size, as a size: who frees with a size asks how large the block should be. */
static inline struct kmem_cache *kmalloc_cache(size_t size, size_t align)
{
	size_t bytes = block_roundup(size_max(size, 1));

	if (!slob_fits(bytes, size_max(align, BLOCK_ALIGN), SLOB_HEADER_KMALLOC))
		bytes = size_align(size_max(size, 1), PAGE_SIZE); /* a run */
	return (struct kmem_cache *)bytes;
}

static inline size_t kmalloc_class_bytes(const struct kmem_cache *c)
{
	return (uintptr_t)c;
}

/* ---- the fast halves, which slob has not -------------------------------------------- */

enum kmalloc_push { KMALLOC_PUSHED, KMALLOC_RELEASED, KMALLOC_UNKNOWN };

static always_inline bool kmalloc_pop(size_t size, void **out)
{
	(void)size;
	(void)out;
	return false;
}

static always_inline bool kmalloc_pop_lock(size_t size, void **out)
{
	return kmalloc_pop(size, out);
}

static always_inline bool kmalloc_is_class(const void *p, size_t size)
{
	(void)p;
	(void)size;
	return false;
}

static always_inline enum kmalloc_push kmalloc_push(void *p)
{
	(void)p;
	return KMALLOC_UNKNOWN;
}

static always_inline enum kmalloc_push kmalloc_push_lock(void *p)
{
	return kmalloc_push(p);
}

static always_inline void kmalloc_free_released(void *p)
{
	(void)p; /* never pushed, never released */
}

#endif
