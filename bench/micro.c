/* SPDX-License-Identifier: MIT */
/*
 * micro.c - one allocator pattern at a time, in nanoseconds for one malloc with its free.
 *
 *   micro NAME [ARG [ARG]]
 *
 * Each benchmark is three functions: setup, step (a few milliseconds of work; returns how many
 * operations that was) and teardown. The driver warms up, then repeats step until BENCH_MS is over.
 * The measured part is short on purpose: bench/run interleaves many runs of all allocators, and
 * takes medians. What each pattern stands for is in README.md.
 */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define SIZES 4096 /* length of the table of random sizes; a power of two */
#define MANY_THREADS 64
#define MANY_LIVE 500
#define MANY_OPS 20000
#define RING 4096   /* objects between producer and consumer; a power of two */
#define HANDOVER 32 /* objects published at a time */
#define CHURN_THREADS 4
#define CHURN_OBJECTS 100
#define CHURN_LEFT 10 /* of these, freed by the thread that joins */

static struct micro {
	struct bench_rng rng;
	uint32_t arg[2];
	void **slot;
	uint32_t *size;
	uint32_t at;
} micro;

struct micro_bench {
	const char *name;
	uint32_t arg[2]; /* defaults */
	void (*setup)(void);
	uint64_t (*step)(void);
	void (*teardown)(void);
};

static void micro_random_sizes(uint32_t low, uint32_t high)
{
	micro.size = bench_alloc(SIZES * sizeof(*micro.size));
	for (uint32_t i = 0; i < SIZES; i++)
		micro.size[i] = bench_between(&micro.rng, low, high);
}

/* The @nth CPU that this process may use, or its last. */
static size_t micro_cpu(unsigned nth)
{
	cpu_set_t allowed;
	size_t cpu = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		bench_die("sched_getaffinity");
	for (size_t i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &allowed)) {
			cpu = i;
			if (nth-- == 0)
				break;
		}
	}
	return cpu;
}

static void micro_pin(size_t cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		bench_die("sched_setaffinity");
}

static void micro_make_slots(uint32_t n)
{
	micro.slot = calloc(n, sizeof(*micro.slot));
	if (!micro.slot)
		bench_die("calloc");
}

static void micro_free_slots(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free(micro.slot[i]);
	free(micro.slot);
	free(micro.size);
}

/* pair SIZE: malloc, free, and again. The cost of the two calls and nothing else. */
static uint64_t pair_step(void)
{
	size_t size = micro.arg[0];

	for (int i = 0; i < 100000; i++)
		free(malloc(size));
	return 100000;
}

/* touch SIZE: a pair for sizes where the pages matter: writes one byte in each page. */
static uint64_t touch_step(void)
{
	size_t size = micro.arg[0];
	uint64_t count = (64u << 20) / size + 1;

	for (uint64_t i = 0; i < count; i++) {
		char *p = bench_alloc(size);

		for (size_t at = 0; at < size; at += 4096)
			*(volatile char *)(p + at) = 1;
		free(p);
	}
	return count;
}

/* batch SIZE COUNT: COUNT times malloc, then COUNT times free in the same order. */
static void batch_setup(void)
{
	micro_make_slots(micro.arg[1]);
}

static uint64_t batch_step(void)
{
	size_t size = micro.arg[0];
	uint32_t count = micro.arg[1];
	uint32_t rounds = 100000 / count + 1;

	for (uint32_t r = 0; r < rounds; r++) {
		for (uint32_t i = 0; i < count; i++)
			micro.slot[i] = bench_alloc(size);
		for (uint32_t i = 0; i < count; i++)
			free(micro.slot[i]);
	}
	return (uint64_t)rounds * count;
}

static void batch_teardown(void)
{
	free(micro.slot);
}

/* mixed LIVE MAX: sizes 16..MAX, the oldest of LIVE objects replaced each time. */
static void mixed_setup(void)
{
	micro_make_slots(micro.arg[0]);
	micro_random_sizes(16, micro.arg[1]);
}

