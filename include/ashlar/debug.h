/* SPDX-License-Identifier: MIT */
/*
 * debug.h - object caches that are watched, and allocations that are made to fail
 *
 * What    The flags are given to kmem_cache_create (SLAB_RED_ZONE, SLAB_POISON, SLAB_STORE_USER,
 *         SLAB_CONSISTENCY_CHECKS, SLAB_TRACE, SLAB_FAILSLAB) or, by their letters, to the option
 *         slab_debug= when the program starts; the functions here change them while it runs.
 * Context Any thread, not signal handlers, unless a function says otherwise.
 * Source  Linux Documentation/mm/slub.rst, fault-injection/fault-injection.rst
 */
#ifndef ASHLAR_DEBUG_H
#define ASHLAR_DEBUG_H

#include "ashlar/slab.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Debug a cache as @letters say: any of FZPUTAO, or "-", "" or NULL for nothing. Returns 0; -22
 * (EINVAL) iff a letter is unknown; -16 (EBUSY), with the cache as it was, iff Z, P or U would
 * change while objects are in use: they need room beside each object, or a pattern inside it.
 * Where these change the caller sees to it that nobody uses the cache meanwhile; F, T and A
 * change at any time.
 */
ASHLAR_API int ashlar_kmem_cache_debug(struct kmem_cache *cache, const char *letters);

/*
 * What slab_debug= says, from now on: "LETTERS,name,name*;LETTERS,...", NULL or "" for nothing.
 * Caches that are made later follow it; those that there are have then what it and their creator
 * ask for, by the rules above. Returns 0; -22 (EINVAL) iff it cannot be read or is longer than 191
 * bytes; -16 (EBUSY) iff caches stay as they were, as objects are in use: the others have changed.
 * One thread at a time.
 */
ASHLAR_API int ashlar_slab_debug(const char *setting);

/*
 * Look at every object of a debugged cache. Each that was written past its end, before its start
 * or after it was freed is reported; the program goes on. Returns how many these are. Other
 * threads may use the cache.
 */
ASHLAR_API int ashlar_kmem_cache_validate(struct kmem_cache *cache);

/* Print what is known of the object that holds @p: its cache, its place and, with U, who took it
 * and gave it back. Returns false, with nothing printed, iff @p is in no object. */
ASHLAR_API bool ashlar_kmem_dump_obj(const void *p);

/*
 * Let allocations fail: "interval,probability,space,times", and patterns of cache names behind it.
 * After @space bytes each @interval'th call fails with @probability percent, @times times (-1:
 * without end). Without names those caches are concerned that have letter A, or, if none has, all,
 * and large blocks; never what describes caches and slabs: kmem_cache_create does not fail.
 * NULL or "": none fails any more. The same run fails at the same calls. Returns 0, -22
 * iff the setting is wrong, -16 iff the arrays of a cache cannot be closed.
 */
ASHLAR_API int ashlar_failslab(const char *setting);

/*
 * The @n'th allocation of this thread from now on fails, of all caches and large blocks: with 1, 2,
 * ... one after the other every failure path runs. 0 ends it, and lets the fast paths run again.
 * Returns how many calls the one before would have had to wait still: 0 iff it has failed (or there
 * was none). One thread at a time may ask for this.
 */
ASHLAR_API unsigned long ashlar_fail_nth(unsigned long n);

#ifndef ASHLAR_NO_SHORT_NAMES

ASHLAR_API int kmem_cache_debug(struct kmem_cache *cache, const char *letters)
	ASHLAR_LINK(ashlar_kmem_cache_debug);
ASHLAR_API int kmem_cache_validate(struct kmem_cache *cache)
	ASHLAR_LINK(ashlar_kmem_cache_validate);
ASHLAR_API bool kmem_dump_obj(const void *p) ASHLAR_LINK(ashlar_kmem_dump_obj);

#endif

#ifdef __cplusplus
}
#endif

#endif
