/* SPDX-License-Identifier: MIT */
/*
 * xmalloc.c - threads that only allocate, and as many that only free.
 *
 *   xmalloc [PAIRS]
 *
 * Written from the description of the malloc-test of C. Lever and D. Boreham, "malloc() Performance
 * in a Multithreaded Linux Environment", USENIX 2000 (Freenix), in the asymmetric form that later
 * suites call xmalloc-test: objects of various sizes travel in batches from allocating threads to
 * freeing ones, through a queue of bounded length. Nothing is ever freed where it was made.
 */
#include "bench.h"

#include <pthread.h>

#define BATCH 120
#define QUEUE_MAX 64 /* batches in flight */

struct batch {
	struct batch *next;
	void *object[BATCH];
};

static struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_full, not_empty;
	struct batch *first;
	uint32_t length;
	uint64_t freed;
	bool stop;
} queue = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.not_full = PTHREAD_COND_INITIALIZER,
	.not_empty = PTHREAD_COND_INITIALIZER,
};

static struct batch *xmalloc_make(struct bench_rng *rng)
{
	struct batch *b = bench_alloc(sizeof(*b));

	for (int i = 0; i < BATCH; i++) {
		uint32_t size = bench_between(rng, 8, 512);

		b->object[i] = bench_alloc(size);
		bench_touch(b->object[i], size);
	}
	return b;
}

static void xmalloc_drop(struct batch *b)
{
	for (int i = 0; i < BATCH; i++)
		free(b->object[i]);
	free(b);
}

/* False once the run is over; the batch is then still the caller's. */
static bool queue_put(struct batch *b)
{
	bool open;

	pthread_mutex_lock(&queue.lock);
	while (queue.length == QUEUE_MAX && !queue.stop)
		pthread_cond_wait(&queue.not_full, &queue.lock);
	open = !queue.stop;
	if (open) {
		b->next = queue.first;
		queue.first = b;
		queue.length++;
		pthread_cond_signal(&queue.not_empty);
	}
	pthread_mutex_unlock(&queue.lock);
	return open;
}

/* NULL once the run is over and the queue is empty. */
static struct batch *queue_take(void)
{
	struct batch *b;

	pthread_mutex_lock(&queue.lock);
	while (!queue.first && !queue.stop)
		pthread_cond_wait(&queue.not_empty, &queue.lock);
	b = queue.first;
	if (b) {
		queue.first = b->next;
		queue.length--;
		queue.freed += BATCH;
		pthread_cond_signal(&queue.not_full);
	}
	pthread_mutex_unlock(&queue.lock);
	return b;
}

static void *xmalloc_producer(void *argument)
{
	struct bench_rng rng = bench_seed((uintptr_t)argument);
	struct batch *b;

	do
		b = xmalloc_make(&rng);
	while (queue_put(b));
	xmalloc_drop(b);
	return NULL;
}

static void *xmalloc_consumer(void *unused)
{
	struct batch *b;

	(void)unused;
	while ((b = queue_take()))
		xmalloc_drop(b);
	return NULL;
}

static void xmalloc_stop(void)
{
	pthread_mutex_lock(&queue.lock);
	queue.stop = true;
	pthread_cond_broadcast(&queue.not_full);
	pthread_cond_broadcast(&queue.not_empty);
	pthread_mutex_unlock(&queue.lock);
}

int main(int argc, char **argv)
{
	uint32_t pairs = bench_arg(argc, argv, 1, 1);
	uint64_t budget = bench_budget_ns();
	struct timespec t = { .tv_sec = (time_t)(budget / 1000000000u),
			      .tv_nsec = (long)(budget % 1000000000u) };
	pthread_t *thread = bench_alloc(2 * pairs * sizeof(*thread));
	struct bench_meter m;

	bench_start(&m);
	for (uintptr_t i = 0; i < 2 * (uintptr_t)pairs; i++)
		if (pthread_create(&thread[i], NULL, i % 2 ? xmalloc_consumer : xmalloc_producer,
				   (void *)i))
			bench_die("pthread_create");
	nanosleep(&t, NULL);
	xmalloc_stop();
	for (uint32_t i = 0; i < 2 * pairs; i++)
		pthread_join(thread[i], NULL);
	bench_stop(&m);
	m.ops = queue.freed;
	bench_print("xmalloc", &m);
	return 0;
}
