/* SPDX-License-Identifier: MIT */
/*
 * tune.c - how much the arrays hold, on slob: it has none (see src/cache/tune.c)
 */
#include "ashlar/slab.h"
#include "cache/cache.h"

#define TUNE_EINVAL (-22)

/* A cache without arrays, as slab.h says. */
int kmem_cache_tune(struct kmem_cache *c, unsigned int limit, unsigned int batchcount,
		    unsigned int shared)
{
	cache_check(c, "kmem_cache_tune");
	(void)limit;
	(void)batchcount;
	(void)shared;
	return TUNE_EINVAL;
}

long ashlar_slabinfo_write(const char *text, size_t bytes)
{
	(void)text;
	(void)bytes;
	return TUNE_EINVAL;
}

/* Nothing ages: what is free is everybody's. */
void kmem_cache_reap(void)
{
}
