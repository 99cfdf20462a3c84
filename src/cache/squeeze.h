/* SPDX-License-Identifier: MIT */
/*
 * squeeze.h - what lies idle in arrays and slabs goes back to pages, of all caches at once
 *
 * What    A CPU is stopped once for all caches: what their arrays hold is copied out, the CPU runs
 *         on, and the objects go into their slabs; then the shared arrays and the empty slabs go.
 *         All of it where an allocation found nothing; what was not used since the last time where
 *         the heap grows beyond its peak (R6 of reclaim.h).
 * Rules   SQ1 one thread at a time is at it; who wants all of it waits, others go on without
 *         SQ2 the caches cannot go away meanwhile: they are visited, all of them (K3)
 *         SQ3 a CPU is stopped once for each SQUEEZE_OBJECTS objects that its arrays give, and not
 *             at all if they give none
 * Cost    a look at each cache's header on each CPU, a lock of each of its nodes, and what moves
 */
#ifndef ASHLAR_CACHE_SQUEEZE_H
#define ASHLAR_CACHE_SQUEEZE_H

#include "base/base.h"

#define SQUEEZE_OBJECTS 4096u

/* Everything, if @all; else arrays that nothing was popped from since the last time, shared arrays
 * that nothing was taken from, empty slabs where none was used. Holds no locks, may wait. */
void squeeze_caches(bool all);

/* Everything, unless somebody is at it: false then. For who may wait for CPUs, but not for others'
 * work. */
bool squeeze_try(void);

/* Pages inside used slabs of all caches go back, or of those that rest (slab_rests): how many. */
size_t squeeze_discard(bool all);

/* Bytes of free objects inside slabs, at this moment. */
size_t squeeze_idle(void);

/* fork's child: whoever was at it was another thread. */
void squeeze_forget(void);

#endif
