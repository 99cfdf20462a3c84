/* SPDX-License-Identifier: MIT */
/*
 * bench_ashlar.c - see bench.h: Ashlar, compiled as a user of its headers is
 */
#include "ashlar/mm.h"
#include "ashlar/slab.h"
#include "bench.h"

void *bench_objects[BENCH_BATCH];

static struct kmem_cache *cache;

static void bench_free(void *object)
{
	kmem_cache_free(cache, object);
}

static void bench_unpage(struct page *page)
{
	__free_pages(page, 0);
}

void bench_ashlar(void)
{
	cache = kmem_cache_create("bench", 64, 0, 0, NULL);
	if (!cache)
		return;
	BENCH("ashlar", kmem_cache_alloc(cache, GFP_KERNEL), bench_free, kmalloc(100, GFP_KERNEL),
	      kfree, alloc_pages(GFP_KERNEL, 0), bench_unpage);
	kmem_cache_destroy(cache);
}
