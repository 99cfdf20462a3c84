/* SPDX-License-Identifier: MIT */
/*
 * cache.h - floor 4: named objects, arrays in front of slabs, policy
 *
 * What    A kmem_cache is all objects of one kind. Its objects wait in three
 *         places, tried in this order and filled in the same:
 *
 *           array_cache of the CPU   no lock, newest first        array.c
 *           shared array of the node the node's lock, in batches  engine/slab.c
 *           slabs                    the node's lock, in batches  engine/slab.c
 *
 *         This floor alone decides to reclaim and retry (reclaim.c).
 *         On a machine with several NUMA nodes a cache has a kmem_cache_node on each. A
 *         CPU's array for another node is an alien array: objects that were freed here wait
 *         in it to go home in a batch, and nobody allocates from it.
 * Nouns   cache   all objects of one kind
 *         id      index of (cache, node) in every CPU's headers; header_offset is id * 16. A
 *                 cache's ids follow each other, its own header_offset is that on node 0
 *         large   a kmalloc served by pages (large.c)
 * States  an object's state byte (page/map.h): free -> in use on alloc, back on free; both
 *         are checked first, so that no object ever has two owners
 * Rules   K1  an id is given to one cache until all its arrays are empty
 *         K2  a cache is on the list of caches from create to destroy
 *         K3  who looks at caches that are not his visits them; destroy waits until all
 *             visitors have left, and so finds every free object in its slab
 *         K4  a merged cache is one cache with several names: it goes with the last of them
 *         K5  an object lies on the node whose id its page has, comes from the CPU's own node if
 *             there is one there or can be, and goes back to the node it came from
 *         K6  a descriptor is held while its cache lives (hold.h): no free takes it by mistake
 * Locks   array_lock, cache_lock, node->lock, large_lock: one at a time; fork takes all
 */
#ifndef ASHLAR_CACHE_CACHE_H
#define ASHLAR_CACHE_CACHE_H

#include "ashlar/slab.h"
#include "cache/debug.h"
#include "engine/engine.h"
#include "page/node.h"

#define CACHE_NAME_MAX 32u

/* Of kmalloc: nobody else's to merge with or to destroy. */
#define SLAB_LETTER_A 0x2u /* has letter A by slab_debug= */
#define SLAB_KMALLOC 0x1000u

/* A further name of a merged cache. */
struct cache_alias {
	struct list link; /* of its cache, cache_lock */
	char name[CACHE_NAME_MAX];
};

/* Calls, counted with stats=1; atomic. */
struct cache_counts {
	u64 alloc_hit;  /* an object was in the CPU's array */
	u64 alloc_miss; /* it had to be refilled */
	u64 free_hit;   /* there was room in the array */
	u64 free_miss;  /* it had to be flushed */
	u64 errors;     /* allocations that found no memory; always counted */
	u64 far_allocs; /* objects of another node than the CPU's */
	u64 far_frees;  /* the same */
	u64 overflows;  /* an alien array was full, and went home */
	u32 on;         /* 1: stats=1 */
	u32 guarded;    /* atomic: objects in slots of their own (guard.h) */
};

