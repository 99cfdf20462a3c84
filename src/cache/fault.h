/* SPDX-License-Identifier: MIT */
/*
 * fault.h - allocations that are made to fail: failslab and fail-nth
 *
 * What    failslab=INTERVAL,PROBABILITY,SPACE,TIMES[,cache...]: of the calls that reach a cache,
 *         the first SPACE bytes are let through, then each INTERVAL'th fails with PROBABILITY
 *         percent, TIMES times (-1: without end). fail_nth=N: the Nth call fails, once.
 * Why     A program's answer to malloc's NULL is code that never runs otherwise.
 * Rules   FT1 concerned are the caches that are named; else those with letter A, by slab_debug=, by
 *             kmem_cache_debug or from their creation; else all, and large blocks, too. What may
 *             fail has SLAB_FAILSLAB among the flags in force
 *         FT2 such a cache's arrays stay closed (debug.h), so that each call is seen
 *         FT3 __GFP_NOFAIL is never refused; Ashlar's own objects are not
 *         FT4 nothing is random: a program that does the same fails at the same calls
 * Source  Linux Documentation/fault-injection/fault-injection.rst. Linux spares requests that may
 *         wait unless told otherwise; here every malloc may wait, so none is spared.
 */
#ifndef ASHLAR_CACHE_FAULT_H
#define ASHLAR_CACHE_FAULT_H

#include "ashlar/gfp.h"
#include "base/base.h"

/* May large blocks fail? Read without a lock. */
extern bool fault_large internal_data;

/* May any call fail? */
bool fault_is_set(void);

/* Is such a setting of failslab= well formed? */
bool fault_is_valid(const char *text, size_t length);

/* Take the options failslab= and fail_nth= over; before the first cache is made. */
void fault_init(void);

/* Some cache has letter A, or none beside those of slab_debug= (FT1). */
void fault_set_lettered(bool some);

/* SLAB_FAILSLAB for a cache of this name, or 0 (FT1), unless it has letter A itself. */
u32 fault_flags(const char *name);

/* Is this the call that fails? @name: of the cache; NULL: a large block. */
bool fault_strikes(const char *name, size_t size, gfp_t gfp);

/* The engine's: every cache follows the setting (FT2). 0, or -16 iff an array cannot be closed. */
int fault_spread(void);

#endif
