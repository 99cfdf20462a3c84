/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_type.c - size caches for memory of other kinds
 *
 * What    kmalloc with __GFP_DMA, __GFP_RECLAIMABLE or __GFP_ACCOUNT is served from caches of its
 *         own, so that pages hold objects of one kind: what a shrinker can free, what a group
 *         pays for, what lies low. A cache is made by the first request for it that may wait.
 * State   kmalloc_types[]: NULL until made, then constant
 * Rules   KT1 if a flag of several kinds is given, DMA comes first, then reclaimable, then
 *             accounted
 *         KT2 a request that may not wait and finds no cache is served from the ordinary one;
 *             never so for DMA
 * Source  Linux include/linux/slab.h for kinds and names
 */
#include "base/bits.h"
#include "base/text.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "cache/report.h"

enum kmalloc_type { KMALLOC_RECLAIM, KMALLOC_CGROUP, KMALLOC_DMA, KMALLOC_TYPES };

static struct kmem_cache *kmalloc_types[KMALLOC_TYPES][CONFIG_KMALLOC_CLASSES];

/* KT1 */
static enum kmalloc_type kmalloc_type(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return KMALLOC_DMA;
	return gfp & __GFP_RECLAIMABLE ? KMALLOC_RECLAIM : KMALLOC_CGROUP;
}

/* Make the cache; of two threads that do so one is too late. NULL iff memory is exhausted. */
static struct kmem_cache *kmalloc_type_make(enum kmalloc_type type, unsigned class)
{
	static const struct {
		const char *before;
		u32 flags;
	} kinds[] = {
		[KMALLOC_RECLAIM] = { "kmalloc-rcl-", SLAB_RECLAIM_ACCOUNT },
		[KMALLOC_CGROUP] = { "kmalloc-cg-", 0 },
		[KMALLOC_DMA] = { "dma-kmalloc-", SLAB_CACHE_DMA },
	};
	size_t size = kmalloc_class_size(class);
	struct kmem_cache *seen = NULL;
	struct kmem_cache *c;
	struct text name;

	kmalloc_class_name(&name, kinds[type].before, size);
	c = cache_make(name.bytes, size, (size_t)1 << bits_lowest(size),
		       SLAB_KMALLOC | kinds[type].flags, NULL);
	if (!c || __atomic_compare_exchange_n(&kmalloc_types[type][class], &seen, c, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return c;
	cache_unmake(c);
	return seen;
}

struct kmem_cache *kmalloc_type_cache(unsigned class, gfp_t gfp)
{
	enum kmalloc_type type = kmalloc_type(gfp);
	struct kmem_cache *c = LOAD_ACQUIRE(kmalloc_types[type][class]);

	if (gfp & __GFP_DMA32) {
		report_refusal("kmalloc", "DMA32", "kmalloc has no caches below 4 GiB");
		return NULL;
	}
	if (type == KMALLOC_DMA && !page_serves(__GFP_DMA)) {
		report_refusal("kmalloc", "DMA", "this home has no DMA memory");
		return NULL;
	}
	if (!c && (gfp & __GFP_DIRECT_RECLAIM))
		c = kmalloc_type_make(type, class);
	if (!c && type != KMALLOC_DMA)
		c = ashlar_kmalloc_caches[class]; /* KT2 */
	return c;
}
