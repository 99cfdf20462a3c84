/* SPDX-License-Identifier: MIT */
/*
 * sized.c - see sized.h
 */
#include "cache/sized.h"
#include "base/bits.h"
#include "cache/kmalloc.h"
#include "cache/option.h"
#include "cache/report.h"

/* What memalign makes of an alignment: the next power of two. */
static size_t sized_round_alignment(size_t align)
{
	return (size_t)1 << bits_log2_ceil(size_max(size_min(align, SIZE_MAX / 2 + 1), 1));
}

/* SZ1 */
static bool sized_fits(size_t usable, size_t size, size_t align)
{
	const struct kmem_cache *c = kmalloc_cache(size, sized_round_alignment(align));

	if (size > usable)
		return false;
	if (usable == (c ? kmalloc_class_bytes(c) : size_align(size_max(size, 1), PAGE_SIZE)))
		return true;
	return size > usable / 2 || usable <= 64;
}

noinline void sized_check(const void *p, size_t size, size_t align, const char *function)
{
	if (!sized_fits(kmalloc_usable(p, function), size, align))
		report_size(function, p, size); /* SZ2 */
}

/* The usual answer, from the page map alone, where the free looks, too. Objects with red zones are
 * looked up: they know what was asked for. */
static always_inline bool sized_is_right(const void *p, size_t size)
{
	return kmalloc_is_class(p, size) && !options.slab_debug[0];
}

void kfree_sized(const void *p, size_t size)
{
	void *block = (void *)(uintptr_t)p;
	enum kmalloc_push how;

	if (unlikely(!sized_is_right(p, size))) {
		if (ZERO_OR_NULL_PTR(p))
			return;
		sized_check(p, size, 1, "kfree_sized");
	}
	how = kmalloc_push(block);
	if (how == KMALLOC_RELEASED)
		kmalloc_free_released(block);
	else if (unlikely(how == KMALLOC_UNKNOWN))
		kmalloc_free(block, "kfree_sized");
}