static uint64_t mixed_step(void)
{
	uint32_t slot = micro.at % micro.arg[0];

	for (uint32_t i = 0; i < 100000; i++) {
		free(micro.slot[slot]);
		micro.slot[slot] = bench_alloc(micro.size[micro.at++ % SIZES]);
		if (++slot == micro.arg[0])
			slot = 0;
	}
	micro.at = slot;
	return 100000;
}

static void mixed_teardown(void)
{
	micro_free_slots(micro.arg[0]);
}

/* replace LIVE MAX: a random one of LIVE objects gives way to one of 16..MAX bytes, written. */
static void replace_one(uint32_t slot)
{
	uint32_t size = micro.size[micro.at++ % SIZES];

	free(micro.slot[slot]);
	micro.slot[slot] = bench_alloc(size);
	bench_touch(micro.slot[slot], size);
}

static void replace_setup(void)
{
	mixed_setup();
	for (uint32_t i = 0; i < micro.arg[0]; i++)
		replace_one(i);
	for (uint32_t i = 0; i < micro.arg[0]; i++)
		replace_one(bench_below(&micro.rng, micro.arg[0]));
}

static uint64_t replace_step(void)
{
	for (uint32_t i = 0; i < 20000; i++)
		replace_one(bench_below(&micro.rng, micro.arg[0]));
	return 20000;
}

/* up COUNT SIZE: COUNT objects up, then down, in one of three orders. */
static void up_setup(void)
{
	micro_make_slots(micro.arg[0]);
}

static void up_fill(void)
{
	for (uint32_t i = 0; i < micro.arg[0]; i++) {
		micro.slot[i] = bench_alloc(micro.arg[1]);
		*(volatile char *)micro.slot[i] = 1;
	}
}

static uint64_t up_down_step(void)
{
	up_fill();
	for (uint32_t i = 0; i < micro.arg[0]; i++)
		free(micro.slot[i]);
	return micro.arg[0];
}

static uint64_t up_back_step(void)
{
	up_fill();
	for (uint32_t i = micro.arg[0]; i > 0; i--)
		free(micro.slot[i - 1]);
	return micro.arg[0];
}

static uint64_t up_shuffle_step(void)
{
	up_fill();
	for (uint32_t i = micro.arg[0]; i > 0; i--) {
		uint32_t pick = bench_below(&micro.rng, i);

		free(micro.slot[pick]);
		micro.slot[pick] = micro.slot[i - 1];
	}
	return micro.arg[0];
}

/* realloc MAX: a buffer doubles from 16 bytes to MAX, as a growing vector does. */
static uint64_t realloc_step(void)
{
	uint64_t ops = 0;

	for (int i = 0; i < 1000; i++) {
		void *p = NULL;

		for (size_t size = 16; size <= micro.arg[0]; size *= 2, ops++) {
			p = realloc(p, size);
			if (!p)
				bench_die("realloc");
			bench_touch(p, size);
		}
		free(p);
	}
	return ops;
}

/* calloc SIZE: zeroed memory. */
static uint64_t calloc_step(void)
{
	size_t size = micro.arg[0];

	for (int i = 0; i < 50000; i++)
		free(calloc(1, size));
	return 50000;
}

/* aligned ALIGNMENT SIZE. */
static uint64_t aligned_step(void)
{
	for (int i = 0; i < 50000; i++) {
		void *p = NULL;

		if (posix_memalign(&p, micro.arg[0], micro.arg[1]))
			bench_die("posix_memalign");
		free(p);
	}
	return 50000;
}

/*
 * handover SIZE PINNED: one thread allocates and writes, the other reads and frees, through a ring;
 * 1: each on a CPU of its own.
 */
static struct ring {
	_Alignas(128) atomic_size_t head; /* consumer */
	_Alignas(128) atomic_size_t tail; /* producer */
	_Alignas(128) void *object[RING];
	atomic_bool stop;
	size_t consumer_cpu;
	pthread_t consumer;
} ring;

