/* SPDX-License-Identifier: MIT */
/*
 * scope.h - what a thread has said of all its allocations
 *
 * What    memalloc_noio_save and its like set a bit in the thread's word (port_task_word). It is
 *         looked at where pages are asked for and where memory is reclaimed, and only if anybody
 *         ever set one: the fast paths, and programs without scopes, know nothing of it.
 * Rules   SC1 noio takes __GFP_IO and __GFP_FS away, nofs __GFP_FS; noreclaim gives __GFP_MEMALLOC,
 *             and nothing is reclaimed: no shrinker runs, no cache is emptied
 *         SC2 a restore makes its own bit what the save found, and leaves the others
 *         SC3 the scopes are the three lowest bits of the word, those that every home keeps
 */
#ifndef ASHLAR_CACHE_SCOPE_H
#define ASHLAR_CACHE_SCOPE_H

#include "ashlar/gfp.h"
#include "base/base.h"

enum scope {
	SCOPE_NORECLAIM = 1,
	SCOPE_NOIO = 2,
	SCOPE_NOFS = 4,
};

/* 1: somebody has begun a scope at some time. */
extern u32 scope_used internal_data;

unsigned scope_find(void); /* the slow half of scope_now */

/* Bits of enum scope: this thread's. */
static inline unsigned scope_now(void)
{
	return unlikely(READ_ONCE(scope_used)) ? scope_find() : 0;
}

/* SC1 */
static inline gfp_t scope_gfp(gfp_t gfp)
{
	unsigned scopes = scope_now();

	if (likely(!scopes))
		return gfp;
	if (scopes & SCOPE_NOIO)
		gfp &= ~(__GFP_IO | __GFP_FS);
	if (scopes & SCOPE_NOFS)
		gfp &= ~__GFP_FS;
	if (scopes & SCOPE_NORECLAIM)
		gfp |= __GFP_MEMALLOC;
	return gfp;
}

#endif
