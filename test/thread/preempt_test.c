/* SPDX-License-Identifier: MIT */
/*
 * preempt_test.c - many threads on one CPU, and signal handlers inside handlers
 *
 * What    All threads are pinned to one CPU, so that they share its arrays and preempt each
 *         other; every one has a timer whose signal interrupts it each few dozen
 *         microseconds. The handler pops and pushes through the same sequences, and may be
 *         interrupted by itself.
 * Rules   PR1 an object has one owner, whoever interrupts whom
 *         PR2 handlers use the arrays only: behind these are locks, and the interrupted
 *             code may hold one
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "cache/array.h"
#include "cache/cache.h"
#include "cache/object.h"
#include "thread/thread.h"

#define PREEMPT_THREADS 6u
#define PREEMPT_HELD 16u
#define PREEMPT_BYTES 64u
#define PREEMPT_NESTED 3u
#define PREEMPT_PERIOD_NS 40000 /* between two signals of one thread, at least */
#define PREEMPT_MORE 5000000    /* turns for a machine on which no handlers nest */

static struct kmem_cache *cache;
static unsigned the_cpu;
static long period_ns;
static int64_t turns_left;  /* atomic */
static uint64_t interrupts; /* atomic */
static uint64_t nested;     /* atomic */
static uint64_t popped;     /* atomic: objects that handlers had */

static __thread uint64_t handler_random;
static __thread unsigned depth;
static __thread void *stash[PREEMPT_NESTED]; /* what a handler could not push back */

/* Where handlers run, it goes on until one has run inside another: a busy machine delivers a few
 * signals late. */
static bool preempt_work_left(void)
{
	int64_t left = __atomic_fetch_sub(&turns_left, 1, __ATOMIC_RELAXED);

	return left > 0 ||
	       (left > -PREEMPT_MORE && period_ns && !__atomic_load_n(&nested, __ATOMIC_RELAXED));
}

/* One object taken by a handler (PR2), marked, and given back. */
static void preempt_handler_turn(unsigned level)
{
	uint64_t mark = (uint64_t)level << 60 | thread_random(&handler_random) >> 8;
	void *p = stash[level - 1];

	if (!p && !percpu_pop(cache->header_offset, &p))
		return;
	stash[level - 1] = p;
	object_claim(map_id(map.ids[map_pfn(p)])->states, p);
	stamp(p, PREEMPT_BYTES, mark);
	for (volatile unsigned i = 0; i < (mark >> 4 & 7) * 3000; i++)
		;
	thread_fault(stamp_remove(p, PREEMPT_BYTES, mark));
	*map_state(p) = STATE_FREE;
	if (percpu_push(cache->header_offset, p))
		stash[level - 1] = NULL;
	__atomic_fetch_add(&popped, 1, __ATOMIC_RELAXED);
}

static void preempt_handler(int signal)
{
	int saved = errno;

	(void)signal;
	if (depth == PREEMPT_NESTED)
		return;
	depth++;
	__atomic_fetch_add(&interrupts, 1, __ATOMIC_RELAXED);
	if (depth > 1)
		__atomic_fetch_add(&nested, 1, __ATOMIC_RELAXED);
	preempt_handler_turn(depth);
	depth--;
	errno = saved;
}

/* Nanoseconds that 8 handlers take. */
static long preempt_measure_once(void)
{
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned i = 0; i < 8; i++)
		raise(SIGRTMIN);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec;
}

/* Three handlers' time: where handlers take longer than the time between two signals, as on an
 * emulated processor, nothing else would ever run. The shortest of some: in the others somebody
 * else ran. */
static long preempt_measure(void)
{
	long ns = LONG_MAX;

	thread_pin(the_cpu);
	handler_random = 1;
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL)); /* there are objects to pop */
	for (unsigned i = 0; i < 16; i++) {
		long once = preempt_measure_once();

		ns = once < ns ? once : ns;
	}
	ns = ns / 8 * 3;
	interrupts = nested = popped = 0;
	return ns > PREEMPT_PERIOD_NS ? ns : PREEMPT_PERIOD_NS;
}

