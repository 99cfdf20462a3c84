/* SPDX-License-Identifier: MIT */
/*
 * guard_test.c - guarded objects in a program with threads
 *
 * What    Threads allocate, mark, hand on, resize and free; others free what they did not
 *         allocate; caches come and go; the program forks meanwhile. Slots are few, so that each
 *         is used again and again, and there are none now and then.
 * Rules   GU1 a slot in use is open for its owner, and nobody else writes there
 *         GU2 all slots are free again at the end
 *         GU4 of frees of one object at the same time one is done
 */
#define _GNU_SOURCE
#include <signal.h>

#include "thread/thread.h"

#include "cache/guard_slot.h"

#define GUARD_THREADS 4u
#define GUARD_HELD 24u
#define GUARD_SIZE_MAX 6000u

static struct kmem_cache *cache;
static void *passed[GUARD_THREADS]; /* atomic: on their way to another thread; marked 128 bytes */
static unsigned turns;

#define GUARD_OPTIONS "guard=2;guard_each=1;guard_slots=32"

static bool guard_open(void)
{
	turns = thread_turns(4000, 40000, 1000000);
	cache = kmem_cache_create("cats", 128, 0, 0, NULL);
	EXPECT_TRUE(guard_is_on());
	return cache && guard_is_on();
}

static void guard_close_all(void)
{
	for (unsigned i = 0; i < GUARD_THREADS; i++)
		kmem_cache_free(cache, passed[i]);
	kmem_cache_destroy(cache);
	EXPECT_EQ(guard_figures()->used, 0);
	EXPECT_GT(guard_figures()->sampled, turns / 4);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* One of the thread's objects goes, another comes: from a cache or of any size, or resized. */
static void guard_turn(void **held, size_t *sizes, uint64_t owner, uint64_t *random)
{
	uint64_t r = thread_random(random);
	unsigned i = (unsigned)(r % GUARD_HELD);
	size_t size = 8 + (r >> 16) % GUARD_SIZE_MAX;

	if (held[i])
		thread_fault(stamp_remove(held[i], sizes[i], owner + i));
	if (r & 64) {
		held[i] = krealloc(held[i], size, GFP_KERNEL);
	} else {
		kfree(held[i]);
		held[i] = r & 128 ? kmem_cache_alloc(cache, GFP_KERNEL) :
				    ashlar_kmalloc(size, GFP_KERNEL);
		size = r & 128 ? 128 : size;
	}
	sizes[i] = size;
	stamp(held[i], size, owner + i);
}

/* An object that this thread marks, for one that another has marked. */
static void guard_pass(uint64_t random)
{
	unsigned to = (unsigned)(random % GUARD_THREADS);
	uint64_t *p = kmem_cache_alloc(cache, GFP_KERNEL);
	uint64_t *old;

	p[0] = random;
	stamp(p + 1, 120, random);
	old = __atomic_exchange_n(&passed[to], p, __ATOMIC_ACQ_REL);
	if (!old)
		return;
	thread_fault(stamp_remove(old + 1, 120, old[0]));
	kmem_cache_free(cache, old);
}

static void guard_one_cache(uint64_t n)
{
	struct kmem_cache *c = kmem_cache_create("dogs", 64 + n % 512, 0, 0, NULL);
	void *p = kmem_cache_alloc(c, GFP_KERNEL);

	kfree(p);
	kmem_cache_destroy(c);
}

static void *guard_thread(void *number)
{
	uint64_t owner = 1000 * ((uintptr_t)number + 1);
	void *held[GUARD_HELD] = { NULL };
	size_t sizes[GUARD_HELD] = { 0 };
	uint64_t random = thread_seed() + owner;

	for (unsigned i = 0; i < turns; i++) {
		guard_turn(held, sizes, owner, &random);
		if (i % 4 == 0)
			guard_pass(thread_random(&random));
		if (i % 512 == 0 && number == NULL)
			guard_one_cache(i);
	}
	for (unsigned i = 0; i < GUARD_HELD; i++) {
		if (held[i])
			thread_fault(stamp_remove(held[i], sizes[i], owner + i));
		kfree(held[i]);
	}
	return NULL;
}

/* ---- all at once --------------------------------------------------------------------------- */

static void guard_all_at_once(void)
{
	if (!guard_open())
		return;
	thread_run(GUARD_THREADS, guard_thread);
	guard_close_all();
}

TEST(guard_threads_rseq)
{
	if (!thread_elsewhere_prepared("rseq", "percpu=rseq;" GUARD_OPTIONS, __func__, NULL))
		guard_all_at_once();
}

TEST(guard_threads_lock)
{
	if (!thread_elsewhere_prepared("lock", "percpu=lock;" GUARD_OPTIONS, __func__, NULL))
		guard_all_at_once();
}

/* ---- fork ----------------------------------------------------------------------------------- */

/* The child finds its parent's objects, frees one, and every slot that a thread had in hand. */
static void guard_child(char *mine)
{
	void *p[64];

	alarm(20);
	for (unsigned i = 0; i < 100; i++)
		if (mine[i] != 42)
			_exit(3);
	kfree(mine);
	for (unsigned i = 0; i < 64; i++) {
		p[i] = ashlar_kmalloc(i * 50 + 1, GFP_KERNEL);
		memset(p[i], 1, i * 50 + 1);
	}
	for (unsigned i = 0; i < 64; i++)
		kfree(p[i]);
	_exit(ashlar_audit() ? 4 : 0);
}

static void *guard_forker(void *number)
{
	unsigned forks = thread_turns(30, 200, 5000);

	if (number)
		return guard_thread(number);
	for (unsigned i = 0; i < forks; i++) {
		char *mine = ashlar_kmalloc(100, GFP_KERNEL);
		int status = -1;
		pid_t child;

		memset(mine, 42, 100);
		child = fork();
		if (child == 0)
			guard_child(mine);
		waitpid(child, &status, 0);
		EXPECT_EQ(status, 0);
		kfree(mine);
	}
	return NULL;
}

static void guard_forks(void)
{
	if (!guard_open())
		return;
	thread_run(GUARD_THREADS, guard_forker);
	guard_close_all();
}

TEST(guard_fork_rseq)
{
	if (!thread_elsewhere_prepared("rseq", "percpu=rseq;" GUARD_OPTIONS, __func__, NULL))
		guard_forks();
}

TEST(guard_fork_lock)
{
	if (!thread_elsewhere_prepared("lock", "percpu=lock;" GUARD_OPTIONS, __func__, NULL))
		guard_forks();
}
