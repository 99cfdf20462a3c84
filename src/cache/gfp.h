/* SPDX-License-Identifier: MIT */
/*
 * gfp.h - flags that mean nothing, or contradict each other
 *
 * What    Looked at where pages are asked for, so that no fast path has to.
 */
#ifndef ASHLAR_CACHE_GFP_H
#define ASHLAR_CACHE_GFP_H

#include "ashlar/gfp.h"
#include "base/base.h"

/* Tell, once, that these bits are not known. */
cold void gfp_complain(gfp_t gfp);

/* A request that must not fail, and may not wait for what it needs, is told. */
cold void gfp_refuse_nofail(void);

/* May this request wait for a lock, and make system calls? Else it tries, and goes without. */
static inline bool gfp_may_wait(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

/* Is there memory of the kind asked for? If not, that is told as @what's refusal to @name. */
cold bool gfp_serves_kind(gfp_t gfp, const char *what, const char *name);

/* May kmalloc_nolock be asked for this? If not, that is told. */
bool gfp_serves_nolock(gfp_t gfp);

static inline bool gfp_serves(gfp_t gfp, const char *what, const char *name)
{
	return likely(!(gfp & (__GFP_DMA | __GFP_DMA32))) || gfp_serves_kind(gfp, what, name);
}

static inline void gfp_check(gfp_t gfp)
{
	if (unlikely(gfp & ~ASHLAR_GFP_KNOWN))
		gfp_complain(gfp);
}

#endif
