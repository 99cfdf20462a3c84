/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.c - see kmalloc.h
 */
#include "cache/kmalloc.h"
#include "base/memory.h"
#include "cache/watch.h"

/* All that kmalloc hands out; Ashlar's own blocks come from block_alloc, not failing on purpose. */
static void *kmalloc_block(size_t size, size_t align, gfp_t gfp, int node)
{
	return watch_fails(NULL, size, gfp) ? NULL :
					      block_alloc(size, align, NULL, watch_gfp(gfp), node);
}

void *kmalloc_slow(size_t size, gfp_t gfp)
{
	return kmalloc_block(size, BLOCK_ALIGN, gfp, -1);
}

void *kmalloc_aligned(size_t size, size_t align, gfp_t gfp)
{
	return kmalloc_block(size, size_max(align, BLOCK_ALIGN), gfp, -1);
}

void *kmalloc_node(size_t size, gfp_t gfp, int node)
{
	return size ? kmalloc_block(size, kmalloc_natural(size), gfp, node) : ZERO_SIZE_PTR;
}

void *ashlar_kmalloc(size_t size, ashlar_gfp_t gfp)
{
	return kmalloc_node(size, gfp, -1);
}

void *kzalloc(size_t size, gfp_t gfp)
{
	return ashlar_kmalloc(size, gfp | __GFP_ZERO);
}

void *kmalloc_array(size_t count, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return ashlar_kmalloc(bytes, gfp);
}

void *kcalloc(size_t count, size_t size, gfp_t gfp)
{
	return kmalloc_array(count, size, gfp | __GFP_ZERO);
}

void kfree(const void *p)
{
	if (!ZERO_OR_NULL_PTR(p))
		block_free((void *)(uintptr_t)p, NULL, "kfree");
}

void kfree_sensitive(const void *p)
{
	void *block = (void *)(uintptr_t)p;

	if (ZERO_OR_NULL_PTR(p))
		return;
	kmalloc_wipe(block, block_usable(p, "kfree_sensitive"));
	block_free(block, NULL, "kfree_sensitive");
}

size_t ksize(const void *p)
{
	return ZERO_OR_NULL_PTR(p) ? 0 : block_usable(p, "ksize");
}

size_t kmalloc_size_roundup(size_t size)
{
	if (size == 0)
		return 0;
	return size > SIZE_MAX - PAGE_SIZE ? SIZE_MAX : block_roundup(size);
}

void *kmalloc_resize(void *p, size_t size, gfp_t gfp, const char *function)
{
	size_t usable = block_usable(p, function);
	void *q;

	if (size <= SIZE_MAX / 2 && block_resize(p, size, gfp & __GFP_ACCOUNT)) {
		size_t now = block_usable(p, function);

		size_t kept = size_min(usable, size);

		if ((gfp & __GFP_ZERO) && now > kept)
			memset((char *)p + kept, 0, now - kept);
		return p;
	}
	q = kmalloc_slow(size, gfp);
	if (!q)
		return size <= usable ? p : NULL; /* a smaller block cannot be had: keep the old */
	memcpy(q, p, size_min(usable, size));
	kmalloc_free(p, function);
	return q;
}

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	if (ZERO_OR_NULL_PTR(p))
		return ashlar_kmalloc(size, gfp);
	if (size == 0) {
		kfree(p);
		return ZERO_SIZE_PTR;
	}
	return kmalloc_resize((void *)(uintptr_t)p, size, gfp, "krealloc");
}

void *krealloc_array(void *p, size_t count, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return krealloc(p, bytes, gfp);
}
