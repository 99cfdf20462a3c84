/* SPDX-License-Identifier: MIT */
/* cache.c - one misuse of a cache's life, named by the argument; what is refused is survived */
#include <ashlar/debug.h>
#include <ashlar/slab.h>

#include "misuse.h"

static struct kmem_cache *cats;
static struct kmem_cache *dogs;
static char outside[64] __attribute__((aligned(64)));

static struct kmem_cache *greedy;

static void take_more(void *object)
{
	(void)object;
	kmem_cache_alloc(greedy, GFP_KERNEL);
}

static void refused(const struct kmem_cache *c)
{
	if (c)
		abort();
}

static struct kmem_cache *with(const struct kmem_cache_args *args)
{
	return kmem_cache_create_args("args", 64, args, 0);
}

static void create(const char *what)
{
	if (strcmp(what, "no-name") == 0)
		refused(kmem_cache_create(NULL, 64, 0, 0, NULL));
	else if (strcmp(what, "empty-name") == 0)
		refused(kmem_cache_create("", 64, 0, 0, NULL));
	else if (strcmp(what, "size-0") == 0)
		refused(kmem_cache_create("none", 0, 0, 0, NULL));
	else if (strcmp(what, "size-large") == 0)
		refused(kmem_cache_create("whale", (4u << 20) + 1, 0, 0, NULL));
	else if (strcmp(what, "flags") == 0)
		refused(kmem_cache_create("flags", 64, 0, 1ul << 31, NULL));
	else if (strcmp(what, "align") == 0)
		refused(kmem_cache_create("align", 64, 24, 0, NULL));
	else if (strcmp(what, "zones") == 0)
		refused(kmem_cache_create("zones", 64, 0, SLAB_CACHE_DMA | SLAB_CACHE_DMA32, NULL));
	else if (strcmp(what, "dma") == 0)
		refused(kmem_cache_create("dma", 64, 0, SLAB_CACHE_DMA, NULL));
	else if (strcmp(what, "rcu") == 0)
		refused(kmem_cache_create("rcu", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL));
	else if (strcmp(what, "panic") == 0)
		refused(kmem_cache_create("must", 0, 0, SLAB_PANIC, NULL));
	else if (strcmp(what, "constructor") == 0)
		greedy = kmem_cache_create("greedy", 64, 0, 0, take_more),
		kmem_cache_alloc(greedy, GFP_KERNEL);
	else if (strcmp(what, "window-outside") == 0)
		refused(with(&(struct kmem_cache_args){ .useroffset = 40, .usersize = 25 }));
	else if (strcmp(what, "window-empty") == 0)
		refused(with(&(struct kmem_cache_args){ .useroffset = 40 }));
	else if (strcmp(what, "pointer-outside") == 0)
		refused(with(&(struct kmem_cache_args){ .use_freeptr_offset = true,
							.freeptr_offset = 60 }));
	else if (strcmp(what, "sheaf") == 0)
		refused(with(&(struct kmem_cache_args){ .sheaf_capacity = 1000 }));
}

