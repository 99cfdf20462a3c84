/* SPDX-License-Identifier: MIT */
/*
 * cache.h - caches on slob, under the names of src/cache/cache.h that both engines' files use
 */
#ifndef ASHLAR_SLOB_CACHE_H
#define ASHLAR_SLOB_CACHE_H

#include "base/list.h"
#include "cache/block.h"

/* Nothing lies idle in a cache. Has it objects in use? */
static inline bool cache_shrink(struct kmem_cache *c)
{
	return READ_ONCE(c->live) != 0;
}

#endif
