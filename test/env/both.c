/* SPDX-License-Identifier: MIT */
/*
 * both.c - linked with libashlar.so and run with libashlar-malloc.so preloaded
 *
 * Why     There must be one core: kmalloc's memory goes to free and back, and a cache
 *         made through one library is seen through the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ashlar/slab.h>

int main(int argc, char **argv)
{
	int one_core = argc > 1 && !strcmp(argv[1], "one");
	struct kmem_cache *c = kmem_cache_create("both-test", 200, 0, 0, NULL);
	void *p[100];
	int i;

	if (!c)
		return 2;
	for (i = 0; i < 100; i++)
		p[i] = memset(kmem_cache_alloc(c, GFP_KERNEL), i, 200);
	for (i = 0; i < 100; i++)
		kmem_cache_free(c, p[i]);
	kmem_cache_destroy(c);
	for (size_t n = 1; n < 10 << 20; n *= 2) {
		kfree(memset(kmalloc(n, GFP_KERNEL), 1, n));
		free(memset(malloc(n), 1, n));
		if (one_core) {
			free(kmalloc(n, GFP_KERNEL));
			kfree(malloc(n));
		}
	}
	puts("done");
	return 0;
}