/* SIGRTMIN to this thread, and no other, each @ns. */
static timer_t preempt_timer(long ns)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN };
	struct itimerspec every = { .it_interval.tv_nsec = ns, .it_value.tv_nsec = ns };
	timer_t timer = NULL;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	thread_fault(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	timer_settime(timer, 0, &every, NULL);
	return timer;
}

static void preempt_swap(void **slot, uint64_t owner)
{
	if (*slot) {
		thread_fault(stamp_remove(*slot, PREEMPT_BYTES, owner));
		kmem_cache_free(cache, *slot);
	}
	*slot = kmem_cache_alloc(cache, GFP_KERNEL);
	stamp(*slot, PREEMPT_BYTES, owner);
}

/* Singles and batches, so that arrays overflow and run empty under the feet of the others. */
static void preempt_hammer(uint64_t owner, uint64_t *random)
{
	void *held[PREEMPT_HELD] = { NULL };
	void *batch[96];

	while (preempt_work_left()) {
		size_t n = thread_random(random) % 96 + 1;

		for (unsigned i = 0; i < 32; i++)
			preempt_swap(&held[thread_random(random) % PREEMPT_HELD], owner);
		thread_fault(kmem_cache_alloc_bulk(cache, GFP_KERNEL, n, batch) == (int)n);
		for (size_t i = 0; i < n; i++)
			stamp(batch[i], PREEMPT_BYTES, owner + i);
		for (size_t i = 0; i < n; i++)
			thread_fault(stamp_remove(batch[i], PREEMPT_BYTES, owner + i));
		kmem_cache_free_bulk(cache, n, batch);
	}
	for (unsigned i = 0; i < PREEMPT_HELD; i++) {
		if (held[i]) {
			thread_fault(stamp_remove(held[i], PREEMPT_BYTES, owner));
			kmem_cache_free(cache, held[i]);
		}
	}
}

static void *preempt_thread(void *number)
{
	uint64_t random = thread_seed() + (uintptr_t)number;

	thread_pin(the_cpu);
	preempt_hammer(100 + 1000 * (uintptr_t)number, &random);
	return NULL;
}

static void *preempt_interrupted_thread(void *number)
{
	timer_t timer;

	thread_pin(the_cpu);
	handler_random = (uintptr_t)number;
	timer = preempt_timer(period_ns + period_ns / 6 * (long)(uintptr_t)number);
	preempt_thread(number);
	timer_delete(timer);
	for (unsigned i = 0; i < PREEMPT_NESTED; i++)
		if (stash[i])
			cache_put(cache->node, &stash[i], 1);
	return NULL;
}

static bool preempt_open(unsigned turns)
{
	if (thread_cpus(&the_cpu, 1) != 1)
		return false;
	turns_left = turns;
	cache = kmem_cache_create("preempt", PREEMPT_BYTES, 0, 0, NULL);
	return cache != NULL;
}

TEST_MODES(preempt_PR1_one_cpu)
{
	REQUIRE(preempt_open(thread_turns(20000, 400000, 4000000)));
	thread_run(PREEMPT_THREADS, preempt_thread);
	thread_close(cache);
}

TEST(preempt_PR1_PR2_nested_handlers)
{
	struct sigaction action = { .sa_handler = preempt_handler,
				    .sa_flags = SA_NODEFER | SA_RESTART };

	MODE("rseq");
	REQUIRE(preempt_open(thread_turns(100000, 1000000, 10000000)));
	sigaction(SIGRTMIN, &action, NULL);
	period_ns = preempt_measure();
	thread_run(PREEMPT_THREADS, preempt_interrupted_thread);
	thread_close(cache);
	EXPECT_GT(interrupts, 0);
	EXPECT_GT(nested, 0);
	EXPECT_GT(popped, 0);
	tap_note_number("nanoseconds between two", (uint64_t)period_ns);
	tap_note_number("handlers", interrupts);
	tap_note_number("inside another", nested);
	tap_note_number("with an object", popped);
}
