/* SPDX-License-Identifier: MIT */
/* debug_cache.c - a cache of its own with SLAB_ flags, misused as the argument says */
#include <ashlar/debug.h>

#include "misuse.h"

#define FLAGS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

__attribute__((noinline)) char *take(struct kmem_cache *c)
{
	char *volatile p = kmem_cache_alloc(c, GFP_KERNEL);

	return p;
}

__attribute__((noinline)) void give(struct kmem_cache *c, char *p)
{
	kmem_cache_free(c, p);
	__asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
	struct kmem_cache *c = kmem_cache_create("cats", 100, 0, FLAGS, NULL);
	char *volatile p = take(c), *volatile other = take(c);

	say(p, other);
	if (strcmp(argv[1], "right") == 0)
		p[100] = 1;
	else if (strcmp(argv[1], "left") == 0)
		p[-1] = 1;
	else if (strcmp(argv[1], "twice") == 0)
		give(c, p);
	else if (strcmp(argv[1], "leak") == 0)
		return kmem_cache_destroy(c), 0;
	else if (strcmp(argv[1], "validate") == 0)
		return p[100] = other[-1] = 1, kmem_cache_validate(c) != 2;
	give(c, p);
	p[3] = 1;
	take(c);
	return 0;
}
