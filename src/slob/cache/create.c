/* SPDX-License-Identifier: MIT */
/*
 * create.c - caches with windows for user copies, on slob
 *
 * What    Of kmem_cache_args a place for a free pointer and a capacity are checked and mean
 *         nothing: slob keeps neither.
 * See     src/cache/create.c for the rules, cache.c for what else is checked
 */
#include "cache/args.h"
#include "cache/block.h"
#include "cache/report.h"

static struct kmem_cache *create(const char *name, unsigned int size,
				 const struct kmem_cache_args *args, unsigned long flags,
				 const char *function)
{
	const char *why = size ? args_refuse(size, args) : NULL; /* 0 is told by cache_create */
	struct kmem_cache *c = NULL;

	if (why) {
		report_refusal(function, name, why);
		cache_create_failed(name, flags, function);
	} else {
		c = cache_create(name, size, args, flags, function);
	}
	if (c) {
		c->useroffset = args->useroffset;
		c->usersize = args->usersize;
	}
	return c;
}

struct kmem_cache *kmem_cache_create_args(const char *name, unsigned int size,
					  const struct kmem_cache_args *args, unsigned long flags)
{
	const struct kmem_cache_args none = { 0 };

	return create(name, size, args ? args : &none, flags, "kmem_cache_create_args");
}

struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
					      unsigned int align, unsigned long flags,
					      unsigned int useroffset, unsigned int usersize,
					      void (*ctor)(void *))
{
	const struct kmem_cache_args args = {
		.align = align, .useroffset = useroffset, .usersize = usersize, .ctor = ctor
	};

	return create(name, size, &args, flags, "kmem_cache_create_usercopy");
}
