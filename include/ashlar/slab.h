/* SPDX-License-Identifier: MIT */
/*
 * slab.h - named object caches and kmalloc
 *
 * What    The kernel's slab interface under the kernel's names. All link names
 *         carry the prefix ashlar_, so that a program with its own kmalloc can
 *         use it beside this one; ASHLAR_NO_SHORT_NAMES hides the short names.
 * Context Any thread, any time, unless a function says otherwise; not signal
 *         handlers, but for kmalloc_nolock and kfree_nolock. After fork, parent
 *         and child may go on with everything.
 * Errors  Running out of memory gives NULL. A wrong pointer is reported and ends
 *         the program: it would have corrupted somebody's data.
 * Source  Linux Documentation/core-api/memory-allocation.rst; Bonwick, "The Slab
 *         Allocator: An Object-Caching Kernel Memory Allocator" (USENIX 1994)
 */
#ifndef ASHLAR_SLAB_H
#define ASHLAR_SLAB_H

#include <stdbool.h>
#include <stddef.h>

#include "ashlar/gfp.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kmem_cache;

/* Flags of kmem_cache_create. */
#define SLAB_CONSISTENCY_CHECKS 0x100u /* F: see ashlar/debug.h for these */
#define SLAB_RED_ZONE 0x400u           /* Z */
#define SLAB_POISON 0x800u             /* P */
#define SLAB_STORE_USER 0x10000u       /* U */
#define SLAB_TRACE 0x200000u           /* T */
#define SLAB_FAILSLAB 0x2000000u       /* A */
#define SLAB_NO_USER_FLAGS 0x10000000u /* slab_debug= does not concern this cache */
#define SLAB_DEBUG_FLAGS 0x12210d00u   /* all of these */
#define SLAB_HWCACHE_ALIGN 0x2000u     /* objects do not share cache lines without need */
#define SLAB_CACHE_DMA 0x4000u         /* slabs in DMA memory: refused where there is none */
#define SLAB_CACHE_DMA32 0x8000u       /* slabs in DMA or DMA32 memory: likewise */
#define SLAB_RECLAIM_ACCOUNT 0x20000u  /* a shrinker can free the objects */
#define SLAB_TEMPORARY SLAB_RECLAIM_ACCOUNT
#define SLAB_PANIC 0x40000u           /* failure to create the cache ends the program */
#define SLAB_TYPESAFE_BY_RCU 0x80000u /* pages stay for readers: see <ashlar/rcu.h> */
#define SLAB_ACCOUNT 0x4000000u       /* groups pay for the objects: see <ashlar/account.h> */
#define SLAB_NO_MERGE 0x40000000u /* never the same as another cache, whatever slab_merge says */

/* kmalloc(0) gives this: not NULL, of no use, and kfree ignores it. */
#define ZERO_SIZE_PTR ((void *)16)
#define ZERO_OR_NULL_PTR(p) ((size_t)(p) <= (size_t)ZERO_SIZE_PTR)

/* Largest kmalloc, bytes. */
#define KMALLOC_MAX_SIZE ((size_t)1 << (sizeof(size_t) > 4 ? 46 : 30))

/* ---- caches ------------------------------------------------------------ */

/*
 * Make a cache of objects of @size bytes, each aligned to @align (a power of two; 0: as the size
 * suggests). @ctor, or NULL, is run once on each object when its slab is made, and must not use
 * this cache; objects must be given back in constructed state. @name is copied (31 characters).
 * Returns NULL iff @name is NULL or empty, @size is 0 or above 4 MiB, @align is not a power of
 * two up to 4 MiB (2 MiB in an arena below 256 MiB), @flags are unknown or ask for memory that
 * this home does not have, or memory is exhausted; the reason is printed unless it is memory.
 * With SLAB_PANIC it ends the program instead. With the option slab_merge the cache may be an
 * alias of one that is alike: then both names stand for one cache until both are destroyed.
 */
ASHLAR_API struct kmem_cache *ashlar_kmem_cache_create(const char *name, unsigned int size,
						       unsigned int align, unsigned long flags,
						       void (*ctor)(void *));

/* What a cache may be asked for beside name, size and flags. Zeros mean nothing special. */
struct kmem_cache_args {
	unsigned int align;          /* bytes, a power of two; 0: as the size suggests */
	unsigned int useroffset;     /* where in an object the window for user copies begins */
	unsigned int usersize;       /* its length in bytes; 0: there is none */
	unsigned int freeptr_offset; /* checked, else unused: a free object holds nothing of ours */
	bool use_freeptr_offset;
	void (*ctor)(void *);        /* run on each object when its slab is made */
	unsigned int sheaf_capacity; /* most free objects in a CPU's array; 0: by the size */
};

