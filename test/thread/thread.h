/* SPDX-License-Identifier: MIT */
/*
 * thread.h - what the tests with real threads share
 *
 * What    TEST_MODES: a case in each mode that the engine has (mode.h). Stamps: an owner writes
 *         his mark all over an object and finds it unchanged when he gives the object back, or
 *         two owners had it. Random numbers from ASHLAR_SEED. Lengths by ASHLAR_TEST: emulated,
 *         quick, nothing, soak; a fifth of nothing under ThreadSanitizer, which sees a race without
 *         its two accesses having to meet.
 * Rules   T1  a process that hangs is ended by its alarm, and fails
 */
#ifndef ASHLAR_TEST_THREAD_THREAD_H
#define ASHLAR_TEST_THREAD_THREAD_H

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ashlar/slab.h"
#include "cache/init.h"
#include "tap.h"

#define THREAD_ALARM 100u
#define THREAD_ALARM_LONG 600u

/* ThreadSanitizer watches: it cannot follow sequences, whose order the kernel makes. */
#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZED true
#endif
#endif
#ifndef THREAD_SANITIZED
#define THREAD_SANITIZED false
#endif

/* ---- how long -------------------------------------------------------------- */

static inline bool thread_is(const char *length)
{
	const char *test = getenv("ASHLAR_TEST");

	return test && strcmp(test, length) == 0;
}

/* Turns of a loop: @quick while working, @check before a merge, @soak overnight. On an emulated
 * processor half of @quick takes many times as long. */
static inline unsigned thread_turns(unsigned quick, unsigned check, unsigned soak)
{
	if (thread_is("emulated"))
		return quick / 2;
	if (thread_is("quick") || thread_is("soak"))
		return thread_is("quick") ? quick : soak;
	return THREAD_SANITIZED ? check / 5 : check;
}

/* Seconds that one process may take (T1). */
static inline unsigned thread_alarm(void)
{
	return thread_is("soak") || thread_is("emulated") ? THREAD_ALARM_LONG : THREAD_ALARM;
}

/* ---- modes -------------------------------------------------------------------- */

#include "thread/mode.h"

/* ---- CPUs ------------------------------------------------------------------ */

/* CPUs that this process may use; *@cpus, if given, are their numbers. */
static inline unsigned thread_cpus(unsigned *cpus, unsigned most)
{
	cpu_set_t set;
	unsigned n = 0;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && n < most; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = cpu;
	return n;
}

/* This thread runs on @cpu from now on. */
static inline bool thread_pin(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

/* ---- chance ---------------------------------------------------------------- */

static inline uint64_t thread_seed(void)
{
	const char *seed = getenv("ASHLAR_SEED");

	return seed ? strtoull(seed, NULL, 0) : 1;
}

/* splitmix64: every state is good. */
static inline uint64_t thread_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* ---- stamps ---------------------------------------------------------------- */

/* Fill @bytes (a multiple of 8) with @owner's mark. */
static inline void stamp(void *p, size_t bytes, uint64_t owner)
{
	volatile uint64_t *words = p;

	for (size_t i = 0; i < bytes / 8; i++)
		words[i] = owner * 0x9e3779b97f4a7c15u + i;
}

static inline bool stamp_holds(const void *p, size_t bytes, uint64_t owner)
{
	const volatile uint64_t *words = p;

	for (size_t i = 0; i < bytes / 8; i++)
		if (words[i] != owner * 0x9e3779b97f4a7c15u + i)
			return false;
	return true;
}

/* The same, and nobody's from now on: who reads it next finds no mark. */
static inline bool stamp_remove(void *p, size_t bytes, uint64_t owner)
{
	bool held = stamp_holds(p, bytes, owner);

	stamp(p, bytes, ~owner);
	return held;
}

/* ---- threads that count their faults ------------------------------------------- */

#define THREAD_MOST 64u

static struct {
	uint64_t faults; /* atomic: what did not hold, of all threads */
	bool stop;       /* atomic: the threads come home */
} thread_shared __attribute__((unused));

static inline void thread_fault(bool held)
{
	if (!held)
		__atomic_fetch_add(&thread_shared.faults, 1, __ATOMIC_RELAXED);
}

static inline bool thread_stopping(void)
{
	return __atomic_load_n(&thread_shared.stop, __ATOMIC_ACQUIRE);
}

static inline void thread_stop(bool stop)
{
	__atomic_store_n(&thread_shared.stop, stop, __ATOMIC_RELEASE);
}

static inline uint64_t thread_faults(void)
{
	return __atomic_load_n(&thread_shared.faults, __ATOMIC_RELAXED);
}

/* @count threads of @run, each with its number, from the first to the last. */
static inline void thread_start(pthread_t *threads, unsigned count, void *(*run)(void *))
{
	for (unsigned i = 0; i < count; i++)
		thread_fault(pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i) == 0);
}

static inline void thread_join(pthread_t *threads, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static inline void thread_run(unsigned count, void *(*run)(void *))
{
	pthread_t threads[THREAD_MOST];

	thread_start(threads, count, run);
	thread_join(threads, count);
}

/* Nobody uses @c any more: every object is back in its slab, once, and every rule holds. */
static inline void thread_close(struct kmem_cache *c)
{
	EXPECT_EQ(thread_faults(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
}

#endif
