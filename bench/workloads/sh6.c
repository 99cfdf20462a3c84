/* SPDX-License-Identifier: MIT */
/*
 * sh6.c - batches freed partly last in, first out, partly in the order they came.
 *
 *   sh6 [THREADS]
 *
 * In the manner of MicroQuill's SmartHeap benchmark sh6bench, from its description in D. Leijen, B.
 * Zorn and L. de Moura, "Mimalloc: Free List Sharding in Action", MSR-TR-2019-18: a stress test
 * where some objects are freed in the usual last-allocated, first-freed order and others in
 * reverse. Sizes grow from 1 to 1000 bytes, small ones far more often. Threads share nothing.
 */
#include "bench.h"

#include <pthread.h>

#define BATCH 1000
#define ROUNDS 200

static uint32_t sh6_size(struct bench_rng *rng)
{
	uint32_t limit = 1000u >> bench_below(rng, 6);

	return bench_between(rng, 1, limit);
}

static void sh6_fill(void **object, uint32_t n, struct bench_rng *rng)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = sh6_size(rng);

		object[i] = bench_alloc(size);
		bench_touch(object[i], size);
	}
}

static void sh6_free_lifo(void **object, uint32_t from, uint32_t to)
{
	while (to > from)
		free(object[--to]);
}

static void sh6_free_fifo(void **object, uint32_t from, uint32_t to)
{
	while (from < to)
		free(object[from++]);
}

/* The newer half goes at once, newest first; the older half waits for the next batch to be made. */
static void *sh6_thread(void *argument)
{
	struct bench_rng rng = bench_seed((uintptr_t)argument);
	void **batch[2] = { bench_alloc(BATCH * sizeof(void *)),
			    bench_alloc(BATCH * sizeof(void *)) };

	for (int round = 0; round < ROUNDS; round++) {
		sh6_fill(batch[round % 2], BATCH, &rng);
		if (round)
			sh6_free_fifo(batch[(round + 1) % 2], 0, BATCH / 2);
		sh6_free_lifo(batch[round % 2], BATCH / 2, BATCH);
	}
	sh6_free_fifo(batch[(ROUNDS + 1) % 2], 0, BATCH / 2);
	free(batch[0]);
	free(batch[1]);
	return NULL;
}

static void sh6_round(pthread_t *thread, uint32_t threads)
{
	for (uintptr_t t = 0; t < threads; t++)
		if (pthread_create(&thread[t], NULL, sh6_thread, (void *)t))
			bench_die("pthread_create");
	for (uint32_t t = 0; t < threads; t++)
		pthread_join(thread[t], NULL);
}

int main(int argc, char **argv)
{
	uint32_t threads = bench_arg(argc, argv, 1, 2);
	pthread_t *thread = bench_alloc(threads * sizeof(*thread));
	uint64_t ops = 0, end = bench_wall_ns() + bench_budget_ns();
	struct bench_meter m;

	bench_start(&m);
	do {
		sh6_round(thread, threads);
		ops += (uint64_t)threads * BATCH * ROUNDS;
	} while (bench_wall_ns() < end);
	bench_stop(&m);
	m.ops = ops;
	bench_print("sh6", &m);
	return 0;
}
