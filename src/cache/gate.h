/* SPDX-License-Identifier: MIT */
/*
 * gate.h - options that every call has to obey keep the calls off the fast paths
 *
 * What    init_on_alloc=1 clears what is handed out, init_on_free=1 what comes back, stats=1
 *         counts both, guard_each=1 counts what is handed out. With one of them the fast path's
 *         own first look fails, for good: its limit of sizes stays 0, so does the end of the arena
 *         that it may look at, and a cache's pop_offset is that of an id that no cache has. The
 *         slow path finds the array all the same.
 * Why     Nothing is added to the fast paths, and the arrays still do their work.
 * Rules   GA1 constructed objects are never cleared, nor those that RCU's readers may still see,
 *             nor poisoned ones, which show more: __GFP_ZERO alone clears these
 *         GA2 a gate is chosen before the first cache is made, and stays
 * See     decision 18
 */
#ifndef ASHLAR_CACHE_GATE_H
#define ASHLAR_CACHE_GATE_H

#include "cache/cache.h"
#include "cache/fault.h"
#include "cache/option.h"

static inline bool gate_is_on_alloc(void)
{
	return options.init_on_alloc || options.stats || (options.guard && options.guard_each);
}

/* Objects of such a cache come by where they are charged. */
static inline bool gate_is_on_alloc_of(const struct kmem_cache *c)
{
	return (c->flags & SLAB_ACCOUNT) ||
	       (gate_is_on_alloc() && !(c->flags & SLAB_NO_USER_FLAGS));
}

static inline bool gate_is_on_free(void)
{
	return options.init_on_free || options.stats;
}

/* Does failslab refuse @size bytes of @c? */
static inline bool cache_fails(const struct kmem_cache *c, gfp_t gfp, size_t size)
{
	return (c->debug.flags & SLAB_FAILSLAB) && fault_strikes(c->name, size, gfp);
}

/* GA1 */
static inline bool gate_clears(const struct kmem_cache *c)
{
	return !c->ctor && !(c->debug.flags & SLAB_POISON) &&
	       !(c->flags & (SLAB_NO_USER_FLAGS | SLAB_TYPESAFE_BY_RCU));
}

#endif