static void destroy(const char *what)
{
	if (strcmp(what, "null") == 0)
		kmem_cache_destroy(NULL);
	else if (strcmp(what, "in-use") == 0)
		kmem_cache_destroy(cats);
	else if (strcmp(what, "nothing") == 0)
		kmem_cache_destroy((struct kmem_cache *)outside);
	else if (strcmp(what, "twice") == 0)
		kmem_cache_destroy(dogs), kmem_cache_destroy(dogs);
	else if (strcmp(what, "alloc") == 0)
		kmem_cache_destroy(dogs), kmem_cache_alloc(dogs, GFP_KERNEL);
	else if (strcmp(what, "alloc-bulk") == 0)
		kmem_cache_destroy(dogs),
			kmem_cache_alloc_bulk(dogs, GFP_KERNEL, 2, (void *[2]){ 0 });
	else if (strcmp(what, "alloc-node") == 0)
		kmem_cache_destroy(dogs), kmem_cache_alloc_node(dogs, GFP_KERNEL, 1);
	else if (strcmp(what, "alloc-other-node") == 0)
		kmem_cache_destroy(dogs),
			kmem_cache_alloc_node(dogs, GFP_KERNEL | __GFP_THISNODE, 1);
	else if (strcmp(what, "alloc-no-node") == 0)
		kmem_cache_destroy(dogs),
			kmem_cache_alloc_node(dogs, GFP_KERNEL | __GFP_THISNODE, 100);
	else if (strcmp(what, "validate") == 0)
		kmem_cache_destroy(dogs), kmem_cache_validate(dogs);
	else if (strcmp(what, "validate-null") == 0)
		kmem_cache_validate(NULL);
	else if (strcmp(what, "shrink") == 0)
		kmem_cache_destroy(dogs), kmem_cache_shrink(dogs);
	else if (strcmp(what, "tune") == 0)
		kmem_cache_destroy(dogs), kmem_cache_tune(dogs, 10, 5, 0);
	else if (strcmp(what, "size") == 0)
		kmem_cache_destroy(dogs), kmem_cache_size(dogs);
	else if (strcmp(what, "shrink-null") == 0)
		kmem_cache_shrink(NULL);
	else if (strcmp(what, "debug") == 0)
		kmem_cache_destroy(dogs), kmem_cache_debug(dogs, "P");
}

static void give(const char *what, char *cat)
{
	if (strcmp(what, "null") == 0)
		kmem_cache_free(cats, NULL);
	else if (strcmp(what, "other-cache") == 0)
		kmem_cache_free(dogs, cat);
	else if (strcmp(what, "kmalloc") == 0)
		kmem_cache_free(cats, say(kmalloc(100, GFP_KERNEL), NULL));
	else if (strcmp(what, "static") == 0)
		kmem_cache_free(cats, say(outside, NULL));
	else if (strcmp(what, "inside") == 0)
		kmem_cache_free(cats, say(cat + 16, cat));
	else if (strcmp(what, "odd") == 0)
		kmem_cache_free(cats, say(cat + 1, cat));
	else if (strcmp(what, "twice") == 0)
		kmem_cache_free(cats, cat), kmem_cache_free(cats, cat);
	else if (strcmp(what, "kfree-twice") == 0)
		kmem_cache_free(cats, cat), kfree(cat);
	else if (strcmp(what, "kfree") == 0)
		kfree(cat);
	else if (strcmp(what, "bulk-twice") == 0)
		kmem_cache_free_bulk(cats, 2, (void *[]){ cat, cat });
	else if (strcmp(what, "bulk-other") == 0)
		kmem_cache_free_bulk(dogs, 1, (void *[]){ cat });
	else if (strcmp(what, "bulk-null") == 0)
		kmem_cache_free_bulk(NULL, 1, (void *[]){ cat });
	else if (strcmp(what, "cache") == 0)
		free(say(dogs, dogs));
	else if (strcmp(what, "kfree-cache") == 0)
		kfree(say(dogs, dogs));
	else if (strcmp(what, "cache-to-cache") == 0)
		kmem_cache_free(cats, say(dogs, dogs));
	else if (strcmp(what, "cache-to-itself") == 0)
		kmem_cache_free(dogs, say(dogs, dogs));
	else if (strcmp(what, "realloc-cache") == 0)
		realloc(say(dogs, dogs), 100000);
	else if (strcmp(what, "destroyed") == 0)
		kmem_cache_destroy(dogs), kmem_cache_free(dogs, cat);
}

int main(int argc, char **argv)
{
	char *cat;

	cats = kmem_cache_create("cats", 200, 0, 0, NULL);
	dogs = kmem_cache_create("dogs", 200, 0, 0, NULL);
	cat = kmem_cache_alloc(cats, GFP_KERNEL);
	if (strcmp(argv[1], "create") == 0)
		create(argv[2]);
	else if (strcmp(argv[1], "destroy") == 0)
		destroy(argv[2]);
	else
		say(cat, cat), give(argv[2], cat);
	/* What was refused has harmed nothing. */
	cat = kmem_cache_alloc(cats, GFP_KERNEL);
	memset(cat, 1, 200);
	kmem_cache_free(cats, cat);
	return 0;
}
