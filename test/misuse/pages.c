/* SPDX-License-Identifier: MIT */
/* pages.c - blocks of pages, large blocks and mappings given to who does not take them */
#include <ashlar/mm.h>
#include <ashlar/slab.h>

#include "misuse.h"

#define HUGE_BYTES (20u << 20)

static char *taken(unsigned order)
{
	return (char *)__get_free_pages(GFP_KERNEL, order);
}

static void block(const char *what)
{
	char *a = taken(2);

	if (strcmp(what, "free") == 0)
		free(say(a, a));
	else if (strcmp(what, "kfree") == 0)
		kfree(say(a, a));
	else if (strcmp(what, "one") == 0)
		kfree(say(a = taken(0), a));
	else if (strcmp(what, "realloc") == 0)
		a = realloc(say(a, a), 10);
	else if (strcmp(what, "ksize") == 0)
		ksize(say(a, a));
	else if (strcmp(what, "order") == 0)
		__free_pages(virt_to_page(say(a, a)), 1);
	else if (strcmp(what, "inside") == 0)
		free_pages((unsigned long)say(a + 4096, a), 0);
	else if (strcmp(what, "inside-order") == 0)
		free_pages((unsigned long)say(a + 8192, a), 1);
	else if (strcmp(what, "kfree-inside") == 0)
		kfree(say(a + 4096, a));
	else if (strcmp(what, "twice") == 0)
		free_pages((unsigned long)say(a, a), 2), free_pages((unsigned long)a, 2);
	else if (strcmp(what, "one-twice") == 0)
		a = taken(0), free_pages((unsigned long)say(a, a), 0),
		free_pages((unsigned long)a, 0);
	else if (strcmp(what, "kfree-twice") == 0)
		free_pages((unsigned long)say(a, a), 2), kfree(a);
}

static void pages(const char *what)
{
	char *small = kmalloc(64, GFP_KERNEL);
	char *large = malloc(102400);
	char *huge = malloc(HUGE_BYTES);
	char *slab = (char *)((uintptr_t)small & ~(uintptr_t)4095);

	if (strcmp(what, "slab") == 0)
		free_pages((unsigned long)say(slab, slab), 0);
	else if (strcmp(what, "large") == 0)
		free_pages((unsigned long)say(large, large), 0);
	else if (strcmp(what, "large-inside") == 0)
		free_pages((unsigned long)say(large + 4096, large), 0);
	else if (strcmp(what, "mapping") == 0)
		free_pages((unsigned long)say(huge, huge), 0);
}

static void destroy(const char *what)
{
	char *p = NULL;

	if (strcmp(what, "object") == 0)
		p = kmalloc(64, GFP_KERNEL);
	else if (strcmp(what, "large") == 0)
		p = kmalloc(3u << 20, GFP_KERNEL);
	else if (strcmp(what, "mapping") == 0)
		p = kmalloc(HUGE_BYTES, GFP_KERNEL);
	kmem_cache_destroy((struct kmem_cache *)say(p, p));
}

static void mapping(const char *what)
{
	char *q = kvmalloc(HUGE_BYTES, GFP_KERNEL);
	struct kmem_cache *cats = kmem_cache_create("cats", 100, 0, 0, NULL);

	if (strcmp(what, "kvfree") == 0)
		kvfree(say(q + 4096, q));
	else if (strcmp(what, "realloc") == 0)
		q = realloc(say(q + 4096, q), 10);
	else if (strcmp(what, "ksize") == 0)
		ksize(say(q + 16, q));
	else if (strcmp(what, "end") == 0)
		kfree(say(q + HUGE_BYTES - 16, q));
	else if (strcmp(what, "cache") == 0)
		kmem_cache_free(cats, say(q, q));
	else if (strcmp(what, "untouched") == 0)
		q = malloc(100000), free(say(q + (1 << 20), q));
}

int main(int argc, char **argv)
{
	const char *what = argv[argc - 1];

	if (strcmp(argv[argc - 2], "block") == 0)
		block(what);
	else if (strcmp(argv[argc - 2], "pages") == 0)
		pages(what);
	else if (strcmp(argv[argc - 2], "destroy") == 0)
		destroy(what);
	else
		mapping(what);
	return 0;
}
