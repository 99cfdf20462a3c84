/* SPDX-License-Identifier: MIT */
/*
 * lock_test.c - the states that one thread can see; check.h's end of the program
 */
#include "base/check.h"
#include "base/lock.h"
#include "sim_help.h"

static struct lock lock;

TEST(lock_LK1_states)
{
	EXPECT_EQ(lock.word, LOCK_FREE);
	lock_acquire(&lock);
	EXPECT_EQ(lock.word, LOCK_HELD);
	EXPECT_FALSE(lock_try(&lock));
	EXPECT_EQ(lock.word, LOCK_HELD);
	lock_release(&lock);
	EXPECT_EQ(lock.word, LOCK_FREE);
	EXPECT(lock_try(&lock));
	EXPECT_EQ(lock.word, LOCK_TRIED);
	EXPECT_FALSE(lock_try(&lock));
	lock_release(&lock);
	EXPECT_EQ(lock.word, LOCK_FREE);
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(sim.wakes, 0);
}

TEST(lock_LK1_released_with_waiters)
{
	lock_acquire(&lock);
	lock.word = LOCK_WAITED; /* as a thread that sleeps leaves it */
	EXPECT_FALSE(lock_try(&lock));
	lock_release(&lock);
	EXPECT_EQ(lock.word, LOCK_FREE);
	EXPECT_EQ(sim.wakes, 1);
}

static void let_try_go(void)
{
	EXPECT_EQ(lock.word, LOCK_TRIED); /* nobody has asked to be woken */
	if (sim.waits < 2)
		return;
	lock_release(&lock);
	EXPECT_EQ(sim.wakes, 0);
}

TEST(lock_LK3_who_tried_wakes_nobody)
{
	EXPECT(lock_try(&lock));
	sim.watch = let_try_go; /* the one that tried, while this one lets others run */
	lock_acquire_more(&lock);
	sim.watch = NULL;
	EXPECT_EQ(sim.waits, 3);
	EXPECT_EQ(lock.word, LOCK_WAITED); /* others may have slept before him */
	lock_release(&lock);
	EXPECT_EQ(sim.wakes, 1);
}

static struct lock second;

static void take_second(void)
{
	lock_acquire(&second);
}

TEST(lock_LK2_a_second_lock_is_caught)
{
	if (!CONFIG_DEBUG)
		SKIP("assertions are not compiled in");
	lock_acquire(&lock);
	EXPECT(help_aborts(take_second));
	EXPECT(help_said("LK2: a thread that waits for a lock holds no other"));
	EXPECT_EQ(second.word, LOCK_FREE);
	EXPECT(lock_try(&second)); /* who does not wait may try */
	lock_release(&second);
	lock_release(&lock);
	EXPECT_FALSE(help_aborts(take_second));
	lock_release(&second);
	lock_acquire_outer(&lock); /* the one that has others below it */
	lock_acquire(&second);
	lock_release(&second);
	lock_release_outer(&lock);
	lock_acquire_more(&lock); /* fork's */
	lock_acquire_more(&second);
	lock_release(&second);
	EXPECT(help_aborts(take_second));
	lock_release(&lock);
	EXPECT_EQ(sim.task_word, 0);
}

TEST(lock_slow_half_takes_a_free_lock)
{
	lock_wait(&lock); /* freed between the first try and the spin */
	EXPECT_EQ(lock.word, LOCK_HELD);
	lock_release(&lock);
	EXPECT_EQ(sim.waits, 0);
}

static void let_go(void)
{
	EXPECT_EQ(lock.word, LOCK_WAITED); /* so that the holder will wake us */
	lock_release(&lock);
}

TEST(lock_LK1_waiting_until_it_is_released)
{
	lock_acquire(&lock);
	sim.watch = let_go; /* the other thread, while this one sleeps */
	lock_acquire_more(&lock);
	sim.watch = NULL;
	EXPECT_EQ(sim.waits, 1);
	EXPECT_EQ(lock.word, LOCK_WAITED); /* there may be more waiters */
	lock_release(&lock);
	EXPECT_EQ(lock.word, LOCK_FREE);
}

static void broken(void)
{
	CHECK(lock.word == LOCK_HELD, "the lock is held");
}

TEST(check_says_what_and_where)
{
	EXPECT(help_aborts(broken));
	EXPECT(help_contains(sim.text, "ashlar: broken rule: the lock is held ("));
	EXPECT(help_contains(sim.text, "test/base/lock_test.c:"));
	lock_acquire(&lock);
	EXPECT_FALSE(help_aborts(broken));
	EXPECT_TEXT_EQ(sim.text, "");
}

static unsigned said;

static void say(void)
{
	said++;
	check_end(); /* not again, even if the words themselves fail */
}

TEST(check_last_words_are_said_once)
{
	check_last_words = say;
	EXPECT(help_aborts(broken));
	EXPECT_EQ(said, 1);
	EXPECT(help_aborts(broken));
	EXPECT_EQ(said, 1);
}

static void asserted(void)
{
	ASSERT(lock.word == LOCK_HELD);
}

TEST(check_asserts_in_debug_builds)
{
	EXPECT_EQ(help_aborts(asserted), CONFIG_DEBUG);
	EXPECT_EQ(help_contains(sim.text, "broken rule: lock.word == LOCK_HELD ("), CONFIG_DEBUG);
}
