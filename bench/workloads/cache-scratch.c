/* SPDX-License-Identifier: MIT */
/*
 * cache-scratch.c - does the allocator give two threads parts of one cache line?
 *
 *   cache-scratch [THREADS [SIZE [WRITES]]]
 *   cache-thrash is the same program called by that name: without the objects from the main thread
 *
 * Written from the description in E. Berger, K. McKinley, R. Blumofe and P. Wilson, "Hoard: A
 * Scalable Memory Allocator for Multithreaded Applications", ASPLOS 2000. Scratch is *passive*
 * false sharing: the main thread makes small objects side by side and gives one to each thread,
 * which frees it; an allocator that hands the piece out again in that thread has them share a line
 * from then on. Thrash is *active*: the threads' own allocations come from one line. The operation
 * timed is one write to the object, so false sharing shows as a multiple of the others' figures.
 */
#include "bench.h"

#include <pthread.h>

#define LIVES 200 /* objects that each thread writes to in turn */

static struct scratch {
	uint32_t size, writes;
} scratch;

static void scratch_write(char *object)
{
	volatile char *p = object;

	for (uint32_t i = 0; i < scratch.writes; i++)
		for (uint32_t at = 0; at < scratch.size; at++)
			p[at] = (char)(p[at] + 1);
}

static void *scratch_thread(void *from_main)
{
	free(from_main);
	for (int life = 0; life < LIVES; life++) {
		char *p = bench_alloc(scratch.size);

		memset(p, 0, scratch.size);
		scratch_write(p);
		free(p);
	}
	return NULL;
}

static bool scratch_is_active(const char *name)
{
	const char *slash = strrchr(name, '/');

	return !strcmp(slash ? slash + 1 : name, "cache-thrash");
}

int main(int argc, char **argv)
{
	uint32_t threads = bench_arg(argc, argv, 1, 2);
	bool active = scratch_is_active(argv[0]);
	pthread_t *thread = bench_alloc(threads * sizeof(*thread));
	void **object = bench_alloc(threads * sizeof(*object));
	struct bench_meter m;

	scratch.size = bench_arg(argc, argv, 2, 8);
	scratch.writes = bench_arg(argc, argv, 3, 50000);
	for (uint32_t t = 0; t < threads; t++)
		object[t] = active ? NULL : bench_alloc(scratch.size);
	bench_start(&m);
	for (uint32_t t = 0; t < threads; t++)
		if (pthread_create(&thread[t], NULL, scratch_thread, object[t]))
			bench_die("pthread_create");
	for (uint32_t t = 0; t < threads; t++)
		pthread_join(thread[t], NULL);
	bench_stop(&m);
	m.ops = (uint64_t)threads * LIVES * scratch.writes * scratch.size;
	bench_print(active ? "cache-thrash" : "cache-scratch", &m);
	return 0;
}
