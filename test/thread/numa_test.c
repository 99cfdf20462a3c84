/* SPDX-License-Identifier: MIT */
/*
 * numa_test.c - two made-up NUMA nodes, CPUs of both, objects that cross between them
 *
 * What    fake_numa=2 puts every other CPU on node 1. Threads pinned to both hand objects over,
 *         so that all frees are alien; threads that wander free and allocate everywhere while
 *         one shrinks. And the parsers of what the kernel says of its nodes.
 * Rules   NT1 an object has one owner, and lies on the node of a CPU that its allocation saw
 *         NT2 what is freed far from home comes home: the heap does not grow
 *         NT3 afterwards every rule of the audit holds and every bit is back
 */
#define _GNU_SOURCE
#include "cache/array.h"
#include "cache/cache.h"
#include "page/node.h"
#include "port/linux/linux.h"
#include "thread/thread.h"

#define NUMA_SLOTS 512u
#define NUMA_BYTES 96u

static struct kmem_cache *cache;
static void *slots[NUMA_SLOTS]; /* atomic: handed over, NULL is empty */
static unsigned turns;
static unsigned cpus[2];

#define TEST_NODES(name)                                                                           \
	static void name(void);                                                                    \
	TEST(name##_rseq)                                                                          \
	{                                                                                          \
		if (!thread_elsewhere_prepared("rseq", "percpu=rseq;fake_numa=2", __func__, NULL)) \
			name();                                                                    \
	}                                                                                          \
	TEST(name##_lock)                                                                          \
	{                                                                                          \
		if (!thread_elsewhere_prepared("lock", "percpu=lock;fake_numa=2", __func__, NULL)) \
			name();                                                                    \
	}                                                                                          \
	static void name(void)

static bool open_nodes(unsigned n)
{
	turns = n;
	memset(slots, 0, sizeof(slots));
	cache = kmem_cache_create("numa", NUMA_BYTES, 0, 0, NULL);
	if (thread_cpus(cpus, 2) < 2 || cpus[0] % 2 == cpus[1] % 2) {
		tap_skip("two CPUs of different numbers modulo 2 are needed");
		return false;
	}
	return EXPECT_EQ(node_table.count, 2) && EXPECT_NOT_NULL(cache);
}

static void *producer(void)
{
	for (uint64_t i = 0; i < turns; i++) {
		void *p = kmem_cache_alloc(cache, GFP_KERNEL);
		void **slot = &slots[i % NUMA_SLOTS];

		thread_fault(page_node(&map.pages[map_pfn(p)]) == cpus[0] % 2); /* NT1 */
		stamp(p, NUMA_BYTES, i);
		while (__atomic_load_n(slot, __ATOMIC_ACQUIRE))
			sched_yield();
		__atomic_store_n(slot, p, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void *consumer(void)
{
	for (uint64_t i = 0; i < turns; i++) {
		void **slot = &slots[i % NUMA_SLOTS];
		void *p;

		while (!(p = __atomic_load_n(slot, __ATOMIC_ACQUIRE)))
			sched_yield();
		__atomic_store_n(slot, NULL, __ATOMIC_RELEASE);
		thread_fault(stamp_remove(p, NUMA_BYTES, i));
		kmem_cache_free(cache, p);
	}
	return NULL;
}

static void *across(void *number)
{
	thread_pin(cpus[number != NULL]);
	return number ? consumer() : producer();
}

TEST_NODES(numa_NT1_NT2_NT3_all_frees_are_alien)
{
	if (!open_nodes(thread_turns(200000, 2000000, 20000000)))
		return;
	thread_run(2, across);
	EXPECT_LE(cache->node[cpus[0] % 2].slabs, 4); /* 512 on the way and some arrays full */
	EXPECT_EQ(cache->node[cpus[1] % 2].slabs, 0);
	thread_close(cache);
}

/* Objects of both nodes are exchanged on whichever CPU the thread is; one thread shrinks. */
static void *wanderer(void *number)
{
	uint64_t seed = thread_seed() + (uintptr_t)number;

	for (unsigned i = 0; i < turns; i++) {
		uint64_t *p = kmem_cache_alloc_node(cache, GFP_KERNEL, (int)(i % 3) - 1);
		uint64_t *old;

		if (i % 64 == 0)
			thread_pin(cpus[thread_random(&seed) % 2]);
		if (i % 1024 == 0 && !number)
			kmem_cache_shrink(cache);
		p[0] = thread_random(&seed);
		stamp(p + 1, NUMA_BYTES - 8, p[0]);
		old = __atomic_exchange_n(&slots[thread_random(&seed) % NUMA_SLOTS], p,
					  __ATOMIC_ACQ_REL);
		if (!old)
			continue;
		thread_fault(stamp_remove(old + 1, NUMA_BYTES - 8, old[0]));
		if (i % 5)
			kmem_cache_free(cache, old);
		else
			kmem_cache_free_bulk(cache, 1, (void **)&old);
	}
	return NULL;
}

TEST_NODES(numa_NT1_NT3_wanderers)
{
	if (!open_nodes(thread_turns(50000, 500000, 5000000)))
		return;
	thread_run(4, wanderer);
	for (unsigned i = 0; i < NUMA_SLOTS; i++)
		if (slots[i])
			kmem_cache_free(cache, slots[i]);
	thread_close(cache);
}

TEST(numa_lists_as_the_kernel_prints_them)
{
	static const struct {
		const char *list;
		unsigned wanted;
		unsigned place;
	} cases[] = {
		{ "0\n", 0, 0 },
		{ "0-1\n", 1, 1 },
		{ "0-3,8\n", 8, 4 },
		{ "0-3,8\n", 5, LINUX_NOT_LISTED },
		{ "2,4-6\n", 0, LINUX_NOT_LISTED },
		{ "2,4-6\n", 2, 0 },
		{ "2,4-6\n", 6, 3 },
		{ "2,4-6\n", 7, LINUX_NOT_LISTED },
		{ "", 0, LINUX_NOT_LISTED },
		{ "3-", 3, LINUX_NOT_LISTED },
		{ "127\n", 127, 0 },
		{ "x", 0, LINUX_NOT_LISTED },
	};
	unsigned number = 0;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		EXPECT_EQ(linux_parse_list(cases[i].list, cases[i].wanted), cases[i].place);
	EXPECT_TEXT_EQ(linux_parse_number(" 10 21\n", &number), " 21\n");
	EXPECT_EQ(number, 10);
	EXPECT_NULL(linux_parse_number("\n", &number));
}
