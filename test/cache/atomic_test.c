/* SPDX-License-Identifier: MIT */
/*
 * atomic_test.c - requests and frees that may not wait, with every lock held in turn
 *
 * One thread: whoever waited for a lock that is held would wait for ever, and the simulated
 * machine ends the test that does.
 */
#include "ashlar/mm.h"
#include "cache/account.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "cache/large.h"
#include "cache/mempool.h"
#include "cache/rcu.h"
#include "cache/reclaim.h"
#include "page/pcp.h"
#include "page/zone.h"
#include "start_help.h"

#define HELD 4096u

static void *held[HELD];

static struct kmem_cache *cache_of(const void *p)
{
	return cache_node_at(map.ids[map_pfn(p)])->cache;
}

static void stop_arrays(void)
{
	array_lock_all();
}

static void lock_pcps(void)
{
	for (unsigned cpu = 0; cpu < sim.cpus; cpu++)
		pcp_lock(cpu);
}

static void unlock_pcps(void)
{
	for (unsigned cpu = 0; cpu < sim.cpus; cpu++)
		pcp_unlock(cpu);
}

static void lock_growth(void)
{
	lock_acquire_more(&zone_growth);
}

static void unlock_growth(void)
{
	lock_release(&zone_growth);
}

struct hold_lock {
	void (*lock)(void);
	void (*unlock)(void);
};

/* Every lock of the core, one by one, those that belong together together, and all. */
static const struct hold_lock locks[] = {
	{ stop_arrays, array_unlock_all },
	{ cache_lock_all, cache_unlock_all },
	{ large_lock_all, large_unlock_all },
	{ reclaim_lock_all, reclaim_unlock_all },
	{ account_lock_all, account_unlock_all },
	{ rcu_lock_all, rcu_unlock_all },
	{ mempool_lock_all, mempool_unlock_all },
	{ lock_pcps, unlock_pcps },
	{ lock_growth, unlock_growth },
	{ page_lock_all, page_unlock_all },
	{ init_stop, init_resume },
};

/* Ask for a bit of everything without waiting; what there is is freed. */
static unsigned ask(gfp_t gfp)
{
	static const size_t sizes[] = { 16, 64, 200, 1000, 5000, 20000, 32768 };
	unsigned got = 0;

	for (unsigned round = 0; round < 40; round++)
		for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *p = gfp & ~__GFP_HIGH ? ashlar_kmalloc(sizes[i], gfp) :
						      kmalloc_nolock(sizes[i], gfp, -1);

			if (p)
				memset(p, 1, sizes[i]);
			held[round * ARRAY_SIZE(sizes) + i] = p;
			got += p != NULL;
		}
	for (unsigned i = 0; i < 40 * ARRAY_SIZE(sizes); i++)
		kfree_nolock(held[i]);
	return got;
}

/* The locks @first .. , in a machine that has been used before. */
static unsigned run_hold(const void *argument)
{
	const struct hold_lock *l = argument;
	uint64_t requests;
	struct page *head;
	void *p[3];

	if (!EXPECT(setup()))
		return 1;
	ask(GFP_KERNEL | __GFP_NORETRY); /* kfree_nolock of all */
	for (unsigned i = 0; i < 3; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	requests = sim.requests;
	l->lock();
	ask(GFP_ATOMIC);
	ask(GFP_NOWAIT);
	ask(0);
	ask(__GFP_HIGH);
	kmem_cache_alloc_bulk(cache_of(p[0]), GFP_NOWAIT, 300, held);
	head = alloc_pages(GFP_ATOMIC, 2);
	(void)head;
	held[0] = ashlar_kmalloc(50000, GFP_ATOMIC);
	held[1] = ashlar_kmalloc((size_t)16 << 20, GFP_ATOMIC); /* a mapping: never */
	EXPECT_NULL(held[1]);
	held[2] = ashlar_kmalloc(64, GFP_ATOMIC | __GFP_ACCOUNT);
	kfree_nolock(p[0]);
	l->unlock();
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(sim.requests, requests);
	EXPECT_EQ(sim.discarded, 0);
	kfree(p[1]);
	kfree(p[2]);
	EXPECT_EQ(ashlar_audit(), 0);
	ashlar_purge();
	EXPECT_EQ(ashlar_audit(), 0);
	return tap_has_failed();
}

TEST(nolock_NL1_every_lock_held)
{
	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	for (unsigned i = 0; i < ARRAY_SIZE(locks); i++)
		EXPECT_EQ(tap_apart(run_hold, &locks[i]), 0);
}

/* Any of these at any time, with the locks held or not: nothing is lost, nobody gets what another
 * one has. */
static void run_random(uint64_t *seed, struct kmem_cache *c)
{
	bool locked = false;
	bool stopped = false;

	for (unsigned step = 0; step < 20000; step++) {
		uint64_t r = help_random(seed);
		unsigned i = (unsigned)(r >> 32) % 600;
		bool quiet = locked || stopped;

		sim.cpu = (unsigned)(r >> 20) % 4;
		if (r % 64 == 0 && !stopped) {
			if (locked)
				lock_release(&c->node->lock);
			else
				lock_acquire_more(&c->node->lock);
			locked = !locked;
		} else if (r % 64 == 1 && !locked) {
			if (stopped)
				page_unlock_all();
			else
				page_lock_all();
			stopped = !stopped;
		} else if (held[i]) {
			EXPECT_EQ(*(uint32_t *)held[i], i);
			if (quiet || r % 2)
				kfree_nolock(held[i]);
			else
				kmem_cache_free(c, held[i]);
			held[i] = NULL;
		} else {
			held[i] = kmem_cache_alloc(c, quiet || r % 2 ? GFP_ATOMIC : GFP_KERNEL);
			if (held[i])
				*(uint32_t *)held[i] = i;
		}
		if (!quiet && r % 512 == 5)
			kmem_cache_shrink(c);
	}
	if (locked)
		lock_release(&c->node->lock);
	if (stopped)
		page_unlock_all();
}

static unsigned run_model(const void *argument)
{
	const unsigned *size = argument;
	uint64_t seed = help_setting("ASHLAR_SEED", 1) + *size;
	struct kmem_cache *c;

	if (!EXPECT(setup()))
		return 1;
	c = kmem_cache_create("random", *size, 0, SLAB_NO_MERGE, NULL);
	for (unsigned round = 0; round < 2 * help_effort(); round++) {
		run_random(&seed, c);
		EXPECT_EQ(ashlar_audit(), 0);
		EXPECT_EQ(c->node->pending, 0);
	}
	for (unsigned i = 0; i < 600; i++)
		kfree(held[i]);
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
	return tap_has_failed();
}

TEST(nolock_random_operations)
{
	static const unsigned sizes[] = { 16, 64, 400, 3000, 30000 };

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_EQ(tap_apart(run_model, &sizes[i]), 0);
}
