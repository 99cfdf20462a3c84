/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what every benchmark program shares: a clock, random numbers, and the result line.
 *
 * The programs call plain malloc and free, so the allocator under test is whichever one the loader
 * put first (LD_PRELOAD). They are compiled with -fno-builtin: a compiler that knows malloc may
 * remove a pair it can see both ends of, and would then time an empty loop.
 *
 * A result is one line of key=value words on standard output. bench/run reads it; so can awk.
 * BENCH_MS in the environment is the length of the measured part in milliseconds.
 */
#ifndef BENCH_H
#define BENCH_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_DEFAULT_MS 150

struct bench_rng {
	uint64_t state;
};

/* What has been measured so far; ops is filled in by the caller. */
struct bench_meter {
	uint64_t wall_ns;
	uint64_t cpu_ns;
	uint64_t ops;
};

static inline uint64_t bench_clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t bench_wall_ns(void)
{
	return bench_clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t bench_budget_ns(void)
{
	const char *ms = getenv("BENCH_MS");

	return (ms ? strtoull(ms, NULL, 10) : BENCH_DEFAULT_MS) * 1000000u;
}

/* xorshift64*: a few cycles, and the same sequence under every allocator. */
static inline uint32_t bench_random(struct bench_rng *rng)
{
	uint64_t x = rng->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	rng->state = x;
	return (uint32_t)((x * 0x2545f4914f6cdd1du) >> 32);
}

/* A number below @n, by multiplication: a division would cost more than some allocators. */
static inline uint32_t bench_below(struct bench_rng *rng, uint32_t n)
{
	return (uint32_t)(((uint64_t)bench_random(rng) * n) >> 32);
}

static inline uint32_t bench_between(struct bench_rng *rng, uint32_t low, uint32_t high)
{
	return low + bench_below(rng, high - low + 1);
}

static inline struct bench_rng bench_seed(uint64_t n)
{
	return (struct bench_rng){ .state = (n + 1) * 0x9e3779b97f4a7c15u };
}

static inline void bench_die(const char *what)
{
	fprintf(stderr, "bench: %s failed\n", what);
	exit(2);
}

/* Write where a program would: the first and the last word of the object. */
static inline void bench_touch(void *object, size_t size)
{
	volatile char *p = object;

	p[0] = 1;
	p[size - 1] = 2;
}

static inline void *bench_alloc(size_t size)
{
	void *p = malloc(size);

	if (__builtin_expect(!p, 0))
		bench_die("malloc");
	return p;
}

static inline void bench_start(struct bench_meter *m)
{
	m->ops = 0;
	m->cpu_ns = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	m->wall_ns = bench_wall_ns();
}

static inline void bench_stop(struct bench_meter *m)
{
	m->wall_ns = bench_wall_ns() - m->wall_ns;
	m->cpu_ns = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - m->cpu_ns;
}

static inline void bench_print(const char *name, const struct bench_meter *m)
{
	double ops = m->ops ? (double)m->ops : 1.0;

	printf("bench=%s ns=%.3f cpu_ns=%.3f ops=%" PRIu64 "\n", name, (double)m->wall_ns / ops,
	       (double)m->cpu_ns / ops, m->ops);
}

static inline uint32_t bench_arg(int argc, char **argv, int i, uint32_t otherwise)
{
	return argc > i ? (uint32_t)strtoul(argv[i], NULL, 10) : otherwise;
}

#endif
