/* SPDX-License-Identifier: MIT */
/*
 * guard.h - sampled objects on pages of their own, between pages that nobody may touch
 *
 * What    With guard=N about one in N refills of an array gives its caller an object that comes
 *         out of no slab but out of a slot of a small pool:
 *
 *           | closed | ######......... | closed | .........###### | closed | ...
 *                      slot 0                     slot 1
 *
 *         The object begins where its slot begins, or ends where it ends (at the multiple of its
 *         alignment), as chance has it. The rest of the slot holds a pattern, which free looks
 *         at. A free closes the slot, whose memory goes back, and puts it last into the queue.
 *         With guard_each=1 allocations are counted, not refills: each takes the slow way then.
 * Why     An access beside the object, or after its free, ends in the call that makes it, in the
 *         program as it is: what the rest costs is one look at a word for each refill, so that it
 *         may stay on for good, and many runs together look at everything.
 * Nouns   slot     room for one object: a page, or what the machine has as its grain
 *         closed   every access faults
 * State   guard.c: the slots; options.guard is 0 where there are none
 * Rules   GU1 a slot that is free is closed, and so is what lies between slots
 *         GU2 the slot that has been free longest is taken next; where none is free, the
 *             allocation is an ordinary one
 *         GU3 the map knows nothing of these pages: their ids are 0, so no fast path takes such an
 *             object. Their kind is GUARD, and leads to the slot
 *         GU4 of two frees of an object one gets it: that is decided in one step
 *         GU5 a cache's `guarded` counts its slots in use; kmem_cache_destroy finds these as it
 *             finds objects in slabs, and a slot that is free names no cache
 *         GU6 guarded is only what may wait, of a cache that is not watched already (debug.h), not
 *             read after its free (SLAB_TYPESAFE_BY_RCU), not paid for by a group, not of a kind
 *             of memory or a node that was asked for, not Ashlar's own, and fits into a slot
 * Locks   guard.lock, alone; not held while the port is called
 * Source  Linux Documentation/dev-tools/kfence.rst; LLVM docs/GwpAsan.rst: the idea
 */
#ifndef ASHLAR_CACHE_GUARD_H
#define ASHLAR_CACHE_GUARD_H

#include "cache/option.h"
#include "page/map.h"

struct kmem_cache;
struct guard_slot;

enum guard_access {
	GUARD_TOUCH, /* the machine does not tell which */
	GUARD_READ,
	GUARD_WRITE,
};

/* Are objects sampled? One look, for refills. */
static inline bool guard_is_on(void)
{
	return options.guard != 0;
}

/* Set the pool up as options.guard and options.guard_slots say; what cannot be is told, and
 * nothing is sampled. Once, at start. */
void guard_init(size_t page_bytes, u64 seed);

/* @size bytes of @c's object in a slot of its own; NULL: it is not its turn, or GU2, GU6. */
void *guard_alloc(struct kmem_cache *c, gfp_t gfp, size_t size);

/* The same for who has @p, not claimed yet, out of his array, or NULL: what he gets. *@guarded:
 * that is a guarded object, and @p is back. */
void *guard_instead(struct kmem_cache *c, gfp_t gfp, size_t size, void *p, bool *guarded);

/* @p is given to free: by @function, to @c or (NULL) to whoever it is of. Returns false iff no
 * slot is there; what is wrong with @p is reported. The second never waits. */
bool guard_free(void *p, const struct kmem_cache *c, const char *function);
bool guard_free_nolock(void *p);

/* Bytes that were asked for, of the guarded object in use that starts at @p; 0 iff none does. */
size_t guard_size(const void *p);

/* Is it a guarded object in use of @c? */
bool guard_is_of(const struct kmem_cache *c, const void *p);

/* hold.h for what is guarded: in use becomes held; false iff @p starts no object in use. */
bool guard_hold(void *p);
bool guard_is_held(const void *p);
void guard_hold_end(void *p);

/* Guarded objects of @c; up to @most of them. */
size_t guard_count(const struct kmem_cache *c);
unsigned guard_in_use(const struct kmem_cache *c, void **objects, unsigned most);

/* Somebody's access to @address by the instruction at @pc has faulted: if it is the pool's, tell
 * what it did. No lock is taken. Returns whether it is. */
bool guard_fault(const void *address, enum guard_access access, const void *pc);

/* The slot whose room @p lies in, or NULL. */
static inline struct guard_slot *guard_find(const void *p)
{
	const struct page *page;

	if (likely(!options.guard) || !map_contains(p))
		return NULL;
	page = &map.pages[map_pfn(p)];
	return page->kind == PAGE_GUARD ? page->owner : NULL;
}

size_t guard_audit(void);
void guard_lock_all(void);
void guard_unlock_all(void);

/* fork's child, after cache_forget: what other threads had in hand goes on the queue. All locks are
 * held. */
void guard_forget(void);

/* For tools. */
struct guard_figures {
	u64 sampled; /* objects, ever */
	u64 missed;  /* that were due while no slot was free, ever */
	u32 slots;
	u32 used; /* now */
};
const struct guard_figures *guard_figures(void);

#endif
