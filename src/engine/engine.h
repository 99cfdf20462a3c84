/* SPDX-License-Identifier: MIT */
/*
 * engine.h - floor 3: pages become objects, in batches
 *
 * What    A kmem_cache_node is one cache's memory on one node: its slabs and,
 *         in front of them, the shared array through which CPUs hand objects to
 *         each other. All that touches a slab's inside is a take or a put: a
 *         batch of objects in or out under the node's lock.
 * Nouns   slab    a block of pages cut into equal objects; its bitmap of free
 *                 objects lies in the descriptors of its pages
 *         index   number of an object in its slab, from the lowest address
 * Rules   E1  a slab is on `partial` iff it has free and used objects, on `empty`
 *             iff all its objects are free, on no list iff none is
 *         E2  bits set in a slab + inuse == shape.objects
 *         E3  free_objects == sum over the slabs of their set bits, and of what they withhold
 *         E4  bits are taken lowest address first, so that pages run empty; with random_seq
 *             in no order that can be guessed
 *         E5  emptied slabs above free_limit leave the lock as a list
 *         E6  an object in the shared array counts as in use in its slab
 *         E7  free objects inside slabs come to at most half of the used ones, 1 MiB and learned,
 *             or half of them came back since their slabs' free pages were discarded; in a node
 *             that nobody took from between two squeezes (E9: ticks) they come to less than four
 *             pages.
 *             learned grows by what was discarded and is needed again, when more is in use than
 *             then, up to a quarter of the node's peak, or 16 MiB (but not the peak) where that
 *             is more, and shrinks by a sixteenth with each discard
 *         E8  what cannot have the lock leaves its work on the node's queue of slabs, and who
 *             gets the lock does it first: a slab that joins; objects with the state PENDING,
 *             which count as in use in their slab until they are swept. A slab is on the queue
 *             iff its queue.count is not 0, or its way there has begun (docs/models.md)
 *         E9  where no fault brings memory (PORT_POPULATES) a slab withholds the objects on pages
 *             that it has given back: free in the node, they are in use in their slab. One with
 *             such objects and no bit is on `holed`; one with nothing else in use is on `empty`,
 *             at its end if it has no bit. Who may wait fills one before a new slab is made
 * Order   take: shared array, first partial slab, first empty slab. put: shared array while
 *         there is room, then bits; a full slab goes to the tail of partial, an
 *         emptied one to the head of empty, and the last one there is released.
 * Locks   node->lock, alone
 */
#ifndef ASHLAR_ENGINE_ENGINE_H
#define ASHLAR_ENGINE_ENGINE_H

#include "base/lock.h"
#include "engine/shape.h"
#include "page/map.h"

struct kmem_cache;

struct kmem_cache_node {
	struct lock lock;          /* guards all below but the constants */
	u32 header_offset;         /* constant: id * 16 of this cache on this node */
	const struct shape *shape; /* constant */
	uintptr_t states;          /* constant: where its objects' states lie (map.h) */
	struct kmem_cache *cache;  /* constant */
	u32 node;                  /* constant: NUMA node */
	u32 shared_avail;          /* objects in the shared array */
	u32 shared_limit;          /* most it may hold; 0: none */
	u32 colour_next;           /* colour of the next slab */
	void **shared;             /* the newest is the last */
	struct list partial;       /* E1; the longest-waiting first */
	struct list empty;         /* E1; the last emptied first */
	struct list holed;         /* E9; the last holed first */
	size_t slabs;              /* all of this node's */
	size_t empty_slabs;        /* on `empty` */
	size_t full_slabs;         /* on no list, or holed */
	size_t taken;              /* objects taken out of slabs, ever */
	size_t taken_peak;         /* most that were out of them at one time */
	size_t free_peak;          /* most free objects at one time */
	size_t free_objects;       /* E3 */
	size_t free_limit;         /* free objects above which empty slabs are released */
	size_t grown;              /* slabs made, ever */
	size_t put_since;          /* objects put into slabs since the last discard (E7) */
	size_t taken_seen;         /* taken, at the last squeeze */
	u32 reaps;                 /* ticks of the reaper, ever */
	bool shared_touched;       /* objects left the shared array since the last second tick */
	bool free_touched;         /* an empty slab was taken from, the same */
	bool taken_last;           /* the last batch was taken, not put */
	u64 random;                /* random_seq: state of the generator; 0: lowest address first */
	size_t slabs_peak;         /* most slabs at one time */
	struct page *queue;        /* atomic: slabs where work waits, a stack (E8) */
	u32 pending;               /* atomic: objects that wait to be swept */
	size_t used_high;          /* most objects out of slabs since used_low (E7) */
	size_t used_low;           /* objects out of slabs when learned was last looked at */
	size_t given;              /* free objects at discards, that were not needed again */
	size_t learned;            /* free objects kept beyond half of the used ones */
	size_t withheld;           /* free objects without memory (E9) */
} cacheline_aligned;               /* a cache's nodes lie in one array: they share no line */

/* Free objects that can be taken; @n's lock is held, or it is a look. */
static inline size_t slab_ready(const struct kmem_cache_node *n)
{
	size_t free = READ_ONCE(n->free_objects);

	return PORT_POPULATES ? free - size_min(free, READ_ONCE(n->withheld)) : free;
}

void slab_node_init(struct kmem_cache_node *n, struct kmem_cache *cache, const struct shape *shape,
		    unsigned node, u32 header_offset);

