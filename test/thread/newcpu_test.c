/* SPDX-License-Identifier: MIT */
/*
 * newcpu_test.c - CPUs that no thread of the process was on before
 *
 * What    A process begins on one CPU, fills its arrays, and comes to another for the first
 *         time: in an allocation, in a free, in a batch, and with all its threads at once.
 * Rules   NC1 a CPU has no region until it is seen; the first slow path there makes one
 *         NC2 many threads that come at the same time make one region, and lose nothing
 *         NC3 a cache made before the CPU was seen has an array there, one made later
 *             gets it when it is first used
 */
#define _GNU_SOURCE
#include "cache/array.h"
#include "cache/cache.h"
#include "thread/thread.h"

#define NEWCPU_MOST 64u
#define NEWCPU_THREADS 8u
#define NEWCPU_HELD 300u

static unsigned cpus[NEWCPU_MOST];
static unsigned nr_cpus;
static struct kmem_cache *cache;
static pthread_barrier_t barrier;

static bool newcpu_open(void)
{
	nr_cpus = thread_cpus(cpus, NEWCPU_MOST);
	if (nr_cpus > 1)
		return thread_pin(cpus[0]) && (cache = kmem_cache_create("newcpu", 48, 0, 0, NULL));
	tap_skip("one CPU");
	return false;
}

static void newcpu_fill(void **objects, uint64_t owner)
{
	for (unsigned i = 0; i < NEWCPU_HELD; i++) {
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		stamp(objects[i], 48, owner + i);
	}
}

static void newcpu_free(void **objects, uint64_t owner)
{
	for (unsigned i = 0; i < NEWCPU_HELD; i++) {
		thread_fault(stamp_remove(objects[i], 48, owner + i));
		kmem_cache_free(cache, objects[i]);
	}
}

TEST_MODES(newcpu_NC1_NC3_first_alloc)
{
	void *objects[NEWCPU_HELD];
	struct kmem_cache *late;
	unsigned seen;

	if (!newcpu_open())
		return;
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	seen = array_cpus();
	REQUIRE(thread_pin(cpus[1]));
	EXPECT_EQ(array_cpus(), seen);
	newcpu_fill(objects, 1);
	EXPECT_EQ(array_cpus(), seen + 1);
	late = kmem_cache_create("late", 48, 0, 0, NULL);
	kmem_cache_free(late, kmem_cache_alloc(late, GFP_KERNEL));
	EXPECT_GT(array_count(late), 0);
	REQUIRE(thread_pin(cpus[0]));
	kmem_cache_free(late, kmem_cache_alloc(late, GFP_KERNEL));
	newcpu_free(objects, 1);
	thread_close(late);
	thread_close(cache);
}

TEST_MODES(newcpu_NC1_first_free)
{
	void *objects[NEWCPU_HELD];

	if (!newcpu_open())
		return;
	newcpu_fill(objects, 1);
	REQUIRE(thread_pin(cpus[1]));
	newcpu_free(objects, 1);
	EXPECT_GT(array_count(cache), 0);
	thread_close(cache);
}

TEST_MODES(newcpu_NC1_first_batch)
{
	void *objects[NEWCPU_HELD];

	if (!newcpu_open())
		return;
	REQUIRE(kmem_cache_alloc_bulk(cache, GFP_KERNEL, NEWCPU_HELD, objects) == NEWCPU_HELD);
	REQUIRE(thread_pin(cpus[1]));
	kmem_cache_free_bulk(cache, NEWCPU_HELD, objects);
	REQUIRE(kmem_cache_alloc_bulk(cache, GFP_KERNEL, NEWCPU_HELD, objects) == NEWCPU_HELD);
	REQUIRE(thread_pin(cpus[0]));
	kmem_cache_free_bulk(cache, NEWCPU_HELD, objects);
	thread_close(cache);
}

/* All wait on the old CPU, leave it together, and go on with what they held. */
static void *newcpu_thread(void *number)
{
	uint64_t owner = 1000 * ((uintptr_t)number + 1);
	void *objects[NEWCPU_HELD];

	newcpu_fill(objects, owner);
	pthread_barrier_wait(&barrier);
	thread_fault(thread_pin(cpus[(uintptr_t)number % (nr_cpus - 1) + 1]));
	newcpu_free(objects, owner);
	newcpu_fill(objects, owner);
	newcpu_free(objects, owner);
	return NULL;
}

TEST_MODES(newcpu_NC2_all_at_once)
{
	unsigned seen;

	if (!newcpu_open())
		return;
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	seen = array_cpus();
	pthread_barrier_init(&barrier, NULL, NEWCPU_THREADS);
	thread_run(NEWCPU_THREADS, newcpu_thread);
	EXPECT_LE(array_cpus() - seen, nr_cpus - 1);
	EXPECT_GT(array_cpus(), seen);
	thread_close(cache);
}