/*
 * The same with these. @args may be NULL. Refused, beside the above: a window that is not inside
 * the object, an offset without a length, a free pointer outside the object or not aligned, a
 * capacity above 120.
 */
ASHLAR_API struct kmem_cache *ashlar_kmem_cache_create_args(const char *name, unsigned int size,
							    const struct kmem_cache_args *args,
							    unsigned long flags);

/* The same with a window of @usersize bytes at @useroffset that check_object_size lets through. */
ASHLAR_API struct kmem_cache *
ashlar_kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
				  unsigned long flags, unsigned int useroffset,
				  unsigned int usersize, void (*ctor)(void *));

/*
 * May @bytes at @p be copied to or from somebody who is not trusted? Objects of kmalloc and large
 * blocks: if all of it is inside one in use. Objects of caches: if it is inside the window that
 * the cache was created with. Memory that is not Ashlar's is not judged: yes. Cost: a few loads.
 */
ASHLAR_API bool ashlar_usercopy_allowed(const void *p, size_t bytes);

/* The same, but where the answer is no that is reported and the program ends. */
ASHLAR_API void ashlar_check_object_size(const void *p, size_t bytes, bool to_user);

/*
 * Give a cache's memory back. The caller makes sure that nobody uses it. If objects are still
 * in use this is reported, with their number and the first of them, and the cache stays. Of a
 * merged cache one user less is counted. NULL is ignored. A cache that was destroyed, or one of
 * kmalloc's, is reported; the first ends the program.
 */
ASHLAR_API void ashlar_kmem_cache_destroy(struct kmem_cache *cache);

/*
 * One object, or NULL iff memory is exhausted. @gfp matters only when no free object is at
 * hand. With __GFP_ZERO, which kmem_cache_zalloc adds, the object is zeroed; not one of a cache
 * with a constructor: that one is as its constructor, or whoever freed it, has left it.
 */
ASHLAR_API void *ashlar_kmem_cache_alloc(struct kmem_cache *cache, ashlar_gfp_t gfp)
	__attribute__((malloc));
ASHLAR_API void *ashlar_kmem_cache_zalloc(struct kmem_cache *cache, ashlar_gfp_t gfp)
	__attribute__((malloc));

/* The object on NUMA node @node if possible (-1: the caller's); with __GFP_THISNODE only there. */
ASHLAR_API void *ashlar_kmem_cache_alloc_node(struct kmem_cache *cache, ashlar_gfp_t gfp, int node)
	__attribute__((malloc));

/* Free an object of this cache. NULL is ignored; anything else is reported. */
ASHLAR_API void ashlar_kmem_cache_free(struct kmem_cache *cache, void *object);

/* @count objects at once: all (returns @count) or none (returns 0). */
ASHLAR_API int ashlar_kmem_cache_alloc_bulk(struct kmem_cache *cache, ashlar_gfp_t gfp,
					    size_t count, void **objects);

/* Free @count objects of @cache; with @cache NULL, of any caches and kmalloc. */
ASHLAR_API void ashlar_kmem_cache_free_bulk(struct kmem_cache *cache, size_t count, void **objects);

/* Give back every free slab. Returns 0 iff no slab is left, else 1. */
ASHLAR_API int ashlar_kmem_cache_shrink(struct kmem_cache *cache);

/* Bytes of an object, as given to create. */
ASHLAR_API unsigned int ashlar_kmem_cache_size(struct kmem_cache *cache);

/* ---- kmalloc ----------------------------------------------------------- */

/*
 * @size bytes, aligned to 16, and to @size where that is a power of two up to a page or the
 * block is served by a cache. NULL iff memory is exhausted; ZERO_SIZE_PTR for size 0.
 * __GFP_RECLAIMABLE and __GFP_ACCOUNT lead to size caches of their own (kmalloc-rcl-64,
 * kmalloc-cg-64), __GFP_DMA to dma-kmalloc-64, or NULL where there is no such memory;
 * __GFP_DMA32 always to NULL. These caches are made by the first request that may wait.
 */
