/* SPDX-License-Identifier: MIT */
/*
 * kvmalloc.c - blocks that may as well be a mapping
 *
 * What    kmalloc with little effort, then a mapping of its own. kfree takes either.
 * Rules   KV1 up to a page it is kmalloc, whatever that costs; above, kmalloc is tried for one
 *             light round, or several with __GFP_RETRY_MAYFAIL, and never without end
 *         KV2 a mapping is tried only where the request may wait, for at most 2 GiB
 */
#include "base/memory.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/large.h"

#define KVMALLOC_MAPPING_MAX ((size_t)1 << 31)

/* KV1 */
static gfp_t kvmalloc_gfp(size_t size, gfp_t gfp)
{
	if (size <= PAGE_SIZE)
		return gfp;
	if (!(gfp & __GFP_RETRY_MAYFAIL))
		gfp |= __GFP_NORETRY;
	return (gfp | __GFP_NOWARN) & ~__GFP_NOFAIL;
}

/* KV2 */
static void *kvmalloc_mapping(size_t size, gfp_t gfp)
{
	if (size <= PAGE_SIZE || size > KVMALLOC_MAPPING_MAX || !(gfp & __GFP_DIRECT_RECLAIM) ||
	    (gfp & (__GFP_DMA | __GFP_DMA32)) || !init_ready())
		return NULL;
	return large_alloc_mapping(size, PAGE_SIZE, gfp);
}

void *kvmalloc_node(size_t size, gfp_t gfp, int node)
{
	void *p = kmalloc_node(size, kvmalloc_gfp(size, gfp), node);

	return p ? p : kvmalloc_mapping(size, gfp);
}

void *kvmalloc(size_t size, gfp_t gfp)
{
	return kvmalloc_node(size, gfp, -1);
}

void *kvzalloc(size_t size, gfp_t gfp)
{
	return kvmalloc(size, gfp | __GFP_ZERO);
}

void *kvmalloc_array(size_t count, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(count, size, &bytes) ? NULL : kvmalloc(bytes, gfp);
}

void *kvcalloc(size_t count, size_t size, gfp_t gfp)
{
	return kvmalloc_array(count, size, gfp | __GFP_ZERO);
}

void *kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	size_t usable;
	void *q;

	if (ZERO_OR_NULL_PTR(p))
		return kvmalloc(size, gfp);
	q = krealloc(p, size, kvmalloc_gfp(size, gfp));
	if (q)
		return q;
	q = kvmalloc_mapping(size, gfp);
	if (!q)
		return NULL;
	usable = kmalloc_usable(p, "kvrealloc");
	memcpy(q, p, size_min(usable, size));
	kvfree(p);
	return q;
}

void kvfree(const void *p)
{
	if (!ZERO_OR_NULL_PTR(p))
		kmalloc_free((void *)(uintptr_t)p, "kvfree");
}

void kvfree_sensitive(const void *p, size_t bytes)
{
	void *block = (void *)(uintptr_t)p;

	if (ZERO_OR_NULL_PTR(p))
		return;
	kmalloc_wipe(block, size_min(bytes, kmalloc_usable(p, "kvfree_sensitive")));
	kmalloc_free(block, "kvfree_sensitive");
}
