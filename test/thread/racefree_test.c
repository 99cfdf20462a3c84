/* SPDX-License-Identifier: MIT */
/*
 * racefree_test.c - one object freed on two CPUs at the same moment
 *
 * What    Round after round, in a process of its own, two threads on two CPUs free the same
 *         object, as nearly together as they can, then allocate until what was in their
 *         arrays has come out again, then free that. The process must end with a report.
 * Rules   RF1 the second free is reported; or both pass, the object is in two arrays, and is
 *             reported when it comes out of the second
 *         RF2 so it never has two owners, with one exception: the state byte is read and
 *             written without an atomic operation, so two CPUs that take the object within
 *             the time a store needs to become visible both get it. Then the free of
 *             the second owner is reported.
 *         RF3 of two frees of a block of pages one is reported, always
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "thread/thread.h"

#define RACE_ALLOCS 400u /* more than both arrays hold */
#define RACE_TEXT 4096u

static unsigned cpus[2];

static struct race {
	void *victim;
	size_t size;
	bool in_turn;     /* the second allocates after the first has done so */
	uint32_t arrived; /* atomic */
	void *got[2][RACE_ALLOCS];
	uint64_t moment[2];
	int64_t skew; /* cycles */
	bool passed;  /* atomic: both frees came back */
} * race;

static void race_wait(uint32_t count)
{
	while (__atomic_load_n(&race->arrived, __ATOMIC_ACQUIRE) < count)
		;
}

/* Both threads leave here within some nanoseconds. */
static void race_meet(uint32_t count)
{
	__atomic_fetch_add(&race->arrived, 1, __ATOMIC_ACQ_REL);
	race_wait(count);
}

static uint64_t race_clock(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
	return ticks;
#else
	return 0;
#endif
}

/* Nearer than a meeting, where there is a clock for it: one thread sets the moment for both, the
 * other comes some cycles before or after. */
static void race_start(unsigned which, void *number)
{
	uint64_t *moment = &race->moment[which];

	if (race_clock() == 0)
		return;
	if (number)
		__atomic_store_n(moment, race_clock() + 8000, __ATOMIC_RELEASE);
	while (__atomic_load_n(moment, __ATOMIC_ACQUIRE) == 0)
		;
	while (race_clock() < *moment + (number ? 0 : (uint64_t)race->skew))
		;
}

static void *race_thread(void *number)
{
	void **got = race->got[(uintptr_t)number];

	thread_pin(cpus[(uintptr_t)number]);
	kfree(ashlar_kmalloc(race->size, GFP_KERNEL)); /* the CPU has an array */
	race_meet(2);
	race_start(0, number);
	kfree(race->victim);
	race_meet(4);
	if (race->in_turn && number)
		race_wait(5);
	if (!race->in_turn)
		race_start(1, number);
	for (unsigned i = 0; i < RACE_ALLOCS; i++)
		got[i] = ashlar_kmalloc(race->size, GFP_KERNEL);
	race_meet(6);
	race->passed = true;
	if (number)
		race_wait(7);
	for (unsigned i = 0; i < RACE_ALLOCS; i++)
		kfree(got[i]);
	race_meet(number ? 8 : 7);
	return NULL;
}

_Noreturn static void race_child(int err)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
	alarm(20);
	dup2(err, STDERR_FILENO);
	race->victim = ashlar_kmalloc(race->size, GFP_KERNEL);
	thread_run(2, race_thread);
	_exit(0);
}

/* Is one block among what both threads got, or twice among what one got? */
static bool race_doubled(void)
{
	for (unsigned i = 0; i < 2 * RACE_ALLOCS; i++)
		for (unsigned j = 0; j < i; j++)
			if (race->got[i / RACE_ALLOCS][i % RACE_ALLOCS] ==
			    race->got[j / RACE_ALLOCS][j % RACE_ALLOCS])
				return true;
	return false;
}

enum outcome {
	OUTCOME_AT_FREE,  /* one of the two frees was reported */
	OUTCOME_AT_ALLOC, /* the object was when it came out of the second array */
	OUTCOME_AT_END,   /* it had two owners, and the free of the second was reported */
	OUTCOME_DOUBLED,  /* it had two owners, and nobody ever knew */
	OUTCOME_ELSE,
	OUTCOMES
};

static enum outcome race_outcome(int status, const char *text)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(text, "ashlar: ")) {
		if (race->passed)
			return OUTCOME_AT_END;
		return strstr(text, "double free") ? OUTCOME_AT_FREE : OUTCOME_AT_ALLOC;
	}
	tap_note_number("status", (uint64_t)status);
	tap_note(text);
	return race->passed && race_doubled() ? OUTCOME_DOUBLED : OUTCOME_ELSE;
}

static uint64_t seed;

static enum outcome race_round(size_t size, bool in_turn)
{
	static char text[RACE_TEXT];
	int ends[2];
	int status = 0;
	ssize_t n;
	pid_t child;

	memset(race, 0, sizeof(*race));
	race->size = size;
	race->in_turn = in_turn;
	race->skew = (int64_t)(thread_random(&seed) % 600) - 300;
	if (pipe(ends) != 0)
		return OUTCOME_ELSE;
	child = fork();
	if (child == 0)
		race_child(ends[1]);
	close(ends[1]);
	waitpid(child, &status, 0);
	n = read(ends[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	return race_outcome(status, text);
}

static void race_many(size_t size, bool in_turn)
{
	unsigned rounds = thread_turns(30, 600, 10000);
	unsigned count[OUTCOMES] = { 0 };

	seed = thread_seed();
	if (THREAD_SANITIZED)
		SKIP("the races are the test");
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (thread_cpus(cpus, 2) < 2)
		SKIP("one CPU");
	for (unsigned i = 0; i < rounds; i++)
		count[race_round(size, in_turn)]++;
	EXPECT_EQ(count[OUTCOME_ELSE], 0);    /* RF1 */
	EXPECT_EQ(count[OUTCOME_DOUBLED], 0); /* RF1 */
	if (in_turn)
		EXPECT_EQ(count[OUTCOME_AT_END], 0); /* RF2 */
	tap_note_number("reported by a free", count[OUTCOME_AT_FREE]);
	tap_note_number("reported by an allocation", count[OUTCOME_AT_ALLOC]);
	tap_note_number("reported when the second owner freed it", count[OUTCOME_AT_END]);
}

TEST_MODES(racefree_RF1_RF2_object_in_turn)
{
	race_many(64, true);
}

TEST_MODES(racefree_RF1_RF2_object_at_once)
{
	race_many(64, false);
}

TEST_MODES(racefree_RF3_large)
{
	race_many((size_t)256 << 10, false);
}
