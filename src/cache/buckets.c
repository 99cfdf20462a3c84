/* SPDX-License-Identifier: MIT */
/*
 * buckets.c - sets of size caches apart from all others
 *
 * What    A set has a cache for each class of kmalloc. All are made at once, so that a request
 *         never has to make one.
 * Rules   BU1 no other cache shares a slab with one of a set; a set is whole or not there
 *         BU2 kmem_buckets_destroy alone ends it: it is held, so its free is reported
 * Source  Linux mm/slab_common.c, kmem_buckets_create
 */
#include "base/text.h"
#include "cache/cache.h"
#include "cache/hold.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/large.h"
#include "cache/report.h"

#define BUCKETS_NAME_MAX (CACHE_NAME_MAX - 6) /* "-1280" and the end */

struct kmem_buckets {
	struct kmem_cache *cache[CONFIG_KMALLOC_CLASSES];
};

static void buckets_end(struct kmem_buckets *b)
{
	for (unsigned class = 0; class < CONFIG_KMALLOC_CLASSES; class ++)
		if (b->cache[class])
			kmem_cache_destroy(b->cache[class]);
	hold_end(b);
	kfree(b);
}

/* The cache of one class: the window is as much of it as is inside. */
static struct kmem_cache *buckets_make(const char *before, size_t size, unsigned long flags,
				       const struct kmem_cache_args *want)
{
	struct kmem_cache_args args = *want;
	struct text name;

	args.align = (unsigned)(size & -size);
	if (args.useroffset >= size) {
		args.useroffset = 0;
		args.usersize = 0;
	}
	args.usersize = (unsigned)size_min(args.usersize, size - args.useroffset);
	kmalloc_class_name(&name, before, size);
	return kmem_cache_create_args(name.bytes, (unsigned)size, &args, flags | SLAB_NO_MERGE);
}

struct kmem_buckets *kmem_buckets_create(const char *name, unsigned long flags,
					 unsigned int useroffset, unsigned int usersize,
					 void (*ctor)(void *))
{
	const struct kmem_cache_args args = { .useroffset = useroffset,
					      .usersize = usersize,
					      .ctor = ctor };
	char before[BUCKETS_NAME_MAX + 2] = { 0 };
	struct kmem_buckets *b;
	size_t length = 0;

	while (name && length < BUCKETS_NAME_MAX && name[length]) {
		before[length] = name[length];
		length++;
	}
	if (length == 0 || name[length]) {
		report_refusal("kmem_buckets_create", name,
			       "a set needs a name of 1 to 26 characters");
		return NULL;
	}
	before[length] = '-';
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (b)
		hold(b); /* BU2 */
	for (unsigned class = 0; b && class < CONFIG_KMALLOC_CLASSES; class ++) {
		b->cache[class] = buckets_make(before, kmalloc_class_size(class), flags, &args);
		if (!b->cache[class]) {
			buckets_end(b); /* BU1 */
			b = NULL;
		}
	}
	return b;
}

void kmem_buckets_destroy(struct kmem_buckets *b)
{
	if (!b)
		return;
	for (unsigned class = 0; class < CONFIG_KMALLOC_CLASSES; class ++)
		if (!cache_empty(b->cache[class], "kmem_buckets_destroy", "set"))
			return;
	buckets_end(b);
}

void *kmem_buckets_alloc(struct kmem_buckets *b, size_t size, gfp_t gfp)
{
	if (!b || size == 0 || size > CONFIG_KMALLOC_MAX_CACHE)
		return ashlar_kmalloc(size, gfp);
	return kmalloc_from(b->cache[ashlar_kmalloc_class(size)], size, gfp);
}

void *kmem_buckets_valloc(struct kmem_buckets *b, size_t size, gfp_t gfp)
{
	void *p;

	if (!b || size == 0 || size > CONFIG_KMALLOC_MAX_CACHE)
		return kvmalloc(size, gfp);
	p = kmem_buckets_alloc(b, size, size > PAGE_SIZE ? gfp | __GFP_NORETRY : gfp);
	if (p || size <= PAGE_SIZE || !(gfp & __GFP_DIRECT_RECLAIM))
		return p;
	return large_alloc_mapping(size, PAGE_SIZE, gfp); /* shares nothing, too */
}