ASHLAR_API void *ashlar_kmalloc(size_t size, ashlar_gfp_t gfp) __attribute__((malloc));
ASHLAR_API void *ashlar_kmalloc_node(size_t size, ashlar_gfp_t gfp, int node)
	__attribute__((malloc));
ASHLAR_API void *ashlar_kzalloc(size_t size, ashlar_gfp_t gfp) __attribute__((malloc));

/* @count * @size bytes; NULL also where the product overflows. kcalloc zeroes. */
ASHLAR_API void *ashlar_kmalloc_array(size_t count, size_t size, ashlar_gfp_t gfp)
	__attribute__((malloc));
ASHLAR_API void *ashlar_kcalloc(size_t count, size_t size, ashlar_gfp_t gfp)
	__attribute__((malloc));

/*
 * Change the size of a block, keeping the smaller of its contents; it may move. NULL @p is
 * kmalloc; size 0 frees and gives ZERO_SIZE_PTR. NULL iff memory is exhausted, or the product
 * overflows: then the old block stays as it is.
 */
ASHLAR_API void *ashlar_krealloc(const void *p, size_t size, ashlar_gfp_t gfp);
ASHLAR_API void *ashlar_krealloc_array(void *p, size_t count, size_t size, ashlar_gfp_t gfp);

/* Free what kmalloc or any cache gave. NULL and ZERO_SIZE_PTR are ignored. */
ASHLAR_API void ashlar_kfree(const void *p);

/*
 * kfree of a block that was asked for with @size bytes. Reported, before anything is freed, and the
 * program ends, iff @size is more than may be used at @p, or at most half of it and above 64 bytes
 * while kmalloc(@size) would give other blocks. With red zones: iff more than was asked for. What
 * kmalloc_nolock gave may be more: free it with what ksize says, or without a size. Cost: as kfree
 * and a look into a table, where kmalloc(@size) takes this class; else as ksize and kfree.
 */
ASHLAR_API void ashlar_kfree_sized(const void *p, size_t size);

/*
 * For any context: a signal handler, an interrupt or NMI (bare.h says how) that has interrupted
 * whoever holds the lock. Nothing is waited for; a lock is tried, and there is another way.
 *
 * kmalloc_nolock gives @size bytes, 16 to 32,768 of them usable at least; in place of a class that
 * has nothing at hand up to the double (ksize says what it is). @node is -1 or a NUMA node. Of
 * flags __GFP_ZERO, __GFP_HIGH, __GFP_THISNODE, __GFP_NOWARN and __GFP_NOMEMALLOC may be given;
 * others are refused, with the reason. NULL where nothing is at hand, above 32,768 bytes, and
 * before the first ordinary allocation of the program.
 *
 * kfree_nolock takes back what kmalloc_nolock, kmalloc of up to 32,768 bytes or a cache gave, and
 * cannot fail: where no lock can be had the object stays where it is, marked, and the next holder
 * of its node's lock puts it back. A second free is reported as ever. Larger blocks, and objects
 * that a group pays for, are reported, too, and end the program: kfree takes these back. It may
 * be called anywhere else as well; what kmalloc_nolock gave may be freed by kfree.
 *
 * Cost: as kmalloc and kfree while the CPU's array serves.
 */
ASHLAR_API void *ashlar_kmalloc_nolock(size_t size, ashlar_gfp_t gfp, int node)
	__attribute__((malloc));
ASHLAR_API void ashlar_kfree_nolock(const void *p);

/* The same as kfree, after overwriting the contents with zeros. */
ASHLAR_API void ashlar_kfree_sensitive(const void *p);

/* Bytes that may be used at @p; 0 for NULL and ZERO_SIZE_PTR. */
ASHLAR_API size_t ashlar_ksize(const void *p);

/* Bytes that kmalloc(@size) would really give: SIZE_MAX stays, 0 stays. */
ASHLAR_API size_t ashlar_kmalloc_size_roundup(size_t size);

/* ---- kvmalloc ---------------------------------------------------------- */

/*
 * @size bytes: as kmalloc if that succeeds without much effort, else, where @gfp may wait and
 * @size is above a page and at most 2 GiB, as a mapping of its own. Neither need be aligned to more
 * than 16 bytes. NULL iff both fail; ZERO_SIZE_PTR for size 0.
 */
ASHLAR_API void *ashlar_kvmalloc(size_t size, ashlar_gfp_t gfp) __attribute__((malloc));
ASHLAR_API void *ashlar_kvmalloc_node(size_t size, ashlar_gfp_t gfp, int node)
	__attribute__((malloc));
