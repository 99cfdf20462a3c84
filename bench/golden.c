/* SPDX-License-Identifier: MIT */
/*
 * golden.c - the calls whose instructions golden.py counts, each between two marks.
 *
 * The process warms each path, stops itself with SIGSTOP, and goes on under step.c, which records
 * every instruction. golden.py finds golden_begin and golden_end in the record and counts what
 * lies between them inside the allocator's library.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef GOLDEN_KMEM
#include <ashlar/slab.h>
#endif

#define WARM 64
#define BULK 100 /* golden.py divides by it */

__attribute__((noinline, used)) static void golden_begin(void)
{
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline, used)) static void golden_end(void)
{
	__asm__ volatile("" ::: "memory");
}

static void golden_malloc(size_t size)
{
	void *p;

	golden_begin();
	p = malloc(size);
	golden_end();
	golden_begin();
	free(p);
	golden_end();
}

static void golden_realloc(void)
{
	void *p = malloc(64);

	golden_begin();
	p = realloc(p, 1000);
	golden_end();
	golden_begin();
	p = realloc(p, 64);
	golden_end();
	free(p);
}

static void golden_operations(void)
{
	golden_malloc(64);
	golden_malloc(1000);
	golden_realloc();
#ifdef GOLDEN_KMEM
	static struct kmem_cache *cache;
	void *object;

	if (!cache)
		cache = kmem_cache_create("golden", 64, 0, 0, NULL);
	golden_begin();
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	golden_end();
	golden_begin();
	kmem_cache_free(cache, object);
	golden_end();
	static void *objects[BULK];

	golden_begin();
	kmem_cache_alloc_bulk(cache, GFP_KERNEL, BULK, objects);
	golden_end();
	golden_begin();
	kmem_cache_free_bulk(cache, BULK, objects);
	golden_end();
#endif
}

int main(void)
{
	for (int i = 0; i < WARM; i++)
		golden_operations();
	raise(SIGSTOP);
	golden_operations();
	_exit(0);
}