static void *handover_consume(void *unused)
{
	size_t head = 0;

	(void)unused;
	if (micro.arg[1])
		micro_pin(ring.consumer_cpu);
	for (;;) {
		size_t tail = atomic_load_explicit(&ring.tail, memory_order_acquire);

		if (head == tail && atomic_load(&ring.stop))
			return NULL;
		if (head == tail)
			sched_yield();
		for (; head != tail; head++) {
			void *p = ring.object[head % RING];

			(void)*(volatile char *)p;
			free(p);
		}
		atomic_store_explicit(&ring.head, head, memory_order_release);
	}
}

static void handover_setup(void)
{
	ring.consumer_cpu = micro_cpu(1);
	if (micro.arg[1])
		micro_pin(micro_cpu(0));
	if (pthread_create(&ring.consumer, NULL, handover_consume, NULL))
		bench_die("pthread_create");
}

static void handover_batch(void)
{
	size_t tail = atomic_load_explicit(&ring.tail, memory_order_relaxed);

	while (tail + HANDOVER - atomic_load_explicit(&ring.head, memory_order_acquire) > RING)
		sched_yield();
	for (int i = 0; i < HANDOVER; i++) {
		void *p = bench_alloc(micro.arg[0]);

		*(volatile char *)p = 1;
		ring.object[tail++ % RING] = p;
	}
	atomic_store_explicit(&ring.tail, tail, memory_order_release);
}

static uint64_t handover_step(void)
{
	for (int i = 0; i < 1000; i++)
		handover_batch();
	return (uint64_t)1000 * HANDOVER;
}

static void handover_teardown(void)
{
	atomic_store(&ring.stop, true);
	pthread_join(ring.consumer, NULL);
}

/* churn: short-lived threads that leave some objects for the thread that joins them to free. */
struct churn_task {
	pthread_t thread;
	uint64_t seed;
	void *left[CHURN_LEFT];
};

static void *churn_thread(void *argument)
{
	struct churn_task *task = argument;
	struct bench_rng rng = bench_seed(task->seed);
	void *object[CHURN_OBJECTS];

	for (int i = 0; i < CHURN_OBJECTS; i++) {
		uint32_t size = bench_between(&rng, 16, 512);

		object[i] = bench_alloc(size);
		bench_touch(object[i], size);
	}
	memcpy(task->left, object, sizeof(task->left));
	for (int i = CHURN_LEFT; i < CHURN_OBJECTS; i++)
		free(object[i]);
	return NULL;
}

static uint64_t churn_step(void)
{
	struct churn_task task[CHURN_THREADS];

	for (int t = 0; t < CHURN_THREADS; t++) {
		task[t].seed = bench_random(&micro.rng);
		if (pthread_create(&task[t].thread, NULL, churn_thread, &task[t]))
			bench_die("pthread_create");
	}
	for (int t = 0; t < CHURN_THREADS; t++) {
		pthread_join(task[t].thread, NULL);
		for (int i = 0; i < CHURN_LEFT; i++)
			free(task[t].left[i]);
	}
	return CHURN_THREADS;
}

/* many: 64 threads that share one CPU, each replacing objects of its own. */
static struct many {
	pthread_barrier_t gate;
	pthread_t thread[MANY_THREADS];
	bool stop; /* written between two gates */
} many;

static void many_work(struct bench_rng *rng, void **slot)
{
	for (int i = 0; i < MANY_OPS; i++) {
		uint32_t at = bench_below(rng, MANY_LIVE);
		uint32_t size = bench_between(rng, 16, 256);

		free(slot[at]);
		slot[at] = bench_alloc(size);
		bench_touch(slot[at], size);
	}
}

static void *many_thread(void *argument)
{
	struct bench_rng rng = bench_seed((uintptr_t)argument);
	void *slot[MANY_LIVE] = { NULL };

	for (;;) {
		pthread_barrier_wait(&many.gate);
		if (many.stop)
			break;
		many_work(&rng, slot);
		pthread_barrier_wait(&many.gate);
	}
	for (int i = 0; i < MANY_LIVE; i++)
		free(slot[i]);
	return NULL;
}

