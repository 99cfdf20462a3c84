/* SPDX-License-Identifier: MIT */
/*
 * lock_test.c - base/lock.h with real threads: LK1, and no wake-up is lost
 */
#define _GNU_SOURCE
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
