/* SPDX-License-Identifier: MIT */
/*
 * bench_ashlar.c - see bench.h and memory.h: Ashlar, compiled as a user of its headers is
 */
#include "ashlar/mm.h"
#include "ashlar/slab.h"
#include "bench.h"
#include "cache/stat.h"
#include "linux_kernel.h"
#include "memory.h"

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
	BENCH_SLOW("ashlar", kmem_cache_alloc(cache, GFP_KERNEL), bench_free,
		   kmem_cache_shrink(cache));
	kmem_cache_destroy(cache);
}

static void *memory_alloc(size_t bytes)
{
	return kmalloc(bytes, GFP_KERNEL);
}

/* All that came from Linux: objects, tables, free pages. */
static size_t memory_held(void)
{
	return linux_kernel_pages() * PAGE_SIZE;
}

static size_t memory_spare(void)
{
	struct stat_sum sum;

	stat_sum(&sum);
	return sum.dirty_bytes;
}

static void memory_shrink(void)
{
	ashlar_purge();
}

void memory_ashlar(void)
{
	static const struct memory_user user = {
		.who = "ashlar",
		.alloc = memory_alloc,
		.free = kfree,
		.held = memory_held,
		.spare = memory_spare,
		.shrink = memory_shrink,
	};

	kfree(kmalloc(8, GFP_KERNEL)); /* the first one makes the tables */
	memory_measure(&user);
}