static void many_setup(void)
{
	micro_pin(micro_cpu(0));
	pthread_barrier_init(&many.gate, NULL, MANY_THREADS + 1);
	for (uintptr_t i = 0; i < MANY_THREADS; i++)
		if (pthread_create(&many.thread[i], NULL, many_thread, (void *)i))
			bench_die("pthread_create");
}

static uint64_t many_step(void)
{
	pthread_barrier_wait(&many.gate);
	pthread_barrier_wait(&many.gate);
	return (uint64_t)MANY_THREADS * MANY_OPS;
}

static void many_teardown(void)
{
	many.stop = true;
	pthread_barrier_wait(&many.gate);
	for (int i = 0; i < MANY_THREADS; i++)
		pthread_join(many.thread[i], NULL);
}

static const struct micro_bench micro_benches[] = {
	{ "pair", { 64, 0 }, NULL, pair_step, NULL },
	{ "touch", { 1 << 20, 0 }, NULL, touch_step, NULL },
	{ "batch", { 64, 100 }, batch_setup, batch_step, batch_teardown },
	{ "mixed", { 1000, 1024 }, mixed_setup, mixed_step, mixed_teardown },
	{ "replace", { 50000, 256 }, replace_setup, replace_step, mixed_teardown },
	{ "up-down", { 100000, 64 }, up_setup, up_down_step, batch_teardown },
	{ "up-back", { 100000, 64 }, up_setup, up_back_step, batch_teardown },
	{ "up-shuffle", { 100000, 64 }, up_setup, up_shuffle_step, batch_teardown },
	{ "realloc", { 1 << 16, 0 }, NULL, realloc_step, NULL },
	{ "calloc", { 64, 0 }, NULL, calloc_step, NULL },
	{ "aligned", { 64, 200 }, NULL, aligned_step, NULL },
	{ "handover", { 64, 0 }, handover_setup, handover_step, handover_teardown },
	{ "churn", { 0, 0 }, NULL, churn_step, NULL },
	{ "many", { 0, 0 }, many_setup, many_step, many_teardown },
};

#define MICRO_COUNT (sizeof(micro_benches) / sizeof(micro_benches[0]))

static const struct micro_bench *micro_find(const char *name)
{
	for (size_t i = 0; i < MICRO_COUNT; i++)
		if (!strcmp(name, micro_benches[i].name))
			return &micro_benches[i];
	return NULL;
}

static void micro_usage(void)
{
	fprintf(stderr, "usage: micro NAME [ARG [ARG]], where NAME is one of:\n");
	for (size_t i = 0; i < MICRO_COUNT; i++)
		fprintf(stderr, "  %-12s default %u %u\n", micro_benches[i].name,
			micro_benches[i].arg[0], micro_benches[i].arg[1]);
	exit(2);
}

static void micro_run(const struct micro_bench *b, struct bench_meter *m)
{
	uint64_t budget = bench_budget_ns();
	uint64_t warm = bench_wall_ns() + budget / 5;

	do
		b->step();
	while (bench_wall_ns() < warm);

	uint64_t ops = 0;
	uint64_t end = bench_wall_ns() + budget;

	bench_start(m);
	do
		ops += b->step();
	while (bench_wall_ns() < end);
	bench_stop(m);
	m->ops = ops;
}

int main(int argc, char **argv)
{
	const struct micro_bench *b = argc > 1 ? micro_find(argv[1]) : NULL;
	struct bench_meter m;

	if (!b)
		micro_usage();
	micro.rng = bench_seed(1);
	micro.arg[0] = bench_arg(argc, argv, 2, b->arg[0]);
	micro.arg[1] = bench_arg(argc, argv, 3, b->arg[1]);
	if (b->setup)
		b->setup();
	micro_run(b, &m);
	if (b->teardown)
		b->teardown();
	bench_print(b->name, &m);
	return 0;
}
