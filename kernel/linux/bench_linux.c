/* SPDX-License-Identifier: MIT */
/*
 * bench_linux.c - see bench.h: Linux's own allocator, in the same boot
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#include "bench.h"

static struct kmem_cache *cache;

static void bench_free(void *object)
{
	kmem_cache_free(cache, object);
}

static void bench_unpage(struct page *page)
{
	__free_pages(page, 0);
}

void bench_linux(void)
{
	cache = kmem_cache_create("bench_linux", 64, 0, 0, NULL);
	if (!cache)
		return;
	BENCH("linux", kmem_cache_alloc(cache, GFP_KERNEL), bench_free, kmalloc(100, GFP_KERNEL),
	      kfree, alloc_pages(GFP_KERNEL, 0), bench_unpage);
	kmem_cache_destroy(cache);
}
