/* SPDX-License-Identifier: MIT */
/*
 * watch.h - options that concern every call, on slob; where options can be had at all
 */
#ifndef ASHLAR_SLOB_WATCH_H
#define ASHLAR_SLOB_WATCH_H

#include "cache/block.h"
#include "cache/option.h"

/* Some call may have to fail. */
extern bool watch_failing internal_data;

/* The options were read: say what of them slob has not. */
void watch_start(void);

/* Is this the call that fails? */
bool watch_strikes(const struct kmem_cache *c, size_t size, gfp_t gfp);

static inline bool watch_fails(const struct kmem_cache *c, size_t size, gfp_t gfp)
{
	return PORT_SLOB_STEP && unlikely(READ_ONCE(watch_failing)) && watch_strikes(c, size, gfp);
}

/* What init_on_alloc=1 adds to every request. */
static inline gfp_t watch_gfp(gfp_t gfp)
{
	return PORT_SLOB_STEP && unlikely(options.init_on_alloc) ? gfp | __GFP_ZERO : gfp;
}

#endif