ASHLAR_API void *ashlar_kvzalloc(size_t size, ashlar_gfp_t gfp) __attribute__((malloc));

/* @count * @size bytes; NULL also where the product overflows. kvcalloc zeroes. */
ASHLAR_API void *ashlar_kvmalloc_array(size_t count, size_t size, ashlar_gfp_t gfp)
	__attribute__((malloc));
ASHLAR_API void *ashlar_kvcalloc(size_t count, size_t size, ashlar_gfp_t gfp)
	__attribute__((malloc));

/* krealloc for these. */
ASHLAR_API void *ashlar_kvrealloc(const void *p, size_t size, ashlar_gfp_t gfp);

/* Free what any of these or kmalloc gave; the second after overwriting @bytes of it with zeros. */
ASHLAR_API void ashlar_kvfree(const void *p);
ASHLAR_API void ashlar_kvfree_sensitive(const void *p, size_t bytes);

/* ---- buckets ----------------------------------------------------------- */

/*
 * A set of size caches of its own, @name-16 to @name-32k, for sizes that somebody who is not
 * trusted chooses: what he overflows or frees too early is never next to anything else. In each
 * object the window for user copies is @usersize bytes at @useroffset, as far as they are inside.
 * @name may have 26 characters. NULL iff it is refused as a cache is, with the reason, or memory or
 * ids (40 of them) are exhausted. May wait.
 */
struct kmem_buckets;
ASHLAR_API struct kmem_buckets *ashlar_kmem_buckets_create(const char *name, unsigned long flags,
							   unsigned int useroffset,
							   unsigned int usersize,
							   void (*ctor)(void *));

/* Destroy all of them, or, if one has objects in use, report that and destroy none of the set. */
ASHLAR_API void ashlar_kmem_buckets_destroy(struct kmem_buckets *buckets);

/* kmalloc and kvmalloc out of a set; without @buckets, or above 32 KiB, the same as these. */
ASHLAR_API void *ashlar_kmem_buckets_alloc(struct kmem_buckets *buckets, size_t size,
					   ashlar_gfp_t gfp) __attribute__((malloc));
ASHLAR_API void *ashlar_kmem_buckets_valloc(struct kmem_buckets *buckets, size_t size,
					    ashlar_gfp_t gfp) __attribute__((malloc));

/* ---- how much is kept at hand -------------------------------------------- */

/*
 * Set how many objects each CPU's array of a cache holds at most, 1 to 120, how many leave or
 * come at a time, 1 to @limit, and how many such batches the node's shared array holds, which has
 * room for 512 objects. What is too much goes to the slabs. Returns 0; -EINVAL (-22), with nothing
 * changed, for other values and for a cache without arrays (debugged); -EBUSY (-16) if a CPU could
 * not be stopped: it keeps its old limit.
 */
ASHLAR_API int ashlar_kmem_cache_tune(struct kmem_cache *cache, unsigned int limit,
				      unsigned int batchcount, unsigned int shared);

/*
 * The same in the form that Linux's /proc/slabinfo takes: "name limit batchcount shared". Returns
 * @bytes; -EINVAL (-22) if there are more than 128 of them, it cannot be read, or there is no such
 * cache. The name is as `ashlar info --slabinfo` shows it, with '_' for a blank. As in Linux
 * numbers that make no sense change nothing and are no error; a limit above 120 becomes 120.
 */
ASHLAR_API long ashlar_slabinfo_write(const char *text, size_t bytes);

/*
 * A tick of the reaper: of each cache, a fifth of what no CPU has touched since the last tick goes
 * back. It also comes by itself, for one cache in turn, when slabs are made (option reap=). Any
 * thread.
 */
ASHLAR_API void ashlar_kmem_cache_reap(void);

/* ---- pressure ---------------------------------------------------------- */

/*
 * A shrinker gives memory back when an allocation would fail otherwise. @count tells how many
 * objects could go; @scan frees up to @n and returns how many it freed. Both run without any
 * of Ashlar's locks, in the thread that allocates, and only if its gfp has all bits of @needs,
 * as __GFP_IO, __GFP_FS (0: __GFP_FS), or __GFP_DIRECT_RECLAIM, which all have that wait; in one
 * thread at a time, and not again for what @scan allocates. Unregistering waits until none
 * runs: not from @count or @scan. Both return: a thread that ends in one, or a longjmp out of it,
 * leaves all shrinkers unasked from then on, and who unregisters one waiting.
 */
