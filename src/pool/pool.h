/* SPDX-License-Identifier: MIT */
/*
 * pool.h - pools: objects of one size on sheets of 2 MiB
 *
 * What    A pool is a kind of object and its sheets (sheet.h): on `partial`, `empty` or `full`.
 *         An object is taken from the first partial sheet, else an empty one, else a new one,
 *         always the lowest of its sheet, so that sheets run empty. Callbacks run on every object
 *         that comes and goes, without the lock; meanwhile the object is pending.
 *
 *           alloc_pages ──► sheet: empty ⇄ partial ⇄ full        free ──► PENDING ──► in use
 *               ▲                    │                           ▲    ctor            │
 *               └────────────────────┘                           └────── PENDING ◄────┘
 *                  emptied, and two sheets' worth is free                dtor
 *
 * Why     Seed 001's pools, where they are right: dense objects on large pages, a bitmap beside
 *         them, an owner found from the address in one step.
 * Rules   PO1  a sheet is on `partial` iff it has free and used objects, on `empty` iff all are
 *              free, on `full` iff none is
 *         PO2  used == sum of the sheets' used, sheets == lengths of the lists
 *         PO3  after slab_free: the sheet it emptied is gone if the pool then had two sheets' worth
 *              of free objects
 *         PO4  no lock is held while pages, the port or a callback is called
 *         PO5  a pool is an object of the cache "pool", held while it lives (cache/hold.h): so a
 *              pointer to one can be proved, and slab_destroy alone ends it
 *         PO6  a pool is on the list of pools from create to destroy; who looks at pools
 *              that are not his visits them, and destroy waits until all have left
 *         PO7  a sheet joins and leaves a pool under the pool's lock: what sheet_look says
 *              under it stays true
 * Locks   pools.lock, pool->lock: one at a time; fork takes all, in this order, before any of the
 *         floors below
 */
#ifndef ASHLAR_POOL_POOL_H
#define ASHLAR_POOL_POOL_H

#include "ashlar/pool.h"
#include "base/lock.h"
#include "pool/sheet.h"

#define POOL_NAME_MAX 32u
#define POOL_FLAG_GROUP 0x80000000u /* it is one of the group's */

struct slab {
	struct lock lock;    /* guards all below but the constants */
	u32 flags;           /* constant: POOL_x */
	struct cut cut;      /* constant */
	size_t size;         /* constant: bytes, as asked for */
	unsigned long arg;   /* constant */
	pool_callback ctor;  /* constant */
	pool_callback dtor;  /* constant */
	struct list partial; /* PO1 */
	struct list empty;
	struct list full;
	size_t sheets;    /* PO2 */
	size_t used;      /* PO2 */
	size_t used_peak; /* most there ever were */
	size_t grown;     /* sheets got, ever */
	size_t given;     /* sheets given back, ever */
	struct list link; /* pools.lock: all pools, oldest first */
	u32 visitors;     /* atomic, up under pools.lock (PO6) */
	bool closed;      /* pools.lock: it is being destroyed, no more visits */
	char name[POOL_NAME_MAX];
};

/* Make a pool without checks but for memory; @name is cut to fit. NULL iff memory is exhausted. */
struct slab *pool_make(const struct pool_args *args);

/* Is @p a pool? (PO5) */
bool pool_is_pool(const void *p);

/* May @function be asked for memory of this kind, from what is called @name? Says why not, and what
 * flags are unknown. */
bool pool_serves(gfp_t gfp, const char *function, const char *name);

/* An object in use now, without its constructor, as @gfp permits; NULL iff there is no memory. */
void *pool_take(struct slab *pool, gfp_t gfp);

/* What slab_free does, for @function, which a report names. */
int pool_give(struct slab *pool, void *object, unsigned long arg, const char *function);

/* Give all empty sheets back; returns how many. */
size_t pool_shrink_sheets(struct slab *pool);

/* The pool whose sheet @p is in, or NULL. It may go away at once if @p is no object in use. */
struct slab *pool_owner(const void *p);

/* ---- fault.c: what is said ------------------------------------------------------ */

/* Not a pool: the program ends. */
_Noreturn void fault_pool(const char *function, const void *p);

/* The pool's sheet, but no object in use: the program ends. */
_Noreturn void fault_object(const char *function, const struct slab *pool, const void *p,
			    enum sheet_fault fault);

/* Nothing of this pool's (NULL: of the group's). The first few are printed, all are counted. */
void fault_foreign(const char *function, const struct slab *pool, const void *p);

/* @used objects are in use at the end of a pool, or in a callback; @objects are the first @count of
 * those in use, and there may be @more. */
void fault_leak(const struct slab *pool, size_t used, void *const *objects, unsigned count,
		bool more);

#endif
