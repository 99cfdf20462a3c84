/* SPDX-License-Identifier: MIT */
/*
 * stat.h - where the memory is: sums over all caches and pages
 */
#ifndef ASHLAR_CACHE_STAT_H
#define ASHLAR_CACHE_STAT_H

#include "base/base.h"

struct stat_sum {
	size_t online_bytes;  /* the arena's memory */
	size_t free_bytes;    /* of it, free pages on lists of zones and CPUs */
	size_t dirty_bytes;   /* of these, with memory behind them */
	size_t slab_bytes;    /* in slabs */
	size_t parked_bytes;  /* free objects in CPUs' and shared arrays */
	size_t idle_bytes;    /* free objects in slabs */
	size_t used_bytes;    /* what programs have: objects, runs, mappings; not our own */
	size_t mapping_bytes; /* of it, mappings of their own */
	size_t kept_bytes;    /* mappings kept for reuse */
};

void stat_sum(struct stat_sum *sum);

#endif