struct shrinker {
	size_t (*count)(struct shrinker *s, ashlar_gfp_t gfp);
	size_t (*scan)(struct shrinker *s, ashlar_gfp_t gfp, size_t n);
	struct shrinker *next; /* Ashlar's */
	ashlar_gfp_t needs;    /* what an allocation must permit for it */
};
ASHLAR_API void ashlar_register_shrinker(struct shrinker *s);
ASHLAR_API void ashlar_unregister_shrinker(struct shrinker *s);

/* Give everything that is not in use back to the system, from any thread. Returns bytes. */
ASHLAR_API size_t ashlar_purge(void);

/* Prove all rules of all floors; the caller sees to it that nothing else allocates. Returns
 * the number of faults found. */
ASHLAR_API size_t ashlar_audit(void);

/* What kmalloc of a constant size becomes: its cache is known; @size is for debugging. */
ASHLAR_API void *ashlar_kmalloc_constant(struct kmem_cache *cache, ashlar_gfp_t gfp, size_t size)
	__attribute__((malloc));

/* The size caches, by class; for constant sizes. */
ASHLAR_API extern struct kmem_cache *ashlar_kmalloc_caches[];

#ifndef ASHLAR_NO_SHORT_NAMES

#define KMEM_CACHE(type, flags)                                            \
	ashlar_kmem_cache_create(#type, (unsigned int)sizeof(struct type), \
				 (unsigned int)__alignof__(struct type), (flags), NULL)

/* The same with a window for user copies: the bytes of @field. */
#define KMEM_CACHE_USERCOPY(type, flags, field)                                                 \
	ashlar_kmem_cache_create_usercopy(#type, (unsigned int)sizeof(struct type),             \
					  (unsigned int)__alignof__(struct type), (flags),      \
					  (unsigned int)__builtin_offsetof(struct type, field), \
					  (unsigned int)sizeof(((struct type *)0)->field), NULL)

ASHLAR_API struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
						unsigned int align, unsigned long flags,
						void (*ctor)(void *))
	ASHLAR_LINK(ashlar_kmem_cache_create);
ASHLAR_API struct kmem_cache *kmem_cache_create_args(const char *name, unsigned int size,
						     const struct kmem_cache_args *args,
						     unsigned long flags)
	ASHLAR_LINK(ashlar_kmem_cache_create_args);
ASHLAR_API struct kmem_cache *
kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
			   unsigned long flags, unsigned int useroffset, unsigned int usersize,
			   void (*ctor)(void *)) ASHLAR_LINK(ashlar_kmem_cache_create_usercopy);
ASHLAR_API void check_object_size(const void *p, size_t bytes, bool to_user)
	ASHLAR_LINK(ashlar_check_object_size);
ASHLAR_API void kmem_cache_destroy(struct kmem_cache *cache) ASHLAR_LINK(ashlar_kmem_cache_destroy);
ASHLAR_API void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
	ASHLAR_LINK(ashlar_kmem_cache_alloc) __attribute__((malloc));
ASHLAR_API void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
	ASHLAR_LINK(ashlar_kmem_cache_zalloc) __attribute__((malloc));
ASHLAR_API void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int node)
	ASHLAR_LINK(ashlar_kmem_cache_alloc_node) __attribute__((malloc));
ASHLAR_API void kmem_cache_free(struct kmem_cache *cache, void *object)
	ASHLAR_LINK(ashlar_kmem_cache_free);
ASHLAR_API int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t count,
				     void **objects) ASHLAR_LINK(ashlar_kmem_cache_alloc_bulk);
ASHLAR_API void kmem_cache_free_bulk(struct kmem_cache *cache, size_t count, void **objects)
	ASHLAR_LINK(ashlar_kmem_cache_free_bulk);
ASHLAR_API int kmem_cache_shrink(struct kmem_cache *cache) ASHLAR_LINK(ashlar_kmem_cache_shrink);
ASHLAR_API int kmem_cache_tune(struct kmem_cache *cache, unsigned int limit,
			       unsigned int batchcount, unsigned int shared)
	ASHLAR_LINK(ashlar_kmem_cache_tune);
ASHLAR_API void kmem_cache_reap(void) ASHLAR_LINK(ashlar_kmem_cache_reap);
ASHLAR_API unsigned int kmem_cache_size(struct kmem_cache *cache)
	ASHLAR_LINK(ashlar_kmem_cache_size);
