/* SPDX-License-Identifier: MIT */
/*
 * thread.h - what the tests with real threads share
 *
 * What    MODE: a case runs in a process of its own with percpu=rseq or percpu=lock, because
 *         the mode is chosen once, before the first slab; what that process says is the
 *         case's result. Stamps: an owner writes his mark all over an object and finds it
 *         unchanged when he gives the object back, or two owners had it. Random numbers from
 *         ASHLAR_SEED. Lengths by ASHLAR_TEST: emulated, quick, nothing, soak.
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
	return thread_is("quick") ? quick : thread_is("soak") ? soak : check;
}

/* Seconds that one process may take (T1). */
static inline unsigned thread_alarm(void)
{
	return thread_is("soak") || thread_is("emulated") ? THREAD_ALARM_LONG : THREAD_ALARM;
}

/* ---- a process of its own ---------------------------------------------------- */

/* Notes and failures of the other process, and its reason to skip, become this one's. */
static inline void thread_relay(FILE *from)
{
	static char reason[256];
	char line[256];

	while (fgets(line, sizeof(line), from)) {
		char *skip = strstr(line, " # SKIP ");

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#') {
			tap_note(line + 2);
		} else if (skip && strncmp(line, "ok", 2) == 0) {
			snprintf(reason, sizeof(reason), "%s", skip + 8);
			tap_skip(reason);
		}
	}
}

/* This program anew, with the case @name alone, in an environment of its own. */
_Noreturn static inline void thread_exec(const char *mode, const char *options, const char *name,
					 int out)
{
	setenv("ASHLAR_OPTIONS", options, 1);
	setenv("ASHLAR_TEST_MODE", mode, 1);
	dup2(out, STDOUT_FILENO);
	close(out);
	execl("/proc/self/exe", "test", name, (char *)NULL);
	_exit(127);
}

/* False: go on, this is the process for the case; its arrays are guarded as @mode says, and it was
 * started with @options after @prepare. True: another one was, and is done. */
static inline bool thread_elsewhere_prepared(const char *mode, const char *options,
					     const char *name, bool (*prepare)(void))
{
	const char *here = getenv("ASHLAR_TEST_MODE");
	int ends[2];
	int status = -1;
	FILE *from;
	pid_t child;

	if (THREAD_SANITIZED && strcmp(mode, "rseq") == 0) {
		tap_skip("ThreadSanitizer cannot follow sequences");
		return true;
	}
	if (here) {
		alarm(thread_alarm());
		if (init_ready() && strcmp(init_facts.percpu, mode) == 0)
			return false;
		if (prepare)
			EXPECT_TEXT_EQ(init_facts.percpu, mode);
		else
			tap_skip(init_facts.percpu_why);
		return true;
	}
	if (!EXPECT(pipe(ends) == 0))
		return true;
	child = fork();
	if (child == 0 && (!prepare || prepare()))
		thread_exec(mode, options, name, ends[1]);
	if (child == 0)
		_exit(126);
	close(ends[1]);
	from = fdopen(ends[0], "r");
	thread_relay(from);
	fclose(from);
	waitpid(child, &status, 0);
	EXPECT_EQ(status, 0);
	return true;
}

static inline bool thread_elsewhere(const char *mode, const char *name)
{
	char options[32];

	snprintf(options, sizeof(options), "percpu=%s", mode);
	return thread_elsewhere_prepared(mode, options, name, NULL);
}

#define MODE(mode)                                    \
	do {                                          \
		if (thread_elsewhere(mode, __func__)) \
			return;                       \
	} while (0)

/* The case @name in both modes, as name_rseq and name_lock. */
#define TEST_MODES(name)        \
	static void name(void); \
	TEST(name##_rseq)       \
	{                       \
		MODE("rseq");   \
		name();         \
	}                       \
	TEST(name##_lock)       \
	{                       \
		MODE("lock");   \
		name();         \
	}                       \
	static void name(void)

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
