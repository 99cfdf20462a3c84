/* SPDX-License-Identifier: MIT */
/*
 * pool.h - objects of one size on 2 MiB pages, constructed each time they are handed out
 *
 * What    A pool cuts 2 MiB blocks into objects. Its constructor is run on an object when it is
 *         handed out, its destructor before it is free again, each with an argument of
 *         the call. Beside the pools that programs make there is a group of them for any size
 *         up to 1 MiB (pool_kmalloc). Where the system has pages of 2 MiB, a pool that has grown
 *         beyond its first block gets them.
 * When    Long-lived objects in great number that are walked or searched: they lie close together
 *         on few pages. For short-lived ones take a kmem_cache (slab.h): it has arrays per CPU,
 *         a pool has one lock.
 * Context Any thread; not signal handlers. Callbacks run without any lock and may use other pools
 *         and this one. After fork parent and child may go on with everything.
 * Errors  Functions that return int give 0 or the negative of an error named below. A pointer
 *         that is in no block of the pool is reported and refused. A second free, a pointer into
 *         the middle of an object, a pool that is none (NULL, one that was destroyed), NULL for
 *         a place or a function that must be given: reported, and the program ends.
 * Home    The libraries on slabs, and a kernel's; those on the slob engine have no pools.
 * Source  The slab allocator of DragonOS in C (2022); its names are kept, link names begin with
 *         ashlar_. docs/lineage.md says what is different, and why.
 */
#ifndef ASHLAR_POOL_H
#define ASHLAR_POOL_H

#include <stddef.h>

#include "ashlar/gfp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A pool: opaque. */
struct slab;

/* What an error of a function below is called; each function returns the negative. */
#define ESLAB_NOTNULL 101    /* slab_destroy: objects are in use */
#define ENOT_IN_SLAB 102     /* slab_free: the address is in no block of this pool */
#define ECANNOT_FREE_MEM 103 /* pool_kfree: nothing that the group has handed out */
#define ESLAB_NOMEM 104      /* memory is exhausted */
#define ESLAB_SIZE 105       /* the size is 0, or an object does not fit a block */
#define ESLAB_ALIGN 106      /* the alignment is not a power of two up to the block's */
#define ESLAB_FLAGS 107      /* unknown flags */
#define ESLAB_BUSY 108       /* somebody else has the lock, and this call does not wait */
#define ESLAB_ARGS 109       /* pool_create: args is NULL */

/* How the memory of a pool is backed. */
#define POOL_PAGES_AUTO 0u  /* 2 MiB pages once a second block is needed */
#define POOL_PAGES_HUGE 1u  /* from the first block on */
#define POOL_PAGES_SMALL 2u /* never */

/* Largest object of a pool and of the group, bytes; the group passes on what is larger. */
#define POOL_MAX_SIZE ((size_t)2 << 20)
#define POOL_KMALLOC_MAX ((size_t)1 << 20)

/* Gets the object's address and an argument. A constructor returns what the caller is to get:
 * the address or one that it makes of it; NULL: the object goes back and the call fails. What a
 * destructor returns is not looked at. */
typedef void *(*pool_callback)(void *object, unsigned long arg);

/* All that may be said of a new pool; what is 0 or NULL has its default. */
struct pool_args {
	const char *name;   /* for reports and figures, copied (31 characters); "pool-SIZE" */
	size_t size;        /* bytes of an object, 1 .. POOL_MAX_SIZE */
	size_t align;       /* power of two, at most 2 MiB (256 KiB in an arena below 32 MiB);
				default 8 */
	unsigned int flags; /* POOL_PAGES_x */
	unsigned long arg;  /* for callbacks where a call gives 0 */
	pool_callback ctor; /* run when an object is handed out */
	pool_callback dtor; /* run before it is free again */
};

/* Figures of a pool; exact when nobody uses it. */
struct pool_info {
	char name[32];
	size_t size;          /* bytes of an object, as asked for */
	size_t stride;        /* bytes from object to object */
	size_t block_objects; /* in one block of 2 MiB */
	size_t blocks;        /* at this moment */
	size_t blocks_grown;  /* got, ever */
	size_t blocks_given;  /* given back, ever */
	size_t objects_using; /* handed out, or in a callback */
	size_t objects_free;  /* in its blocks */
	size_t objects_peak;  /* most that were in use at one time */
};

/*
 * Make a pool of objects of @size bytes, rounded up to a multiple of 8 (at least 16; 32 with a
 * callback). Objects whose
 * rounded size is a power of two are aligned to it. Takes no block yet. NULL iff @size is 0 or
 * above POOL_MAX_SIZE (the reason is printed), or memory is exhausted.
 */
ASHLAR_API struct slab *ashlar_slab_create(unsigned long size, pool_callback ctor,
					   pool_callback dtor, unsigned long arg);

/* The same with a name, an alignment, flags, or NULL if @args is; *@error, if given, is 0 or says
 * why it is NULL. */
ASHLAR_API struct slab *ashlar_pool_create(const struct pool_args *args, int *error);

/*
 * Give a pool's memory back; the caller makes sure that nobody uses it. -ESLAB_NOTNULL, with
 * everything as it was, if objects are in use: their number and the first of them are reported.
 * NULL is ignored.
 */
ASHLAR_API int ashlar_slab_destroy(struct slab *pool);

/*
 * An object, or what the constructor returns for it; the one with the lowest address in its block.
 * NULL iff memory is exhausted or the constructor returns NULL. @arg, or the pool's if it is 0, is
 * given to the constructor. Cost: a lock, three words; without a free object a block from the
 * page allocator, got without the lock.
 */