ASHLAR_API void *kmalloc_node(size_t size, gfp_t gfp, int node) ASHLAR_LINK(ashlar_kmalloc_node)
	__attribute__((malloc));
ASHLAR_API void *kzalloc(size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_kzalloc)
	__attribute__((malloc));
ASHLAR_API void *kmalloc_array(size_t count, size_t size, gfp_t gfp)
	ASHLAR_LINK(ashlar_kmalloc_array) __attribute__((malloc));
ASHLAR_API void *kcalloc(size_t count, size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_kcalloc)
	__attribute__((malloc));
ASHLAR_API void *krealloc(const void *p, size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_krealloc);
ASHLAR_API void *krealloc_array(void *p, size_t count, size_t size, gfp_t gfp)
	ASHLAR_LINK(ashlar_krealloc_array);
ASHLAR_API void kfree(const void *p) ASHLAR_LINK(ashlar_kfree);
ASHLAR_API void kfree_sized(const void *p, size_t size) ASHLAR_LINK(ashlar_kfree_sized);
ASHLAR_API void *kmalloc_nolock(size_t size, gfp_t gfp, int node) ASHLAR_LINK(ashlar_kmalloc_nolock)
	__attribute__((malloc));
ASHLAR_API void kfree_nolock(const void *p) ASHLAR_LINK(ashlar_kfree_nolock);
ASHLAR_API void kfree_sensitive(const void *p) ASHLAR_LINK(ashlar_kfree_sensitive);
ASHLAR_API size_t ksize(const void *p) ASHLAR_LINK(ashlar_ksize);
ASHLAR_API size_t kmalloc_size_roundup(size_t size) ASHLAR_LINK(ashlar_kmalloc_size_roundup);
ASHLAR_API void *kvmalloc(size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_kvmalloc)
	__attribute__((malloc));
ASHLAR_API void *kvmalloc_node(size_t size, gfp_t gfp, int node) ASHLAR_LINK(ashlar_kvmalloc_node)
	__attribute__((malloc));
ASHLAR_API void *kvzalloc(size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_kvzalloc)
	__attribute__((malloc));
ASHLAR_API void *kvmalloc_array(size_t count, size_t size, gfp_t gfp)
	ASHLAR_LINK(ashlar_kvmalloc_array) __attribute__((malloc));
ASHLAR_API void *kvcalloc(size_t count, size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_kvcalloc)
	__attribute__((malloc));
ASHLAR_API void *kvrealloc(const void *p, size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_kvrealloc);
ASHLAR_API void kvfree(const void *p) ASHLAR_LINK(ashlar_kvfree);
ASHLAR_API void kvfree_sensitive(const void *p, size_t bytes) ASHLAR_LINK(ashlar_kvfree_sensitive);
typedef struct kmem_buckets kmem_buckets;
ASHLAR_API kmem_buckets *kmem_buckets_create(const char *name, unsigned long flags,
					     unsigned int useroffset, unsigned int usersize,
					     void (*ctor)(void *))
	ASHLAR_LINK(ashlar_kmem_buckets_create);
ASHLAR_API void kmem_buckets_destroy(kmem_buckets *buckets)
	ASHLAR_LINK(ashlar_kmem_buckets_destroy);
ASHLAR_API void *kmem_buckets_alloc(kmem_buckets *buckets, size_t size, gfp_t gfp)
	ASHLAR_LINK(ashlar_kmem_buckets_alloc) __attribute__((malloc));
ASHLAR_API void *kmem_buckets_valloc(kmem_buckets *buckets, size_t size, gfp_t gfp)
	ASHLAR_LINK(ashlar_kmem_buckets_valloc) __attribute__((malloc));
ASHLAR_API void register_shrinker(struct shrinker *s) ASHLAR_LINK(ashlar_register_shrinker);
ASHLAR_API void unregister_shrinker(struct shrinker *s) ASHLAR_LINK(ashlar_unregister_shrinker);

/* Class of a constant size of 1 .. 32768: 16-byte steps to 128, then four per doubling, eight from
 * 1 to 8 KiB. */
