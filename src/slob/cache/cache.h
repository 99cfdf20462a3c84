/* SPDX-License-Identifier: MIT */
/*
 * cache.h - caches on slob, under the names of src/cache/cache.h that both engines' files use
 */
#ifndef ASHLAR_SLOB_CACHE_H
#define ASHLAR_SLOB_CACHE_H

#include "base/list.h"
#include "cache/block.h"

/* The id of a cache that was destroyed, while its memory is nobody's: no object has it, so that it
 * is found out when it is used, soon enough. */
#define CACHE_GONE 0xe0deu

/* Is @c a cache, or one of kmalloc's classes? The program ends if not. Not on small machines. */
void cache_check(const struct kmem_cache *c, const char *function);

/* Wait for what RCU still frees of it. false iff objects are in use: these are told, in the name
 * of @function, which would have destroyed @what, a "cache" or a "set". */
bool cache_empty(struct kmem_cache *c, const char *function, const char *what);

#endif
