/* SPDX-License-Identifier: MIT */
/*
 * mempool.h - elements that are kept for bad times, and objects that are had beforehand
 *
 * What    A mempool keeps a number of elements; while memory is short, who may wait gets one as
 *         soon as somebody gives one back, so that work in progress can always be finished. A
 *         sheaf holds objects of one cache that were allocated beforehand: taking them out
 *         cannot fail and never waits, for sections that must not be interrupted.
 * Context Any thread; not signal handlers. mempool_alloc sleeps only if its gfp permits.
 * Source  Linux include/linux/mempool.h, and include/linux/slab.h for sheaves
 */
#ifndef ASHLAR_MEMPOOL_H
#define ASHLAR_MEMPOOL_H

#include "ashlar/slab.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pools ------------------------------------------------------------- */

struct ashlar_mempool;

/* How a pool gets and gives back one element; @data is the pool's. */
typedef void *ashlar_mempool_alloc_t(ashlar_gfp_t gfp, void *data);
typedef void ashlar_mempool_free_t(void *element, void *data);

/*
 * A pool that keeps @min elements (1 or more), which are allocated now. NULL iff @min is not
 * positive or a function is missing, which is printed, or memory is exhausted.
 */
ASHLAR_API struct ashlar_mempool *ashlar_mempool_create(int min, ashlar_mempool_alloc_t *alloc,
							ashlar_mempool_free_t *free, void *data);

/* The usual functions, by name or with their pool: objects of a cache (@data), kmalloc of a size
 * (@data, as a number), blocks of 2^order pages (@data: the order; elements are struct page). */
ASHLAR_API void *ashlar_mempool_alloc_slab(ashlar_gfp_t gfp, void *data);
ASHLAR_API void ashlar_mempool_free_slab(void *element, void *data);
ASHLAR_API void *ashlar_mempool_kmalloc(ashlar_gfp_t gfp, void *data);
ASHLAR_API void ashlar_mempool_kfree(void *element, void *data);
ASHLAR_API void *ashlar_mempool_alloc_pages(ashlar_gfp_t gfp, void *data);
ASHLAR_API void ashlar_mempool_free_pages(void *element, void *data);

ASHLAR_API struct ashlar_mempool *ashlar_mempool_create_slab_pool(int min,
								  struct kmem_cache *cache);
ASHLAR_API struct ashlar_mempool *ashlar_mempool_create_kmalloc_pool(int min, size_t size);
ASHLAR_API struct ashlar_mempool *ashlar_mempool_create_page_pool(int min, int order);

/*
 * One element: from the allocator without reclaim, else out of the pool, else from the allocator
 * with all that @gfp permits, else, if it may wait, the next one that is given back. NULL iff @gfp
 * may not wait and there is none (or a thread was stopped while it had the pool's lock),
 * or asks for __GFP_ZERO, which is refused and printed: what comes out of the pool was used.
 */
ASHLAR_API void *ashlar_mempool_alloc(struct ashlar_mempool *pool, ashlar_gfp_t gfp);

/* Only out of the pool; NULL iff it is empty, or a thread was stopped while it had the pool's lock.
 * Never waits. */
ASHLAR_API void *ashlar_mempool_alloc_preallocated(struct ashlar_mempool *pool);

/* Give an element back: into the pool if it is not full, else to the allocator. NULL is ignored. */
ASHLAR_API void ashlar_mempool_free(void *element, struct ashlar_mempool *pool);

/* Keep @min elements from now on. Returns 0, or -ENOMEM (-12): then it keeps at least as many as
 * before, or -EINVAL (-22) if @min is not positive. Not by two threads at the same time. */
ASHLAR_API int ashlar_mempool_resize(struct ashlar_mempool *pool, int min);

/* Give all back. Elements that are in use then are the allocator's: mempool_free is not for them
 * any more. Nobody may use the pool or wait for it. NULL is ignored. */
ASHLAR_API void ashlar_mempool_destroy(struct ashlar_mempool *pool);

/* Elements that it keeps, and how many of them are there at this moment. */
ASHLAR_API int ashlar_mempool_min(const struct ashlar_mempool *pool);
ASHLAR_API int ashlar_mempool_available(const struct ashlar_mempool *pool);

/* ---- sheaves ----------------------------------------------------------- */

struct slab_sheaf;

/* @count objects of @cache, kept together. NULL iff memory is exhausted, or @count is 0. */
ASHLAR_API struct slab_sheaf *ashlar_kmem_cache_prefill_sheaf(struct kmem_cache *cache,
							      ashlar_gfp_t gfp, unsigned int count);

/* One of them; of @gfp only __GFP_ZERO counts. NULL iff the sheaf is empty. Makes no call. A sheaf
 * of another cache is reported and ends the program, here and below. */
