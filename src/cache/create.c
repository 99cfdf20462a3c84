/* SPDX-License-Identifier: MIT */
/*
 * create.c - kmem_cache_create and what it checks
 *
 * What    A cache is refused with the reason, made, or, with the option slab_merge, found: a
 *         cache that is alike counts one user more.
 * Rules   L1  nothing is corrected silently: what cannot be is refused
 *         L2  a constructor does not allocate from its own cache
 *         L3  merged are caches without constructor, window, debugging or SLAB_NO_MERGE,
 *             with the same memory, whose stride fits with less than a pointer to spare
 * Source  Linux mm/slab_common.c for what is checked and what is alike
 */
#include "base/check.h"
#include "cache/args.h"
#include "cache/cache.h"
#include "cache/gfp.h"
#include "cache/init.h"
#include "cache/option.h"
#include "cache/rcu.h"
#include "cache/report.h"
#include "port/port.h"

#define CREATE_FLAGS                                                                     \
	(SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_RECLAIM_ACCOUNT | \
	 SLAB_PANIC | SLAB_TYPESAFE_BY_RCU | SLAB_ACCOUNT | SLAB_NO_MERGE | SLAB_DEBUG_FLAGS)

/* Caches with one of these are never merged; merged ones agree in those of the second line. */
#define CREATE_FLAGS_ALONE (SLAB_NO_MERGE | SLAB_KMALLOC | SLAB_TYPESAFE_BY_RCU | SLAB_DEBUG_FLAGS)
#define CREATE_FLAGS_SAME (SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT)

/* What is asked for, put together. */
struct create_want {
	const char *name;
	size_t size;
	unsigned long flags;
	const struct kmem_cache_args *args;
};

/* L1: why such a cache cannot be, or NULL. */
static const char *create_refuse(const struct create_want *w)
{
	const unsigned long zones = w->flags & (SLAB_CACHE_DMA | SLAB_CACHE_DMA32);

	if (!w->name || !*w->name)
		return "a cache needs a name";
	if (w->size == 0)
		return "the size is 0";
	if (w->size > ARGS_SIZE_MAX)
		return "the size is above 4 MiB";
	if (w->flags & ~(unsigned long)CREATE_FLAGS)
		return "unknown flags";
	if (zones == (SLAB_CACHE_DMA | SLAB_CACHE_DMA32))
		return "SLAB_CACHE_DMA and SLAB_CACHE_DMA32 are two different zones";
	if (zones && !page_serves(zones & SLAB_CACHE_DMA ? __GFP_DMA : __GFP_DMA32))
		return "this home has no DMA memory";
	if ((w->flags & SLAB_TYPESAFE_BY_RCU) && !rcu_is_bound())
		return "SLAB_TYPESAFE_BY_RCU needs an RCU: call ashlar_rcu_bind first";
	return args_refuse(w->size, w->args);
}

/* L3: is @c what @want asks for? */
static bool create_is_alike(const struct kmem_cache *c, const void *want)
{
	const struct create_want *w = want;
	size_t align = cache_align(w->size, w->args->align, (u32)w->flags);
	size_t stride = size_align(w->size, align);

	if (c->ctor || c->usersize || (c->flags & CREATE_FLAGS_ALONE) || c->debug.flags)
		return false;
	if ((c->flags ^ w->flags) & CREATE_FLAGS_SAME)
		return false;
	return c->shape.stride >= stride && c->shape.stride - stride < sizeof(void *) &&
	       c->shape.stride % align == 0 && c->align % align == 0;
}

static struct kmem_cache *create_join(const struct create_want *w)
{
	struct kmem_cache *c;
	struct cache_alias *alias;

	if (!options.slab_merge || w->args->ctor || w->args->usersize ||
	    (w->flags & CREATE_FLAGS_ALONE) || debug_names(w->name))
		return NULL;
	alias = kzalloc(sizeof(*alias), GFP_KERNEL);
	if (!alias)
		return NULL; /* it is made, unmerged, if there is memory for that */
	for (size_t i = 0; w->name[i] && i < CACHE_NAME_MAX - 1; i++)
		alias->name[i] = w->name[i];
	c = cache_join(create_is_alike, w, w->size, alias);
	if (!c)
		kfree(alias);
	return c;
}

static struct kmem_cache *create(const struct create_want *w, const char *function)
{
	const char *why = create_refuse(w);
	struct kmem_cache *c = NULL;

	if (!init_ready())
		why = "there is no memory at all";
	else if (!why && w->args->align > map.align)
		why = "this memory cannot be aligned so far";
	if (why)
		report_refusal(function, w->name, why);
	else
		c = create_join(w);
	if (!why && (w->flags & (SLAB_STORE_USER | SLAB_TRACE)))
		port_trace_start();
	if (!why && !c)
		c = cache_make_with(w->name, w->size, (u32)w->flags, w->args, GFP_KERNEL);
	CHECK(c || !(w->flags & SLAB_PANIC), "SLAB_PANIC: the cache could not be created");
	return c;
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned long flags, void (*ctor)(void *))
{
	const struct kmem_cache_args args = { .align = align, .ctor = ctor };
	const struct create_want w = { name, size, flags, &args };

	return create(&w, "kmem_cache_create");
}

struct kmem_cache *kmem_cache_create_args(const char *name, unsigned int size,
					  const struct kmem_cache_args *args, unsigned long flags)
{
	const struct kmem_cache_args none = { 0 };
	const struct create_want w = { name, size, flags, args ? args : &none };

	return create(&w, "kmem_cache_create_args");
}

struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
					      unsigned int align, unsigned long flags,
					      unsigned int useroffset, unsigned int usersize,
					      void (*ctor)(void *))
{
	const struct kmem_cache_args args = {
		.align = align, .useroffset = useroffset, .usersize = usersize, .ctor = ctor
	};
	const struct create_want w = { name, size, flags, &args };

	return create(&w, "kmem_cache_create_usercopy");
}

bool create_construct(struct kmem_cache_node *n, struct page *head, gfp_t gfp)
{
	struct kmem_cache *c = n->cache;
	u32 me = c->ctor && gfp_may_wait(gfp) ? port_thread() : 0; /* no handler's */
	bool done;

	if (me && READ_ONCE(c->constructing) == me) {
		report_refusal("kmem_cache_alloc", c->name,
			       "the constructor allocates from its own cache");
		check_end();
	}
	if (me)
		WRITE_ONCE(c->constructing, me);
	done = slab_prepare(n, head, debug_ctor(c));
	if (me) /* another thread's stays */
		__atomic_compare_exchange_n(&c->constructing, &me, 0, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	return done;
}
