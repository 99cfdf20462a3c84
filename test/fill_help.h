/* SPDX-License-Identifier: MIT */
/*
 * fill_help.h - a machine whose memory is used up
 */
#ifndef ASHLAR_TEST_FILL_HELP_H
#define ASHLAR_TEST_FILL_HELP_H

#include "cache/kmalloc.h"
#include "start_help.h"

/* 8 MiB without mappings. */
static inline bool setup_small(void)
{
	sim_reset();
	sim.arena_bytes = HELP_SMALL_ARENA;
	sim.mapping_bytes = 0;
	return init_ready();
}

/* Takes all objects of @size that @gfp may have. Returns how many there were. */
static inline size_t fill(size_t size, gfp_t gfp)
{
	size_t n = 0;

	while (n < 100000 && ashlar_kmalloc(size, gfp))
		n++;
	EXPECT_LT(n, 100000);
	return n;
}

#endif