static inline __attribute__((__always_inline__)) unsigned ashlar_kmalloc_class(size_t size)
{
	unsigned top;

	if (size <= 128)
		return (unsigned)((size + 15) / 16) - 1;
	top = 63u - (unsigned)__builtin_clzll((unsigned long long)size - 1);
	if (top >= 10 && top < 13)
		return 20 + (top - 10) * 8 + (unsigned)(((size - 1) >> (top - 3)) & 7);
	return (top < 10 ? 8 : 20) + (top - 7) * 4 + (unsigned)(((size - 1) >> (top - 2)) & 3);
}

/* 1: this program is linked with the slob library, which has no size caches to find. */
#ifndef ASHLAR_SLOB
#define ASHLAR_SLOB 0
#endif

/* kmalloc: a constant size finds its cache while compiling. */
static inline __attribute__((__always_inline__)) void *kmalloc(size_t size, gfp_t gfp)
{
	if (!ASHLAR_SLOB && __builtin_constant_p(size) && size != 0 && size <= 32768 &&
	    !(gfp & ASHLAR_GFP_TYPES))
		return ashlar_kmalloc_constant(ashlar_kmalloc_caches[ashlar_kmalloc_class(size)],
					       gfp, size);
	return ashlar_kmalloc(size, gfp);
}

/* Bytes of a structure with @count elements of @each bytes behind it; SIZE_MAX: too many. */
static inline size_t ashlar_flex_bytes(size_t base, size_t each, size_t count)
{
	size_t bytes;

	return __builtin_mul_overflow(each, count, &bytes) ||
			       __builtin_add_overflow(bytes, base, &bytes) ?
		       (size_t)-1 :
		       bytes;
}

/*
 * Memory for what is named, and a pointer of its type:
 *   kmalloc_obj(X)             one X; X is a type, or a variable, of which only the type is used
 *   kmalloc_objs(X, n)         an array of n
 *   kmalloc_flex(X, member, n) one X whose last member is an array that shall have n elements
 * A last argument is the gfp, else GFP_KERNEL. NULL also where the size overflows. kzalloc_obj and
 * so on give zeros, kvmalloc_obj and kvzalloc_obj are kvmalloc's.
 */
#define kmalloc_obj(...) ASHLAR_OBJ_(ashlar_kmalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kzalloc_obj(...) ASHLAR_OBJ_(ashlar_kzalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kvmalloc_obj(...) ASHLAR_OBJ_(ashlar_kvmalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kvzalloc_obj(...) ASHLAR_OBJ_(ashlar_kvzalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kmalloc_objs(x, ...) ASHLAR_OBJS_(ashlar_kmalloc_array, x, __VA_ARGS__, GFP_KERNEL, 0)
#define kzalloc_objs(x, ...) ASHLAR_OBJS_(ashlar_kcalloc, x, __VA_ARGS__, GFP_KERNEL, 0)
#define kvmalloc_objs(x, ...) ASHLAR_OBJS_(ashlar_kvmalloc_array, x, __VA_ARGS__, GFP_KERNEL, 0)
#define kvzalloc_objs(x, ...) ASHLAR_OBJS_(ashlar_kvcalloc, x, __VA_ARGS__, GFP_KERNEL, 0)
#define kmalloc_flex(x, member, ...) \
	ASHLAR_FLEX_(ashlar_kmalloc, x, member, __VA_ARGS__, GFP_KERNEL, 0)
#define kzalloc_flex(x, member, ...) \
	ASHLAR_FLEX_(ashlar_kzalloc, x, member, __VA_ARGS__, GFP_KERNEL, 0)
#define kvmalloc_flex(x, member, ...) \
	ASHLAR_FLEX_(ashlar_kvmalloc, x, member, __VA_ARGS__, GFP_KERNEL, 0)
#define kvzalloc_flex(x, member, ...) \
	ASHLAR_FLEX_(ashlar_kvzalloc, x, member, __VA_ARGS__, GFP_KERNEL, 0)

#define ASHLAR_OBJ_(function, x, gfp, ...) ((__typeof__(x) *)function(sizeof(__typeof__(x)), gfp))
#define ASHLAR_OBJS_(function, x, count, gfp, ...) \
	((__typeof__(x) *)function((count), sizeof(__typeof__(x)), gfp))
#define ASHLAR_FLEX_(function, x, member, count, gfp, ...)                                    \
	((__typeof__(x) *)function(ashlar_flex_bytes(sizeof(__typeof__(x)),                   \
						     sizeof(((__typeof__(x) *)0)->member[0]), \
						     (count)),                                \
				   gfp))

#endif

#ifdef __cplusplus
}
#endif

#endif
