/* SPDX-License-Identifier: MIT */
/*
 * sh8.c - as sh6, with threads that free each other's objects.
 *
 *   sh8 [THREADS]
 *
 * In the manner of MicroQuill's SmartHeap benchmark sh8bench, from its description in D. Leijen, B.
 * Zorn and L. de Moura, "Mimalloc: Free List Sharding in Action", MSR-TR-2019-18: multi-threaded,
 * some objects are freed by other threads, as in larson, and some in reverse order, as in sh6bench.
 * Here each thread leaves half of every batch in its neighbour's mailbox and frees what it finds in
 * its own.
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>

#define BATCH 400
#define ROUNDS 400

struct sh8_half {
	void *object[BATCH / 2];
};

static struct sh8 {
	uint32_t threads;
	_Atomic(struct sh8_half *) mailbox[64];
} sh8;

static void *sh8_new(struct bench_rng *rng)
{
	uint32_t limit = 1000u >> bench_below(rng, 6);
	uint32_t size = bench_between(rng, 1, limit);
	void *p = bench_alloc(size);

	bench_touch(p, size);
	return p;
}

static void sh8_free_half(struct sh8_half *half, bool reverse)
{
	if (!half)
		return;
	for (uint32_t i = 0; i < BATCH / 2; i++)
		free(half->object[reverse ? BATCH / 2 - 1 - i : i]);
	free(half);
}

static struct sh8_half *sh8_make_half(struct bench_rng *rng)
{
	struct sh8_half *half = bench_alloc(sizeof(*half));

	for (uint32_t i = 0; i < BATCH / 2; i++)
		half->object[i] = sh8_new(rng);
	return half;
}

static void *sh8_thread(void *argument)
{
	uint32_t self = (uint32_t)(uintptr_t)argument;
	uint32_t next = (self + 1) % sh8.threads;
	struct bench_rng rng = bench_seed(self);

	for (int round = 0; round < ROUNDS; round++) {
		struct sh8_half *given = sh8_make_half(&rng);
		struct sh8_half *own = sh8_make_half(&rng);

		/* What the neighbour had not collected yet comes back to its maker. */
		sh8_free_half(atomic_exchange(&sh8.mailbox[next], given), false);
		sh8_free_half(own, true);
		sh8_free_half(atomic_exchange(&sh8.mailbox[self], NULL), round % 2);
	}
	return NULL;
}

static void sh8_round(void)
{
	pthread_t thread[64];

	for (uintptr_t t = 0; t < sh8.threads; t++)
		if (pthread_create(&thread[t], NULL, sh8_thread, (void *)t))
			bench_die("pthread_create");
	for (uint32_t t = 0; t < sh8.threads; t++)
		pthread_join(thread[t], NULL);
	for (uint32_t t = 0; t < sh8.threads; t++)
		sh8_free_half(atomic_exchange(&sh8.mailbox[t], NULL), false);
}

int main(int argc, char **argv)
{
	uint64_t ops = 0, end = bench_wall_ns() + bench_budget_ns();
	struct bench_meter m;

	sh8.threads = bench_arg(argc, argv, 1, 2);
	if (!sh8.threads || sh8.threads > 64)
		bench_die("1 <= THREADS <= 64");
	bench_start(&m);
	do {
		sh8_round();
		ops += (uint64_t)sh8.threads * BATCH * ROUNDS;
	} while (bench_wall_ns() < end);
	bench_stop(&m);
	m.ops = ops;
	bench_print("sh8", &m);
	return 0;
}
