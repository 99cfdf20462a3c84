/* SPDX-License-Identifier: MIT */
/*
 * reclaim.h - when memory goes back, and what happens when there is none
 *
 * What    The one retry loop's policy; the bound on what is kept free; shrinkers.
 * Rules   R1  after a release, free memory is at most bound, where
 *             bound = live/16 + 4 MiB (inside Linux 1 MiB) + learned
 *             or the release has discarded down to seven eighths of it; a single page that
 *             joins a CPU's list is looked at when it leaves that (decision 54)
 *         R2  learned grows by what is faulted in again soon after it was discarded, up to
 *             a quarter of the peak, or 16 MiB (but not the peak) where that is more, and
 *             shrinks by a sixteenth with each discard
 *         R3  shrinkers run in one thread at a time, and not within each other; who finds another
 *             thread at it waits until that is done, for some milliseconds at most and once for
 *             each time that they run, and tries again; a request tries once more even where
 *             nothing was freed, for another thread's may have freed since it looked
 *         R4  with a soft limit, what is in use and what is kept free are together at most that,
 *             or nothing is kept; each 64th part of the limit that is used beyond it asks the
 *             shrinkers, where the request permits, and nothing fails
 *         R5  what is in use and what is kept free become more than ever before only where nothing
 *             is kept free, or what the user asked to be kept: else that goes back first
 *         R6  each time that sum's peak has grown by a 64th part, and by a page for each cache,
 *             what nobody used since the last time leaves arrays and slabs (squeeze.h)
 *         R7  where somebody calls reclaim_tick at intervals, what nobody used between two of them
 *             leaves arrays and slabs, and lists of pages, and learned shrinks by a quarter;
 *             where there are more than twice as many free pages as used ones, whole blocks of
 *             them go with their tables
 */
#ifndef ASHLAR_CACHE_RECLAIM_H
#define ASHLAR_CACHE_RECLAIM_H

#include "ashlar/slab.h"
#include "base/list.h"
#include "cache/option.h"

/* Pages that leave the caches go to the page floor; then the bound is looked at. */
void reclaim_release(struct list *emptied);
void reclaim_enforce(void);

static inline void reclaim_check(void)
{
	if (PORT_GIVES_BACK) /* else there is no bound on what is free */
		reclaim_enforce();
}

/* More memory is in use: is it more than ever (R5, R6)? With a soft limit it may be time for
 * shrinkers (R4). No locks are held. */
void reclaim_look(void);
void reclaim_press(gfp_t gfp);

static inline void reclaim_grew(gfp_t gfp)
{
	if (PORT_GIVES_BACK && (gfp & __GFP_DIRECT_RECLAIM))
		reclaim_look();
	if (unlikely(options.soft_limit) && (gfp & __GFP_DIRECT_RECLAIM))
		reclaim_press(gfp);
}

/* An allocation found nothing: do what @gfp permits. Returns whether to try again. */
bool reclaim_retry(gfp_t gfp, unsigned attempt);

/* Do what a tool has asked for from outside. */
cold void reclaim_answer(void);

/* R7, for homes that have a timer. May wait; no locks are held. */
void reclaim_tick(void);

/* For a system that is short of memory itself (a shrinker of a kernel that Ashlar lives in).
 * spare: pages that are free, or would be if all objects in arrays and slabs lay together. give:
 * give it about @pages of them; returns how many it got. Waits for CPUs, but for no lock under
 * which the port is called, so it may run inside any allocation from the system. */
size_t reclaim_spare(void);
size_t reclaim_give(size_t pages);

void reclaim_lock_all(void);
void reclaim_unlock_all(void);
void reclaim_forget(void);

/* Bytes kept free at most, at this moment. */
size_t reclaim_bound(void);

#endif
