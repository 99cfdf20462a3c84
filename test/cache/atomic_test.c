/* SPDX-License-Identifier: MIT */
/*
 * atomic_test.c - requests and frees that may not wait, with every lock held in turn
 *
 * One thread: whoever waited for a lock that is held would wait for ever, and the simulated
 * machine ends the test that does.
 */
#include "ashlar/account.h"
#include "ashlar/debug.h"
#include "ashlar/mempool.h"
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
#include "page/zones.h"
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

static void lock_zones(void)
{
	for (unsigned i = 0; i < zones.count; i++)
		lock_acquire_more(&zones.of[i].lock);
}

static void unlock_zones(void)
{
	for (unsigned i = 0; i < zones.count; i++)
		lock_release(&zones.of[i].lock);
}

struct hold_lock {
	void (*lock)(void);
	void (*unlock)(void);
};

/* Every lock of the core, one by one, those that belong together together, and all. */
static const struct hold_lock locks[] = {
	{ stop_arrays, array_unlock_all },        { cache_lock_all, cache_unlock_all },
	{ large_lock_all, large_unlock_all },     { reclaim_lock_all, reclaim_unlock_all },
	{ account_lock_all, account_unlock_all }, { rcu_lock_all, rcu_unlock_all },
	{ mempool_lock_all, mempool_unlock_all }, { lock_pcps, unlock_pcps },
	{ lock_growth, unlock_growth },           { lock_zones, unlock_zones },
	{ page_lock_all, page_unlock_all },       { init_stop, init_resume },
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
	uint64_t discarded;
	struct page *head;
	void *element[2];
	mempool_t *pool;
	void *p[3];

	if (!EXPECT(setup()))
		return 1;
	ask(GFP_KERNEL | __GFP_NORETRY); /* kfree_nolock of all */
	for (unsigned i = 0; i < 3; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	pool = mempool_create_kmalloc_pool(2, 64);
	requests = sim.requests;
	discarded = sim.discarded;
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
	element[0] = mempool_alloc(pool, GFP_ATOMIC); /* MP4 */
	element[1] = mempool_alloc_preallocated(pool);
	l->unlock();
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(sim.wakes, 0);
	EXPECT_EQ(sim.requests, requests);
	EXPECT_EQ(sim.discarded, discarded);
	kfree(p[1]);
	kfree(p[2]);
	for (unsigned i = 0; i < 2; i++)
		mempool_free(element[i], pool);
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

/* ---- a group that refuses --------------------------------------------------------------- */

/* The group may have one page; what is asked for is more. @way: which door. */
static bool refused(unsigned way, struct kmem_cache *c)
{
	gfp_t gfp = GFP_ATOMIC | __GFP_ACCOUNT;
	struct page *pages[8] = { NULL };
	unsigned long got;

	switch (way) {
	case 0:
		return !alloc_pages(gfp, 2);
	case 1:
		return !alloc_pages_exact(3 * PAGE_SIZE, gfp);
	case 2:
		return !ashlar_kmalloc(5 * PAGE_SIZE * 3, gfp);
	case 3:
		got = alloc_pages_bulk(gfp, 8, pages);
		for (unsigned i = 0; i < got; i++)
			__free_pages(pages[i], 0); /* with the locks: the caller's own affair */
		return got < 8;
	default:
		return kmem_cache_alloc_bulk(c, gfp, 300, held) == 0;
	}
}

struct refusal {
	const struct hold_lock *hold; /* NULL: nobody has a lock */
	unsigned way;
	bool slow; /* the cache looks at each object */
};

static size_t used_pages(void)
{
	struct page_stat s;

	ashlar_purge();
	ashlar_purge(); /* vectors go with their slabs, which are of a later cache */
	page_stat(&s);
	return s.online_pages - s.free_pages - s.pcp_pages;
}

static void warm(struct kmem_cache *c)
{
	kmem_cache_alloc_bulk(c, GFP_KERNEL, 300, held);
	kmem_cache_free_bulk(c, 300, held);
	kfree(ashlar_kmalloc(15 * PAGE_SIZE, GFP_KERNEL));
	__free_pages(alloc_pages(GFP_KERNEL, 2), 2); /* this CPU keeps it: no zone is asked */
	free_pages_exact(alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL), 3 * PAGE_SIZE);
}

static unsigned run_refused(const void *argument)
{
	const struct refusal *r = argument;
	struct ashlar_group_stat stat;
	struct ashlar_group *g;
	struct kmem_cache *c;
	uint64_t requests;
	size_t before;

	if (!EXPECT(setup()))
		return 1;
	c = kmem_cache_create("paid", 64, 0, r->slow ? SLAB_ACCOUNT | SLAB_POISON : 0, NULL);
	g = ashlar_group_create("small", NULL, PAGE_SIZE + 16);
	warm(c); /* without a group: nobody pays */
	before = used_pages();
	warm(c);
	ashlar_group_set_default(g);
	requests = sim.requests;
	sim.discarded = 0;
	if (r->hold)
		r->hold->lock();
	EXPECT(refused(r->way, c));
	if (r->hold)
		r->hold->unlock();
	EXPECT_EQ(sim.waits + sim.wakes, 0);
	EXPECT_EQ(sim.discarded, 0);
	EXPECT_EQ(sim.requests, requests);
	ashlar_group_stat(g, &stat);
	EXPECT_EQ(stat.bytes + stat.objects, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(used_pages(), before);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	return tap_has_failed();
}

TEST(nolock_AC5_refused_charges_wait_for_nothing)
{
	PAGES_OF_4_KIB();
	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	for (unsigned i = 0; i <= ARRAY_SIZE(locks); i++)
		for (unsigned way = 0; way < 6; way++) {
			struct refusal r = {
				i ? &locks[i - 1] : NULL,
				way,
				way == 5,
			};

			if (way == 3 && i)
				continue; /* some pages come, and have to go back */
			if (!EXPECT_EQ(tap_apart(run_refused, &r), 0))
				tap_note_number("lock", i), tap_note_number("way", way);
		}
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