ASHLAR_API void *ashlar_slab_malloc(struct slab *pool, unsigned long arg) __attribute__((malloc));

/* The same with flags: without __GFP_DIRECT_RECLAIM it neither waits for the pool's lock nor makes
 * system calls (NULL then); __GFP_ZERO zeroes the object before the constructor sees it;
 * __GFP_ACCOUNT charges nobody, as a block has objects of many; for DMA memory it is refused, and
 * that is told. */
ASHLAR_API void *ashlar_slab_malloc_gfp(struct slab *pool, unsigned long arg, ashlar_gfp_t gfp)
	__attribute__((malloc));

/*
 * Give an object back, by the address that its constructor was given. The destructor runs first.
 * A block that becomes empty goes back if the pool has free objects for two blocks. Cost: a lock,
 * three words, whatever the pool's size. NULL is ignored. -ENOT_IN_SLAB: no block of this pool.
 */
ASHLAR_API int ashlar_slab_free(struct slab *pool, void *object, unsigned long arg);

/* The same for who may not wait: -ESLAB_BUSY, with the object still in use, while somebody has
 * the pool's lock. Only for pools without a destructor. */
ASHLAR_API int ashlar_slab_free_try(struct slab *pool, void *object);

/* Give all empty blocks back. Returns bytes. The same is done when memory is exhausted. */
ASHLAR_API size_t ashlar_pool_shrink(struct slab *pool);

ASHLAR_API void ashlar_pool_info(struct slab *pool, struct pool_info *info);

/* Run @visit on each object in use, in no order, without a lock: the caller makes sure that objects
 * are not freed meanwhile. Stops and returns true when @visit does. */
ASHLAR_API int ashlar_pool_for_each(struct slab *pool, int (*visit)(void *object, void *data),
				    void *data);

/* "ENOT_IN_SLAB" for -ENOT_IN_SLAB or ENOT_IN_SLAB; "0"; "?" for what is none of these. */
ASHLAR_API const char *ashlar_pool_error(int error);

/* ---- the group ---------------------------------------------------------- */

/*
 * @size bytes from the pools of 16, 32, 48, 64, 96, 128, 192 ... 512 KiB and 1 MiB, two for each
 * doubling; of a size that is a power of two, aligned to it. What is larger is a block of pages.
 * ZERO_SIZE_PTR for 0; NULL iff memory is exhausted or @gfp asks for DMA memory, which a process
 * does not have.
 */
ASHLAR_API void *ashlar_pool_kmalloc(size_t size, ashlar_gfp_t gfp) __attribute__((malloc));
ASHLAR_API void *ashlar_pool_kzalloc(size_t size, ashlar_gfp_t gfp) __attribute__((malloc));

/* Give it back. NULL and ZERO_SIZE_PTR are ignored. -ECANNOT_FREE_MEM, and reported: it is not the
 * group's, or a block of pages that is free already. Blocks of pages in use are taken whoever got
 * them, this group or kmalloc. */
ASHLAR_API int ashlar_pool_kfree(const void *p);

/* Bytes that may be used at @p; 0 for NULL, ZERO_SIZE_PTR and what is not the group's. */
ASHLAR_API size_t ashlar_pool_ksize(const void *p);

/* Make all pools of the group now, without blocks, so that no later call does. 0, -ESLAB_NOMEM. */
ASHLAR_API int ashlar_slab_init(void);

#ifndef ASHLAR_NO_SHORT_NAMES
ASHLAR_API struct slab *slab_create(unsigned long size, pool_callback ctor, pool_callback dtor,
				    unsigned long arg) ASHLAR_LINK(ashlar_slab_create);
ASHLAR_API int slab_destroy(struct slab *pool) ASHLAR_LINK(ashlar_slab_destroy);
ASHLAR_API void *slab_malloc(struct slab *pool, unsigned long arg) ASHLAR_LINK(ashlar_slab_malloc)
	__attribute__((malloc));
ASHLAR_API void *slab_malloc_gfp(struct slab *pool, unsigned long arg, gfp_t gfp)
	ASHLAR_LINK(ashlar_slab_malloc_gfp) __attribute__((malloc));
ASHLAR_API int slab_free(struct slab *pool, void *object, unsigned long arg)
	ASHLAR_LINK(ashlar_slab_free);
ASHLAR_API int slab_free_try(struct slab *pool, void *object) ASHLAR_LINK(ashlar_slab_free_try);
ASHLAR_API int slab_init(void) ASHLAR_LINK(ashlar_slab_init);
ASHLAR_API struct slab *pool_create(const struct pool_args *args, int *error)
	ASHLAR_LINK(ashlar_pool_create);
ASHLAR_API size_t pool_shrink(struct slab *pool) ASHLAR_LINK(ashlar_pool_shrink);
ASHLAR_API void pool_info(struct slab *pool, struct pool_info *info) ASHLAR_LINK(ashlar_pool_info);
ASHLAR_API int pool_for_each(struct slab *pool, int (*visit)(void *object, void *data), void *data)
	ASHLAR_LINK(ashlar_pool_for_each);
ASHLAR_API const char *pool_error(int error) ASHLAR_LINK(ashlar_pool_error);
ASHLAR_API void *pool_kmalloc(size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_pool_kmalloc)
	__attribute__((malloc));
ASHLAR_API void *pool_kzalloc(size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_pool_kzalloc)
	__attribute__((malloc));
ASHLAR_API int pool_kfree(const void *p) ASHLAR_LINK(ashlar_pool_kfree);
ASHLAR_API size_t pool_ksize(const void *p) ASHLAR_LINK(ashlar_pool_ksize);
#endif

#ifdef __cplusplus
}
#endif

#endif
