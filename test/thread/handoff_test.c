/* SPDX-License-Identifier: MIT */
/*
 * handoff_test.c - objects that one thread takes and another gives back; threads that come and go
 *
 * What    A producer and a consumer; a ring of four threads through which each object goes
 *         once around; thousands of short threads that leave what they hold to the next.
 *         Every step reads the mark of the step before and writes its own.
 * Rules   HO1 an object has one owner, and its contents are what the last one wrote
 *         HO2 traffic in one direction does not grow the heap: what the consumer frees
 *             comes back to the producer through the shared array and the slabs
 *         HO3 what ended threads have freed is not lost: arrays belong to CPUs
 */
#define _GNU_SOURCE
#include "cache/cache.h"
#include "thread/thread.h"

#define HANDOFF_RING 4u
#define HANDOFF_SLOTS 256u
#define HANDOFF_LEFT 16u

/* A queue between one writer and one reader. */
static struct pipe {
	void *slot[HANDOFF_SLOTS]; /* atomic: NULL is empty */
} pipes[HANDOFF_RING];

static struct kmem_cache *cache;
static unsigned turns;
static size_t most_slabs;

static size_t handoff_bytes(uint64_t i)
{
	return i % 3 ? 80 : 24 + i % 61 * 8;
}

static void *handoff_alloc(uint64_t i)
{
	void *p = i % 3 ? kmem_cache_alloc(cache, GFP_KERNEL) :
			  ashlar_kmalloc(handoff_bytes(i), GFP_KERNEL);

	stamp(p, handoff_bytes(i), i);
	return p;
}

static void handoff_free(void *p, uint64_t i, uint64_t owner)
{
	thread_fault(stamp_remove(p, handoff_bytes(i), owner));
	if (i % 3)
		kmem_cache_free(cache, p);
	else
		kfree(p);
}

static void handoff_put(struct pipe *to, uint64_t i, void *p)
{
	void **slot = &to->slot[i % HANDOFF_SLOTS];

	while (__atomic_load_n(slot, __ATOMIC_ACQUIRE))
		sched_yield();
	__atomic_store_n(slot, p, __ATOMIC_RELEASE);
}

static void *handoff_get(struct pipe *from, uint64_t i)
{
	void **slot = &from->slot[i % HANDOFF_SLOTS];
	void *p;

	while (!(p = __atomic_load_n(slot, __ATOMIC_ACQUIRE)))
		sched_yield();
	__atomic_store_n(slot, NULL, __ATOMIC_RELEASE);
	return p;
}

static void handoff_open(unsigned n)
{
	cache = kmem_cache_create("handoff", 80, 0, 0, NULL);
	memset(pipes, 0, sizeof(pipes));
	turns = n;
	most_slabs = 0;
}

static void *handoff_producer(void *unused)
{
	for (uint64_t i = 0; i < turns; i++) {
		handoff_put(&pipes[0], i, handoff_alloc(i));
		if (i % 1024 == 0 && READ_ONCE(cache->node->slabs) > most_slabs)
			most_slabs = READ_ONCE(cache->node->slabs);
	}
	return unused;
}

static void *handoff_consumer(void *unused)
{
	for (uint64_t i = 0; i < turns; i++)
		handoff_free(handoff_get(&pipes[0], i), i, i);
	return unused;
}

static void *handoff_either(void *number)
{
	return number ? handoff_consumer(number) : handoff_producer(number);
}

TEST_MODES(handoff_HO1_HO2_producer_consumer)
{
	handoff_open(thread_turns(200000, 2000000, 20000000));
	thread_run(2, handoff_either);
	EXPECT_LE(most_slabs, 8); /* 256 on the way, some arrays full: far below a slab each */
	thread_close(cache);
}

/* Thread 0 makes, the others mark anew and pass on, thread 0 frees what has been around. */
static void *handoff_ring_thread(void *number)
{
	uintptr_t me = (uintptr_t)number;
	struct pipe *to = &pipes[me];
	struct pipe *from = &pipes[(me + HANDOFF_RING - 1) % HANDOFF_RING];
	uint64_t back = 0;

	for (uint64_t i = 0; i < turns; i++) {
		if (me == 0) {
			if (i - back == HANDOFF_SLOTS / 2) {
				handoff_free(handoff_get(from, back), back,
					     back + HANDOFF_RING - 1);
				back++;
			}
			handoff_put(to, i, handoff_alloc(i));
		} else {
			void *p = handoff_get(from, i);

			thread_fault(stamp_remove(p, handoff_bytes(i), i + me - 1));
			stamp(p, handoff_bytes(i), i + me);
			handoff_put(to, i, p);
		}
	}
	for (; me == 0 && back < turns; back++)
		handoff_free(handoff_get(from, back), back, back + HANDOFF_RING - 1);
	return NULL;
}

TEST_MODES(handoff_HO1_ring)
{
	handoff_open(thread_turns(50000, 500000, 5000000));
	thread_run(HANDOFF_RING, handoff_ring_thread);
	thread_close(cache);
}

/* ---- thread churn ---------------------------------------------------------------- */

static void *left[HANDOFF_LEFT]; /* atomic: what an ended thread held */

static void *handoff_short_thread(void *number)
{
	uint64_t n = (uintptr_t)number;

	for (unsigned i = 0; i < HANDOFF_LEFT; i++) {
		uint64_t *p = kmem_cache_alloc(cache, GFP_KERNEL);
		uint64_t *old;

		p[0] = n * HANDOFF_LEFT + i;
		stamp(p + 1, 72, p[0]);
		old = __atomic_exchange_n(&left[i], p, __ATOMIC_ACQ_REL);
		if (old) {
			thread_fault(stamp_remove(old + 1, 72, old[0]));
			kmem_cache_free(cache, old);
		}
	}
	return NULL;
}

TEST_MODES(handoff_HO3_thread_churn)
{
	unsigned rounds;

	handoff_open(thread_turns(2000, 20000, 200000));
	rounds = turns / 8;
	for (unsigned i = 0; i < rounds; i++)
		thread_run(8, handoff_short_thread);
	EXPECT_LE(cache->node->slabs, 2 + 8); /* all threads may have found none, and made one */
	for (unsigned i = 0; i < HANDOFF_LEFT; i++) {
		kmem_cache_free(cache, left[i]);
		left[i] = NULL;
	}
	thread_close(cache);
}
