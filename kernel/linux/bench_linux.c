/* SPDX-License-Identifier: MIT */
/*
 * bench_linux.c - see bench.h and memory.h: Linux's own allocator, in the same boot
 *
 * What    SLAB, SLUB or SLOB, whichever this kernel was built with.
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#include "bench.h"
#include "memory.h"

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
	BENCH_SLOW("linux", kmem_cache_alloc(cache, GFP_KERNEL), bench_free,
		   kmem_cache_shrink(cache));
	kmem_cache_destroy(cache);
}

static void *memory_alloc(size_t bytes)
{
	return kmalloc(bytes, GFP_KERNEL);
}

/* Pages of a counter of Linux, with what the CPUs have not yet added to it. */
static size_t memory_counter(enum node_stat_item item)
{
	long pages = (long)global_node_page_state_pages(item);
	struct per_cpu_nodestat __percpu *parts;
	unsigned int cpu;
	int node;

	for_each_online_node(node) {
		parts = NODE_DATA(node)->per_cpu_nodestats;
		for_each_online_cpu(cpu) {
			pages += per_cpu_ptr(parts, cpu)->vm_node_stat_diff[item];
		}
	}
	return pages > 0 ? (size_t)pages : 0;
}

/* Memory in slabs, in SLOB's pages, and behind large kmallocs. */
static size_t memory_slabs(void)
{
	return (memory_counter(NR_SLAB_RECLAIMABLE_B) + memory_counter(NR_SLAB_UNRECLAIMABLE_B))
	       << PAGE_SHIFT;
}

static size_t memory_others; /* what slabs held before: of the whole kernel */

static size_t memory_held(void)
{
	size_t slabs = memory_slabs();

	return slabs > memory_others ? slabs - memory_others : 0;
}

/* Linux's free pages are everybody's. */
static size_t memory_spare(void)
{
	return 0;
}

/* SLOB has no caches of sizes. */
static void memory_shrink(void)
{
#ifndef CONFIG_SLOB
	for (unsigned int i = 0; i <= KMALLOC_SHIFT_HIGH; i++)
		if (kmalloc_caches[KMALLOC_NORMAL][i])
			kmem_cache_shrink(kmalloc_caches[KMALLOC_NORMAL][i]);
#endif
}

void memory_linux(void)
{
	static const struct memory_user user = {
		.who = "linux",
		.alloc = memory_alloc,
		.free = kfree,
		.held = memory_held,
		.spare = memory_spare,
		.shrink = memory_shrink,
	};

	memory_others = memory_slabs();
	host_report("machine", "slabs", memory_others, 0, 1024);
	host_report("machine", "free", host_free_bytes(), 0, 1024);
	memory_measure(&user);
}
