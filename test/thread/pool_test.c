/* SPDX-License-Identifier: MIT */
/*
 * pool_test.c - pools under real threads
 *
 * What    Threads take, mark, check and give objects of the same pools and the group, with
 *         constructors and destructors that look at the mark; others shrink, purge and
 *         audit meanwhile; a child of a fork goes on with what it finds. Two frees of one
 *         object that race: exactly one is accepted.
 * Rules   TP1 an object has one owner, from its constructor to its destructor
 *         TP2 every constructor run has its destructor run, and counts agree in the end
 *         TP3 fork finds no lock of a pool held
 */
#define _GNU_SOURCE
#include <signal.h>

#include "ashlar/pool.h"
#include "thread/thread.h"

#define POOL_THREADS 4u
#define POOL_HELD 200u
#define POOL_BYTES 4000u

static struct slab *pool;
static size_t alive; /* atomic */

static void *construct(void *p, unsigned long arg)
{
	__atomic_fetch_add(&alive, 1, __ATOMIC_RELAXED);
	stamp(p, POOL_BYTES, arg);
	return p;
}

static void *destruct(void *p, unsigned long arg)
{
	__atomic_fetch_sub(&alive, 1, __ATOMIC_RELAXED);
	thread_fault(stamp_remove(p, POOL_BYTES, arg));
	return p;
}

static void *work(void *argument)
{
	uint64_t state = thread_seed() + (uintptr_t)argument;
	unsigned turns = thread_turns(20000, 60000, 3000000);
	struct {
		void *p;
		uint64_t mark;
		bool group;
	} held[POOL_HELD] = { { NULL, 0, false } };

	for (unsigned turn = 0; turn < turns; turn++) {
		uint64_t r = thread_random(&state);
		unsigned i = (unsigned)(r % POOL_HELD);
		uint64_t mark = r | 1;

		if (!held[i].p) {
			held[i].mark = mark;
			held[i].group = r >> 20 & 1;
			held[i].p = held[i].group ? pool_kmalloc(1024, GFP_KERNEL) :
						    slab_malloc(pool, mark);
			if (held[i].group && held[i].p)
				stamp(held[i].p, 1024, mark);
			thread_fault(held[i].p != NULL);
		} else if (held[i].group) {
			thread_fault(stamp_remove(held[i].p, 1024, held[i].mark));
			thread_fault(pool_kfree(held[i].p) == 0);
			held[i].p = NULL;
		} else {
			thread_fault(slab_free(pool, held[i].p, held[i].mark) == 0);
			held[i].p = NULL;
		}
		if ((r >> 32) % 4096 == 0)
			pool_shrink(pool);
	}
	for (unsigned i = 0; i < POOL_HELD; i++) {
		if (held[i].p && held[i].group)
			thread_fault(pool_kfree(held[i].p) == 0);
		else if (held[i].p)
			thread_fault(slab_free(pool, held[i].p, held[i].mark) == 0);
	}
	return NULL;
}

static void *disturb(void *argument)
{
	(void)argument;
	while (!thread_stopping()) {
		ashlar_purge();
		thread_fault(ashlar_audit() == 0);
		sched_yield();
	}
	return NULL;
}

static void *fork_often(void *argument)
{
	unsigned turns = thread_turns(10, 40, 1000);

	(void)argument;
	for (unsigned i = 0; i < turns; i++) {
		int status = -1;
		pid_t child = fork(); /* start.c's handlers stop everything */

		if (child == 0) {
			void *p = pool_kmalloc(1024, GFP_KERNEL);

			_exit(p && pool_kfree(p) == 0 && ashlar_audit() == 0 ? 0 : 1);
		}
		waitpid(child, &status, 0);
		thread_fault(status == 0);
	}
	return NULL;
}

TEST_MODES(pool_TP1_TP2_TP3_threads)
{
	pthread_t others[2];

	pool = slab_create(POOL_BYTES, construct, destruct, 0);
	REQUIRE(pool != NULL);
	thread_start(&others[0], 1, disturb);
	if (!THREAD_SANITIZED) /* it does not follow a child of many threads */
		thread_start(&others[1], 1, fork_often);
	thread_run(POOL_THREADS, work);
	thread_stop(true);
	thread_join(others, THREAD_SANITIZED ? 1 : 2);
	EXPECT_EQ(thread_faults(), 0);
	EXPECT_EQ(alive, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(slab_destroy(pool), 0);
}

/* One object, freed by both at once: the second ends the process, so each race has its own. */
static void *race_object;
static unsigned race_ready;

/* The destructor takes its time: the other free comes meanwhile. */
static void *linger(void *p, unsigned long arg)
{
	(void)arg;
	sched_yield();
	return p;
}

static void *race(void *argument)
{
	(void)argument;
	__atomic_fetch_add(&race_ready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&race_ready, __ATOMIC_ACQUIRE) < 2)
		sched_yield();
	slab_free(pool, race_object, 0);
	return NULL;
}

TEST_MODES(pool_of_two_frees_one_is_accepted)
{
	unsigned turns = thread_turns(20, 60, 2000);

	for (unsigned i = 0; i < turns; i++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0) {
			fclose(stderr);
			close(2);
			pool = slab_create(64, NULL, i % 2 ? linger : NULL, 0);
			race_object = slab_malloc(pool, 0);
			thread_run(2, race);
			_exit(0);
		}
		waitpid(child, &status, 0);
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}