/* The shape of a node that has no slab has changed. */
static inline void slab_node_reshape(struct kmem_cache_node *n)
{
	n->states = map_states(n->shape->stride);
	map_id(n->header_offset)->states = n->states;
}

/* Take up to @count objects. They are written downwards from @end, lowest address last, so
 * that a stack filled with them gives the lowest first. Returns how many. */
unsigned slab_take(struct kmem_cache_node *n, void **end, unsigned count);

/* Give objects back. Slabs to release are added to @emptied (link), their pages no longer
 * known as slabs. Returns whether so much lies idle inside used slabs that slab_discard is due
 * (E7). */
bool slab_put(struct kmem_cache_node *n, void *const *objects, unsigned count,
	      struct list *emptied);

/* Make a fresh block of the shape's order a slab, constructing its objects; no lock needed. false,
 * with nothing done, iff there is no memory for the states. */
bool slab_prepare(struct kmem_cache_node *n, struct page *head, void (*ctor)(void *));

/* The reverse, for a slab that has left its node empty: its memory holds no objects any more. A
 * state that is not FREE tells that somebody still has one: then the program ends. */
void slab_unmake(struct page *head);

/* The lock of a node, and what waited for it (E8). */
void slab_sweep(struct kmem_cache_node *n);
static inline void slab_lock_more(struct kmem_cache_node *n) /* for who takes all */
{
	lock_acquire_more(&n->lock);
	if (unlikely(LOAD_ACQUIRE(n->queue)))
		slab_sweep(n);
}
static inline void slab_lock(struct kmem_cache_node *n)
{
	lock_acquire(&n->lock);
	if (unlikely(LOAD_ACQUIRE(n->queue)))
		slab_sweep(n);
}

/* For who may not wait: as slab_take and slab_put, but 0, or false with nothing done, where the
 * lock is taken. No slab is released: the next slab_put sees to that. */
unsigned slab_try_take(struct kmem_cache_node *n, void **end, unsigned count);
bool slab_try_put(struct kmem_cache_node *n, void *const *objects, unsigned count);

/* A free object, which is nobody else's, is put back by whoever gets the lock next. Any context. */
void slab_pend(struct kmem_cache_node *n, void *object);

/* fork's child: other threads' frees that had begun will not be finished; their objects are lost.
 * All locks are held. */
void slab_forget(struct kmem_cache_node *n);

/* As slab_adopt, without the lock: the slab joins the node when somebody gets it. */
unsigned slab_arrive(struct kmem_cache_node *n, struct page *head, void **end, unsigned count);

/* A prepared slab joins the node, up to @count of its objects are taken, as slab_take does. */
unsigned slab_adopt(struct kmem_cache_node *n, struct page *head, void **end, unsigned count);

/* Move the shared array's objects into their slabs and every empty slab to @emptied.
 * Returns true iff the node still has slabs. */
bool slab_shrink(struct kmem_cache_node *n, struct list *emptied);

/* Give back the memory of pages inside partial slabs that hold no used object. Calls the port
 * without the lock. Returns pages. Never for caches with a constructor. */
size_t slab_discard(struct kmem_cache_node *n);

/* E9: memory for what one slab withholds, if @gfp may wait and the port gives some. Calls it
 * without the lock. Returns whether there may be more to take. */
bool slab_fill(struct kmem_cache_node *n, gfp_t gfp);

/* The pages of a slab that have no memory (E9), by bits. */
static inline u64 slab_absent(const struct shape *s, const struct page *head)
{
	return PORT_POPULATES && s->order >= 2 ? head[2].holes.pages : 0;
}

/* Address of the object with index 0. */
static inline char *slab_first(const struct shape *s, const struct page *head)
{
	return (char *)map_page_address(head) + s->first + (size_t)head->colour * s->colour_off;
}

/* The object that contains @p, and what the slab's bitmap says of it. */
struct slab_object {
	void *start;
	unsigned index;
	bool free; /* its bit is set */
};
bool slab_find(const struct kmem_cache_node *n, const void *p, struct slab_object *object);

/* At most @shared_limit objects in the shared array, if there is one, and @free_limit free ones in
 * slabs; what is too much goes to slabs and to @emptied. */
void slab_tune(struct kmem_cache_node *n, u32 shared_limit, size_t free_limit,
	       struct list *emptied);
void slab_set_free_limit(struct kmem_cache_node *n, size_t free_limit);

/* A tick of the reaper (TU4 of cache/tune.c). */
void slab_reap(struct kmem_cache_node *n, struct list *emptied);

/* For cache/squeeze.h. Objects go into their slabs, not into the shared array; then it does, and
 * the empty slabs go to @emptied, all of it or what nobody used since the last time. Returns
 * whether slab_discard is due, as slab_put. */
void slab_put_home(struct kmem_cache_node *n, void *const *objects, unsigned count);
bool slab_squeeze(struct kmem_cache_node *n, bool all, struct list *emptied);

/* For homes where no free and no squeeze makes holes (PORT_POPULATES): is slab_discard due, because
 * nobody took out of a slab since the last call, or much is idle? */
bool slab_rests(struct kmem_cache_node *n);

/* From now on nodes give out objects in random order; @seed is not 0. */
void slab_set_random(u64 seed);

size_t slab_audit(struct kmem_cache_node *n);

#endif
