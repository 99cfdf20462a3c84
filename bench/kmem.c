/* SPDX-License-Identifier: MIT */
/*
 * kmem.c - named object caches against malloc, in one process and one library.
 *
 *   kmem pair|batch|bulk [SIZE]
 *
 *   pair    kmem_cache_alloc + kmem_cache_free of one object
 *   batch   100 objects up, then down
 *   bulk    the same 100 with kmem_cache_alloc_bulk and kmem_cache_free_bulk
 *
 * Prints two lines: kmem-NAME, and malloc-NAME for the same pattern with malloc and free. The two
 * take turns in chunks of a millisecond, so that whatever disturbs the machine disturbs both.
 */
#include "bench.h"

#include <ashlar/slab.h>

#define BATCH 100
#define CHUNK 100000 /* objects in one turn */

static struct kmem {
	struct kmem_cache *cache;
	size_t size;
	void *object[BATCH];
} kmem;

struct kmem_bench {
	const char *name;
	void (*kmem)(void);
	void (*malloc)(void);
};

static void kmem_pair(void)
{
	for (int i = 0; i < CHUNK; i++)
		kmem_cache_free(kmem.cache, kmem_cache_alloc(kmem.cache, GFP_KERNEL));
}

static void malloc_pair(void)
{
	for (int i = 0; i < CHUNK; i++)
		free(malloc(kmem.size));
}

static void kmem_batch(void)
{
	for (int round = 0; round < CHUNK / BATCH; round++) {
		for (int i = 0; i < BATCH; i++)
			kmem.object[i] = kmem_cache_alloc(kmem.cache, GFP_KERNEL);
		for (int i = 0; i < BATCH; i++)
			kmem_cache_free(kmem.cache, kmem.object[i]);
	}
}

static void malloc_batch(void)
{
	for (int round = 0; round < CHUNK / BATCH; round++) {
		for (int i = 0; i < BATCH; i++)
			kmem.object[i] = malloc(kmem.size);
		for (int i = 0; i < BATCH; i++)
			free(kmem.object[i]);
	}
}

static void kmem_bulk(void)
{
	for (int round = 0; round < CHUNK / BATCH; round++) {
		if (!kmem_cache_alloc_bulk(kmem.cache, GFP_KERNEL, BATCH, kmem.object))
			bench_die("kmem_cache_alloc_bulk");
		kmem_cache_free_bulk(kmem.cache, BATCH, kmem.object);
	}
}

static const struct kmem_bench kmem_benches[] = {
	{ "pair", kmem_pair, malloc_pair },
	{ "batch", kmem_batch, malloc_batch },
	{ "bulk", kmem_bulk, malloc_batch },
};

static const struct kmem_bench *kmem_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kmem_benches) / sizeof(kmem_benches[0]); i++)
		if (!strcmp(name, kmem_benches[i].name))
			return &kmem_benches[i];
	fprintf(stderr, "usage: kmem pair|batch|bulk [SIZE]\n");
	exit(2);
}

static void kmem_turn(void (*work)(void), struct bench_meter *m)
{
	struct bench_meter turn;

	bench_start(&turn);
	work();
	bench_stop(&turn);
	m->wall_ns += turn.wall_ns;
	m->cpu_ns += turn.cpu_ns;
	m->ops += CHUNK;
}

int main(int argc, char **argv)
{
	const struct kmem_bench *b = kmem_find(argc > 1 ? argv[1] : "");
	struct bench_meter k = { 0, 0, 0 }, m = { 0, 0, 0 };
	char name[32];

	kmem.size = bench_arg(argc, argv, 2, 64);
	kmem.cache = kmem_cache_create("bench", (unsigned int)kmem.size, 0, 0, NULL);
	if (!kmem.cache)
		bench_die("kmem_cache_create");
	b->kmem();
	b->malloc();
	for (uint64_t end = bench_wall_ns() + bench_budget_ns(); bench_wall_ns() < end;) {
		kmem_turn(b->kmem, &k);
		kmem_turn(b->malloc, &m);
	}
	snprintf(name, sizeof(name), "kmem-%s", b->name);
	bench_print(name, &k);
	snprintf(name, sizeof(name), "malloc-%s", b->name);
	bench_print(name, &m);
	kmem_cache_destroy(kmem.cache);
	return 0;
}
