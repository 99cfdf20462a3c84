/* SPDX-License-Identifier: MIT */
/*
 * lock_test.c - base/lock.h with real threads: LK1, and no wake-up is lost
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/lock.h"
#include "thread/thread.h"

#define LOCK_CROWD 64u

static struct lock the_lock;
static uint64_t counted; /* under the_lock, by steps that another thread would disturb */
static uint64_t tried;   /* atomic: turns that lock_try gave */
static unsigned turns;
static unsigned first_cpu;

static void count_once(void)
{
	uint64_t n = READ_ONCE(counted);

	if (n % 64 == 0)
		sched_yield(); /* the holder sleeps, the others pile up */
	WRITE_ONCE(counted, n + 1);
}

static void *lock_thread(void *number)
{
	(void)number;
	for (unsigned i = 0; i < turns; i++) {
		lock_acquire(&the_lock);
		count_once();
		lock_release(&the_lock);
	}
	return NULL;
}

static void *lock_pinned_thread(void *number)
{
	thread_pin(first_cpu);
	return lock_thread(number);
}

static void *lock_trying_thread(void *number)
{
	(void)number;
	for (unsigned i = 0; i < turns; i++) {
		if (!lock_try(&the_lock))
			continue;
		count_once();
		__atomic_fetch_add(&tried, 1, __ATOMIC_RELAXED);
		lock_release(&the_lock);
	}
	return NULL;
}

static void lock_begin(unsigned n)
{
	the_lock.word = LOCK_FREE;
	counted = 0;
	turns = n;
	alarm(thread_alarm());
}

TEST(lock_LK1_one_holder)
{
	lock_begin(thread_turns(20000, 200000, 2000000));
	thread_run(4, lock_thread);
	EXPECT_EQ(counted, 4 * (uint64_t)turns);
	EXPECT_EQ(the_lock.word, LOCK_FREE);
}

TEST(lock_LK1_a_crowd_on_one_cpu)
{
	lock_begin(thread_turns(1000, 10000, 100000));
	REQUIRE(thread_cpus(&first_cpu, 1) == 1);
	thread_run(LOCK_CROWD, lock_pinned_thread);
	EXPECT_EQ(counted, LOCK_CROWD * (uint64_t)turns);
	EXPECT_EQ(the_lock.word, LOCK_FREE);
}

TEST(lock_LK1_a_crowd_on_all_cpus)
{
	lock_begin(thread_turns(1000, 10000, 100000));
	thread_run(LOCK_CROWD, lock_thread);
	EXPECT_EQ(counted, LOCK_CROWD * (uint64_t)turns);
	EXPECT_EQ(the_lock.word, LOCK_FREE);
}

/* Those who only try, between those who wait: a release may not forget a sleeper. */
TEST(lock_LK1_try_beside_waiters)
{
	pthread_t waiters[4];

	lock_begin(thread_turns(20000, 200000, 2000000));
	tried = 0;
	thread_start(waiters, 4, lock_thread);
	thread_run(4, lock_trying_thread);
	thread_join(waiters, 4);
	EXPECT_EQ(counted, 4 * (uint64_t)turns + tried);
	EXPECT_EQ(the_lock.word, LOCK_FREE);
}

/* ---- LK3: who only tries ------------------------------------------------------------------- */

static int ready[2]; /* a pipe */

/* An urgent thread waits, on the one CPU that the holder runs on, too. */
static void *lock_urgent_thread(void *refused)
{
	struct sched_param urgent = { .sched_priority = 1 };
	char byte = 0;

	thread_pin(first_cpu);
	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &urgent) != 0)
		*(bool *)refused = true;
	if (write(ready[1], &byte, 1) != 1)
		abort();
	lock_acquire(&the_lock);
	counted++;
	lock_release(&the_lock);
	return NULL;
}

TEST(lock_LK3_a_holder_of_lower_priority_gets_on)
{
	struct timespec begin;
	struct timespec end;
	bool refused = false;
	pthread_t urgent;
	char byte;

	lock_begin(1);
	REQUIRE(thread_cpus(&first_cpu, 1) == 1 && thread_pin(first_cpu) && pipe(ready) == 0);
	REQUIRE(lock_try(&the_lock));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	REQUIRE(pthread_create(&urgent, NULL, lock_urgent_thread, &refused) == 0);
	REQUIRE(read(ready[0], &byte, 1) == 1); /* it runs, and this one only when it sleeps */
	for (unsigned i = 0; i < 200; i++)
		sched_yield();
	lock_release(&the_lock);
	pthread_join(urgent, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (refused)
		SKIP("real-time priorities are refused here");
	EXPECT_EQ(counted, 1);
	/* The kernel itself lets others run after 0.95 s. */
	EXPECT_LT((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000,
		  700);
}

/* A process that may make no call but exit takes and gives locks that another one waits for. */
static void *lock_silent_thread(void *denied)
{
	char byte = 0;

	if (!lock_try(&the_lock) || write(ready[1], &byte, 1) != 1)
		abort();
	for (volatile unsigned i = 0; i < 20000000; i++)
		continue; /* until the other one waits */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
		*(bool *)denied = true;
	lock_release(&the_lock);
	syscall(SYS_exit, 0);
	return NULL;
}

TEST(lock_LK3_the_release_makes_no_call)
{
	bool denied = false;
	int status = -1;
	pid_t child;
	char byte;

	if (THREAD_SANITIZED)
		SKIP("ThreadSanitizer makes system calls of its own");
	child = fork();
	if (child == 0) { /* a thread that is killed ends all of its process */
		pthread_t silent;

		alarm(thread_alarm());
		if (pipe(ready) != 0 ||
		    pthread_create(&silent, NULL, lock_silent_thread, &denied) != 0 ||
		    read(ready[0], &byte, 1) != 1)
			_exit(1);
		lock_acquire(&the_lock);
		lock_release(&the_lock);
		while (pthread_tryjoin_np(silent, NULL) == EBUSY)
			sched_yield();
		_exit(denied ? 77 : 0);
	}
	REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("seccomp is refused here");
	EXPECT_EQ(status, 0);
}
