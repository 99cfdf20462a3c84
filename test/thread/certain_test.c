/* SPDX-License-Identifier: MIT */
/*
 * certain_test.c - mempools that sleep, groups that pay, with threads
 *
 * What    More threads than a pool has elements, whose allocator never gives one: every element
 *         changes hands through the pool, by sleeping and waking. And threads that charge and
 *         free in two groups while charges migrate.
 * Rules   CE1 an element has one owner at a time, and every wait ends
 *         CE2 when all is free nothing is charged; sums never exceed a limit
 */
#define _GNU_SOURCE
#include "ashlar/account.h"
#include "ashlar/mempool.h"
#include "thread/thread.h"

static unsigned turns;

/* ---- CE1 ---------------------------------------------------------------------------- */

#define CERTAIN_KEPT 2
#define CERTAIN_BYTES 96

static mempool_t *pool;
static bool dry;

static void *certain_take(gfp_t gfp, void *data)
{
	return dry ? NULL : ashlar_kmalloc((size_t)data, gfp);
}

static void certain_give(void *element, void *data)
{
	(void)data;
	kfree(element);
}

static void *certain_borrow(void *number)
{
	for (unsigned i = 0; i < turns; i++) {
		void *p = mempool_alloc(pool, GFP_KERNEL);
		uint64_t owner = ((uint64_t)(uintptr_t)number << 32) + i;

		if (!p) {
			thread_fault(false);
			continue;
		}
		stamp(p, CERTAIN_BYTES, owner);
		if (i % 64 == 0)
			sched_yield();
		thread_fault(stamp_remove(p, CERTAIN_BYTES, owner));
		mempool_free(p, pool);
	}
	return NULL;
}

TEST_MODES(certain_CE1_one_owner_and_no_lost_wake)
{
	turns = thread_turns(5000, 50000, 500000);
	dry = false;
	pool = mempool_create(CERTAIN_KEPT, certain_take, certain_give, (void *)CERTAIN_BYTES);
	EXPECT_NOT_NULL(pool);
	if (!pool)
		return;
	dry = true;
	thread_run(6, certain_borrow);
	EXPECT_EQ(thread_faults(), 0);
	EXPECT_EQ(ashlar_mempool_available(pool), CERTAIN_KEPT);
	mempool_destroy(pool);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- CE2 ---------------------------------------------------------------------------- */

#define CERTAIN_LIMIT ((size_t)200000)

static struct ashlar_group *top;
static struct ashlar_group *group[2];
static __thread struct ashlar_group *mine;

static struct ashlar_group *certain_mine(void)
{
	return mine;
}

static void *certain_charge(void *number)
{
	uint64_t random = thread_seed() + (uintptr_t)number;
	void *held[64] = { NULL };

	mine = group[(uintptr_t)number % 2];
	for (unsigned i = 0; i < turns; i++) {
		unsigned k = (unsigned)(thread_random(&random) % 64);

		kfree(held[k]);
		held[k] = ashlar_kmalloc(16 + thread_random(&random) % 6000, GFP_KERNEL_ACCOUNT);
		if (i % 512 == 0 && number == NULL)
			ashlar_group_migrate(group[i / 512 % 2], group[1 - i / 512 % 2]);
		if (i % 128 == 0) {
			struct ashlar_group_stat s;

			ashlar_group_stat(top, &s);
			thread_fault(s.bytes <= CERTAIN_LIMIT);
		}
	}
	for (unsigned k = 0; k < 64; k++)
		kfree(held[k]);
	return NULL;
}

TEST_MODES(certain_CE2_what_is_free_is_not_charged)
{
	struct ashlar_group_stat s;

	turns = thread_turns(20000, 200000, 2000000);
	top = ashlar_group_create("top", NULL, CERTAIN_LIMIT);
	group[0] = ashlar_group_create("even", top, 0);
	group[1] = ashlar_group_create("odd", top, 0);
	EXPECT(top && group[0] && group[1]);
	if (!top || !group[0] || !group[1])
		return;
	ashlar_group_bind(certain_mine);
	thread_run(4, certain_charge);
	ashlar_group_bind(NULL);
	EXPECT_EQ(thread_faults(), 0);
	ashlar_group_stat(top, &s);
	EXPECT_EQ(s.bytes, 0);
	EXPECT_EQ(s.objects, 0);
	EXPECT_GT(s.refused, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(ashlar_group_destroy(group[0]), 0);
	EXPECT_EQ(ashlar_group_destroy(group[1]), 0);
	EXPECT_EQ(ashlar_group_destroy(top), 0);
}