ASHLAR_API void *ashlar_kmem_cache_alloc_from_sheaf(struct kmem_cache *cache, ashlar_gfp_t gfp,
						    struct slab_sheaf *sheaf);

/* See to it that *@sheaf has at least @count objects; it may become another sheaf. Returns 0, or
 * -ENOMEM (-12): then it is as it was. */
ASHLAR_API int ashlar_kmem_cache_refill_sheaf(struct kmem_cache *cache, ashlar_gfp_t gfp,
					      struct slab_sheaf **sheaf, unsigned int count);

/* Free the sheaf and what is left in it. */
ASHLAR_API void ashlar_kmem_cache_return_sheaf(struct kmem_cache *cache, ashlar_gfp_t gfp,
					       struct slab_sheaf *sheaf);

/* Objects that are left in it. */
ASHLAR_API unsigned int ashlar_kmem_cache_sheaf_size(const struct slab_sheaf *sheaf);

#ifndef ASHLAR_NO_SHORT_NAMES

typedef struct ashlar_mempool mempool_t;
typedef ashlar_mempool_alloc_t mempool_alloc_t;
typedef ashlar_mempool_free_t mempool_free_t;

ASHLAR_API mempool_t *mempool_create(int min, mempool_alloc_t *alloc, mempool_free_t *free,
				     void *data) ASHLAR_LINK(ashlar_mempool_create);
ASHLAR_API void *mempool_alloc_slab(gfp_t gfp, void *data) ASHLAR_LINK(ashlar_mempool_alloc_slab);
ASHLAR_API void mempool_free_slab(void *element, void *data) ASHLAR_LINK(ashlar_mempool_free_slab);
ASHLAR_API void *mempool_kmalloc(gfp_t gfp, void *data) ASHLAR_LINK(ashlar_mempool_kmalloc);
ASHLAR_API void mempool_kfree(void *element, void *data) ASHLAR_LINK(ashlar_mempool_kfree);
ASHLAR_API void *mempool_alloc_pages(gfp_t gfp, void *data) ASHLAR_LINK(ashlar_mempool_alloc_pages);
ASHLAR_API void mempool_free_pages(void *element, void *data)
	ASHLAR_LINK(ashlar_mempool_free_pages);
ASHLAR_API mempool_t *mempool_create_slab_pool(int min, struct kmem_cache *cache)
	ASHLAR_LINK(ashlar_mempool_create_slab_pool);
ASHLAR_API mempool_t *mempool_create_kmalloc_pool(int min, size_t size)
	ASHLAR_LINK(ashlar_mempool_create_kmalloc_pool);
ASHLAR_API mempool_t *mempool_create_page_pool(int min, int order)
	ASHLAR_LINK(ashlar_mempool_create_page_pool);
ASHLAR_API void *mempool_alloc(mempool_t *pool, gfp_t gfp) ASHLAR_LINK(ashlar_mempool_alloc);
ASHLAR_API void *mempool_alloc_preallocated(mempool_t *pool)
	ASHLAR_LINK(ashlar_mempool_alloc_preallocated);
ASHLAR_API void mempool_free(void *element, mempool_t *pool) ASHLAR_LINK(ashlar_mempool_free);
ASHLAR_API int mempool_resize(mempool_t *pool, int min) ASHLAR_LINK(ashlar_mempool_resize);
ASHLAR_API void mempool_destroy(mempool_t *pool) ASHLAR_LINK(ashlar_mempool_destroy);

ASHLAR_API struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *cache, gfp_t gfp,
						       unsigned int count)
	ASHLAR_LINK(ashlar_kmem_cache_prefill_sheaf);
ASHLAR_API void *kmem_cache_alloc_from_sheaf(struct kmem_cache *cache, gfp_t gfp,
					     struct slab_sheaf *sheaf)
	ASHLAR_LINK(ashlar_kmem_cache_alloc_from_sheaf);
ASHLAR_API int kmem_cache_refill_sheaf(struct kmem_cache *cache, gfp_t gfp,
				       struct slab_sheaf **sheaf, unsigned int count)
	ASHLAR_LINK(ashlar_kmem_cache_refill_sheaf);
ASHLAR_API void kmem_cache_return_sheaf(struct kmem_cache *cache, gfp_t gfp,
					struct slab_sheaf *sheaf)
	ASHLAR_LINK(ashlar_kmem_cache_return_sheaf);
ASHLAR_API unsigned int kmem_cache_sheaf_size(const struct slab_sheaf *sheaf)
	ASHLAR_LINK(ashlar_kmem_cache_sheaf_size);

#endif

#ifdef __cplusplus
}
#endif

#endif
