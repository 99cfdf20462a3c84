/* SPDX-License-Identifier: MIT */
/*
 * scope_help.h - a machine without memory, and a shrinker that is seen to run
 */
#ifndef ASHLAR_TEST_SCOPE_HELP_H
#define ASHLAR_TEST_SCOPE_HELP_H

#include "cache/init.h"
#include "cache/kmalloc.h"
#include "sim_help.h"

static unsigned scans;
static void *kept; /* the last block that could be had */
static gfp_t seen;

static inline size_t count_some(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	seen = gfp;
	return 1;
}

static inline size_t scan_some(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)gfp;
	(void)n;
	scans++;
	return 1;
}

static struct shrinker shrinker = { .count = count_some, .scan = scan_some };

/* Memory is exhausted but for the reserve, and a shrinker asks for @needs. */
static inline bool setup(gfp_t needs)
{
	sim_reset();
	sim.arena_bytes = HELP_SMALL_ARENA;
	sim.mapping_bytes = 0;
	if (!init_ready())
		return false;
	for (void *p = &kept; p; p = ashlar_kmalloc(32768, GFP_KERNEL | __GFP_NORETRY))
		kept = p;
	shrinker.needs = needs;
	register_shrinker(&shrinker);
	scans = 0;
	return true;
}

#endif
