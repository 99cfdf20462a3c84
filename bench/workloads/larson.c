/* SPDX-License-Identifier: MIT */
/*
 * larson.c - a long-running server whose worker threads come and go.
 *
 *   larson [THREADS [OBJECTS [MAX]]]
 *
 * Written from the description in P. Larson and M. Krishnan, "Memory Allocation for Long-Running
 * Server Applications", ISMM 1998: each thread owns an array of objects and replaces random ones;
 * after a while it starts a successor, which inherits the array, and exits. So most objects are
 * freed by another thread than the one that made them, as sessions are in a server.
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>

#define ROUNDS_PER_LIFE 20 /* times OBJECTS replacements before a thread hands over */

static struct larson {
	uint32_t threads, objects, max;
	atomic_bool stop;
	pthread_barrier_t done;
} larson;

struct larson_slots {
	struct bench_rng rng;
	uint64_t ops;
	void **object;
};

static void larson_replace(struct larson_slots *s)
{
	uint32_t at = bench_below(&s->rng, larson.objects);
	uint32_t size = bench_between(&s->rng, 8, larson.max);

	free(s->object[at]);
	s->object[at] = bench_alloc(size);
	bench_touch(s->object[at], size);
	s->ops++;
}

static void larson_start(void *(*body)(void *), struct larson_slots *s)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, s))
		bench_die("pthread_create");
	pthread_detach(thread);
}

static void *larson_life(void *argument)
{
	struct larson_slots *s = argument;

	for (uint32_t i = 0; i < ROUNDS_PER_LIFE * larson.objects; i++) {
		if (atomic_load_explicit(&larson.stop, memory_order_relaxed)) {
			pthread_barrier_wait(&larson.done);
			return NULL;
		}
		larson_replace(s);
	}
	larson_start(larson_life, s);
	return NULL;
}

static void larson_fill(struct larson_slots *s, uint64_t seed)
{
	s->rng = bench_seed(seed);
	s->object = calloc(larson.objects, sizeof(*s->object));
	if (!s->object)
		bench_die("calloc");
	for (uint32_t i = 0; i < larson.objects; i++)
		larson_replace(s);
	s->ops = 0;
}

static void larson_sleep(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000u),
			      .tv_nsec = (long)(ns % 1000000000u) };

	nanosleep(&t, NULL);
}

int main(int argc, char **argv)
{
	struct larson_slots *slots;
	struct bench_meter m;
	uint64_t ops = 0;

	larson.threads = bench_arg(argc, argv, 1, 2);
	larson.objects = bench_arg(argc, argv, 2, 5000);
	larson.max = bench_arg(argc, argv, 3, 1000);
	pthread_barrier_init(&larson.done, NULL, larson.threads + 1);
	slots = bench_alloc(larson.threads * sizeof(*slots));
	for (uint32_t t = 0; t < larson.threads; t++)
		larson_fill(&slots[t], t);
	bench_start(&m);
	for (uint32_t t = 0; t < larson.threads; t++)
		larson_start(larson_life, &slots[t]);
	larson_sleep(bench_budget_ns());
	atomic_store(&larson.stop, true);
	pthread_barrier_wait(&larson.done);
	bench_stop(&m);
	for (uint32_t t = 0; t < larson.threads; t++)
		ops += slots[t].ops;
	m.ops = ops;
	bench_print("larson", &m);
	return 0;
}