static inline void cache_count(u64 *counter, size_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

struct kmem_cache {
	u32 pop_offset;    /* where kmem_cache_alloc's fast path looks: header_offset, or 0, where
			    * there never is an object (gate.h); first: the fast path reads it */
	u32 header_offset; /* id * 16 */
	uintptr_t states;  /* where its objects' states lie (map.h); the fast path reads it, too */
	u32 object_size;   /* bytes, as asked for */
	u16 limit;         /* most objects in a CPU's array */
	u16 batchcount;    /* objects that a refill or flush moves */
	u16 shared_factor; /* the shared array holds this many batches */
	bool closed;       /* cache_lock: it is being destroyed, no more visits */
	u32 flags;         /* SLAB_* */
	u32 align;         /* bytes */
	u32 refcount;      /* cache_lock: creates that gave this cache, less destroys (K4) */
	u32 useroffset;    /* where the window for user copies begins, bytes */
	u32 usersize;      /* its length; 0: there is none */
	gfp_t allocflags;  /* joined with every request for pages */
	u32 visitors;      /* atomic, up under cache_lock (K3) */
	void (*ctor)(void *);
	struct kmem_cache_node *node; /* slabs and shared arrays, an array by NUMA node */
	struct shape shape;
	struct debug debug;
	u32 constructing; /* atomic: number of a thread that runs ctor; 0: none, or not known */
	struct cache_counts counts;
	struct list link;    /* cache_lock: all caches, oldest first */
	struct list aliases; /* cache_lock: further names of a merged cache, newest first */
	char name[CACHE_NAME_MAX];
};

/* Every cache, in order of creation; guarded by life.c's lock. */
extern struct list cache_list internal_data;

/* What an id stands for; NULL for ids that are free. */
static inline struct kmem_cache_node *cache_node_at(u32 header_offset)
{
	return map_id(header_offset)->node;
}

/* Is it a node of this cache? Nothing is looked into. */
static inline bool cache_has_node(const struct kmem_cache *c, const void *node)
{
	for (unsigned i = 0; i < node_table.count; i++)
		if (node == &c->node[i])
			return true;
	return false;
}

/* Every id that a cache has, or ever had, is below; 0 before there is any. */
u32 cache_ids_end(void);

/* The node of a cache that may be destroyed meanwhile: it stays until cache_leave. NULL iff the
 * id is free or its cache is going away. */
struct kmem_cache_node *cache_visit(u32 id);
void cache_leave(struct kmem_cache_node *n);

/* The same of every node that has slabs: its bit in @ids, of CONFIG_MAX_IDS bits, is set. */
void cache_visit_all(u64 *ids);

/* fork's child: visitors, and those who construct or were about to free, were other threads. */
void cache_forget(void);

/* Caches that exist before any other: of struct kmem_cache and of struct kmem_cache_node. */
bool cache_boot(void);
void cache_boot_end(void); /* from now on batches are as long as for any cache (C4) */

/* Make a cache without checks. NULL iff memory or ids are exhausted. */
struct kmem_cache *cache_make(const char *name, size_t size, size_t align, u32 flags,
			      void (*ctor)(void *));
struct kmem_cache *cache_make_with(const char *name, size_t size, u32 flags,
				   const struct kmem_cache_args *args, gfp_t gfp);

/* Alignment: what is asked, the cache line for SLAB_HWCACHE_ALIGN (halved while two objects fit
 * into half a line), at least a granule. */
size_t cache_align(size_t size, size_t align, u32 flags);

/* The newest cache for which @alike(it, @want) holds counts one user more, has objects of at least
 * @size bytes, and is known by @alias, too (K4). NULL iff there is none. */
struct kmem_cache *cache_join(bool (*alike)(const struct kmem_cache *c, const void *want),
			      const void *want, size_t size, struct cache_alias *alias);

/* The end of a cache that nobody uses, without a look at who wants it. false, with the reason
 * printed and the cache as it was, iff it has objects in use or the CPUs cannot be stopped. */
bool cache_unmake(struct kmem_cache *c);

/* May memory of free objects inside used slabs go back? Not if it holds what somebody made, or
 * readers may look at. */
static inline bool cache_may_discard(const struct kmem_cache *c)
{
	return !c->ctor && !c->debug.slow && !(c->flags & SLAB_TYPESAFE_BY_RCU);
}

/* Does @c point to a cache that was created and not destroyed? */
bool cache_is_cache(const struct kmem_cache *c);

/* The cache that @p, a held object of @n's cache, describes; NULL: no descriptor lies there. */
const struct kmem_cache *cache_described(const struct kmem_cache_node *n, const void *p);

/* What is none ends the program: @function was given it. The second is for slow paths of those who
 * hardly ever are wrong: it sees caches that are destroyed. */
void cache_check(const struct kmem_cache *c, const char *function);
void cache_check_alive(const struct kmem_cache *c, const char *function);

/* One object when the fast path has none: lock mode, an empty array, an exhausted slab. Its
 * state is set. NULL iff memory is exhausted. */
void *cache_alloc_slow(struct kmem_cache *c, gfp_t gfp);

/* A free object of @c, from wherever, becomes the caller's @size bytes: dressed as its letters say,
 * its state set, charged, cleared. NULL iff a limit refuses; then it is free again. */
void *cache_hand_out(struct kmem_cache *c, void *p, gfp_t gfp, size_t size);

/* The same for @size bytes of an object, 0: all of it, for caches that are debugged. */
void *cache_alloc_sized(struct kmem_cache *c, gfp_t gfp, size_t size);

/* Up to @count objects of @n's cache downwards from @end: from slabs of that node, from a new one,
 * or, without __GFP_THISNODE, one object of the nearest node that has any. Their states are not
 * set. 0 iff memory is exhausted. */
unsigned cache_take(struct kmem_cache_node *n, gfp_t gfp, void **end, unsigned count);

/* The same from the slabs that node has: tries its lock where @gfp may not wait. */
unsigned cache_pick(struct kmem_cache_node *n, gfp_t gfp, void **end, unsigned count);

/* create.c: slab_prepare, which runs the constructor. That may not allocate from its own cache
 * (L2): there is nothing yet, so it would go on without end; the program ends instead. */
bool create_construct(struct kmem_cache_node *n, struct page *head, gfp_t gfp);

/* A new slab on that node, and up to @count of its objects downwards from @end. */
unsigned cache_grow(struct kmem_cache_node *n, gfp_t gfp, void **end, unsigned count);

/* numa.c: one object of another node than @n, the nearest that has any, to end[-1]. */
unsigned cache_take_far(const struct kmem_cache_node *n, gfp_t gfp, void **end);

/* Free an object whose state is already STATE_FREE: array, else flush. */
void cache_free_slow(struct kmem_cache_node *n, void *object);

/* tune.c: a CPU has got its region: the nodes may keep more. A slab in so many was made: age the
 * arrays of the next cache. Objects overflow: the node gets its shared array, a page, if it has
 * none. */
void tune_cpu_came(void);
void tune_tick(void);
void tune_share(struct kmem_cache_node *n);

/* nolock.c: the same for who may not wait: no lock is waited for, nothing goes to the page floor.
 * An object whose state is FREE already; objects straight into the node. */
void cache_free_nolock(struct kmem_cache_node *n, void *object);
void cache_put_nolock(struct kmem_cache_node *n, void *const *objects, unsigned count);

/* nolock.c: an allocation that could not be finished gives back what it has claimed. */
void cache_undo(struct kmem_cache *c, void *p, gfp_t gfp);
void cache_undo_bulk(struct kmem_cache *c, size_t count, void **objects, gfp_t gfp);

/* Put objects straight into the node and give emptied slabs to the page floor. */
void cache_put(struct kmem_cache_node *n, void *const *objects, unsigned count);

/* Drain all arrays and slabs of one cache; the result of shrink. squeeze.h is for all caches. */
bool cache_shrink(struct kmem_cache *c);

/* Every slab goes, also those that only readers keep. false iff objects are in use: these are
 * told, in the name of @function, which would have destroyed @what, a "cache" or a "set". */
bool cache_empty(struct kmem_cache *c, const char *function, const char *what);

size_t cache_audit(void);
void cache_lock_all(void);
void cache_unlock_all(void);

#endif
