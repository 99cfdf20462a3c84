/* SPDX-License-Identifier: MIT */
/*
 * array_test.c - CPUs and their arrays: A1 to A5, flush and hand-over, CPUs that come late
 */
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "port/port.h"
#include "sim_help.h"

#define MANY 2000u

static void *held[MANY];
static struct kmem_cache *c;

static bool setup(bool lock_mode, unsigned size)
{
	sim_reset();
	sim.lock_mode = lock_mode;
	c = kmem_cache_create("arrays", size, 0, 0, NULL);
	return c != NULL;
}

/* @n objects in held, and nothing in any array. */
static bool take(size_t n)
{
	if (kmem_cache_alloc_bulk(c, GFP_KERNEL, n, held) != (int)n)
		return false;
	array_drain(c);
	return array_count(c) == 0;
}

static struct array_cache *array_of(unsigned cpu)
{
	return (struct array_cache *)sim.region[cpu] + c->header_offset / 16;
}

TEST(array_A1_entries_are_free_objects_newest_last)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(50));
	for (unsigned i = 0; i < 50; i++) {
		kmem_cache_free(c, held[i]);
		EXPECT_EQ(array_of(0)->avail, i + 1);
		EXPECT_PTR_EQ(array_of(0)->entry[i], held[i]);
	}
	EXPECT_LE(array_of(0)->avail, array_of(0)->limit);
	EXPECT_EQ(array_of(0)->limit, 120);
	EXPECT_GE(array_of(0)->capacity, array_of(0)->limit);
	EXPECT_EQ(ashlar_audit(), 0);
	array_of(0)->limit = 49;
	EXPECT_NE(ashlar_audit(), 0);
	array_of(0)->limit = 120;
	*map_state(held[7]) = map_state_in_use(held[7]);
	EXPECT_NE(ashlar_audit(), 0);
	*map_state(held[7]) = STATE_FREE;
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(array_A2_pop_leaves_a_trace_for_the_reaper)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(1));
	kmem_cache_free(c, held[0]);
	array_of(0)->idle = 1;
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), held[0]);
	EXPECT_EQ(array_of(0)->idle, 0);
}

TEST(array_A3_limit_is_there_for_late_caches_and_cpus)
{
	struct kmem_cache *early;

	REQUIRE(setup(false, 64));
	early = c;
	REQUIRE(take(2));
	sim.cpu = 2; /* never seen: the dummy, always empty and always full */
	EXPECT_PTR_EQ(sim.region[2], sim.dummy);
	kmem_cache_free(c, held[0]);
	EXPECT_PTR_NE(sim.region[2], sim.dummy);
	EXPECT_EQ(array_of(2)->avail, 1);
	c = kmem_cache_create("late", 3000, 0, 0, NULL);
	REQUIRE(c != NULL);
	EXPECT_EQ(array_of(2)->limit, 0);
	kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
	EXPECT_EQ(array_of(2)->limit, c->limit);
	c = early;
	EXPECT_EQ(array_of(2)->avail, 1);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(array_A4_every_cpu_that_shows_up)
{
	sim_reset();
	sim.cpus = PORT_MAX_CPUS;
	c = kmem_cache_create("arrays", 64, 0, 0, NULL);
	REQUIRE(c != NULL);
	for (unsigned cpu = PORT_MAX_CPUS; cpu-- > 0;) {
		sim.cpu = cpu;
		kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
	}
	EXPECT_EQ(array_cpus(), PORT_MAX_CPUS);
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(sim.waits, 0);
}

static unsigned watched;

/* While an array is drained its CPU runs on. */
static void use_it(void)
{
	if (!watched++)
		kmem_cache_free(c, held[100]);
}

TEST(array_A5_flushed_after_the_cpu_runs_again)
{
	REQUIRE(setup(false, 65536));
	REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, 101, held) == 101);
	kmem_cache_free_bulk(c, 100, held);
	sim.watch = use_it; /* called when pages are discarded */
	ashlar_purge();
	sim.watch = NULL;
	EXPECT_GT(watched, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
}

TEST(array_drain_takes_from_all_cpus)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(100));
	for (unsigned i = 0; i < 100; i++) {
		sim.cpu = i % 4;
		kmem_cache_free(c, held[i]);
	}
	EXPECT_EQ(array_count(c), 100);
	array_drain(c);
	EXPECT_EQ(array_count(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(array_migration_between_alloc_and_free)
{
	REQUIRE(setup(false, 200));
	for (unsigned i = 0; i < MANY; i++) {
		sim.cpu = i % 3;
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
		REQUIRE(held[i] != NULL);
		*(unsigned *)held[i] = i;
	}
	for (unsigned i = 0; i < MANY; i++) {
		EXPECT_EQ(*(unsigned *)held[i], i);
		sim.cpu = 3 - i % 4;
		kmem_cache_free(c, held[i]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
}

static unsigned moved_to;

static void migrate(void)
{
	sim.cpu = moved_to++ % 4;
}

TEST(array_migration_inside_an_operation)
{
	PAGES_ARE_MANY();
	REQUIRE(setup(false, 4000));
	sim.watch = migrate; /* each time the port is asked for memory, on goes another CPU */
	for (unsigned i = 0; i < MANY; i++)
		REQUIRE((held[i] = kmem_cache_alloc(c, GFP_KERNEL)) != NULL);
	EXPECT_GT(moved_to, 8);
	kmem_cache_free_bulk(c, MANY, held);
	sim.watch = NULL;
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
}

TEST(array_F5_oldest_batch_leaves_first)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(121));
	for (unsigned i = 0; i < 120; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(array_of(0)->avail, 120);
	EXPECT_NULL(c->node->shared);
	kmem_cache_free(c, held[120]);
	EXPECT_EQ(array_of(0)->avail, 61);
	for (unsigned i = 0; i < 61; i++)
		EXPECT_PTR_EQ(array_of(0)->entry[i], held[60 + i]);
	EXPECT_EQ(c->node->shared_avail, 60);
	EXPECT_EQ(memcmp(c->node->shared, held, 60 * sizeof(void *)), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 121; i-- > 0;) /* and comes back last */
		EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), held[i]);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Who only frees fills the array as a whole each time; one pop, and a half stays again. */
TEST(array_flush_without_a_pop_gives_all)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(400));
	for (unsigned i = 0; i < 121; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(array_of(0)->avail, 61);
	for (unsigned i = 121; i < 181; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(array_of(0)->avail, 0); /* nothing popped since */
	EXPECT_EQ(array_count(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 181; i < 301; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(array_of(0)->avail, 120);
	held[300] = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned i = 300; i < 302; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(array_of(0)->avail, 61);
	for (unsigned i = 302; i < 400; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* The first refill after a flush is a batch, the next ones are all that an array holds. */
TEST(array_refills_grow_until_a_flush)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(200));
	for (unsigned i = 0; i < 200; i++)
		kmem_cache_free(c, held[i]);
	array_drain(c); /* a put */
	for (unsigned i = 0; i < 61; i++)
		REQUIRE((held[i] = kmem_cache_alloc(c, GFP_KERNEL)) != NULL);
	EXPECT_EQ(array_of(0)->avail, 119);
	for (unsigned i = 61; i < 181; i++)
		REQUIRE((held[i] = kmem_cache_alloc(c, GFP_KERNEL)) != NULL);
	EXPECT_EQ(array_of(0)->avail, 119);
	for (unsigned i = 0; i < 2; i++) /* no room for the second: a flush */
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(array_of(0)->avail, 61);
	for (unsigned i = 0; i < 62; i++)
		REQUIRE((held[i] = kmem_cache_alloc(c, GFP_KERNEL)) != NULL);
	EXPECT_EQ(array_of(0)->avail, 59);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(array_shared_array_hands_over_between_cpus)
{
	size_t slabs = 0;

	REQUIRE(setup(false, 128));
	for (unsigned round = 0; round < 40; round++) {
		sim.cpu = 0; /* one produces */
		for (unsigned i = 0; i < 500; i++)
			REQUIRE((held[i] = kmem_cache_alloc(c, GFP_KERNEL)) != NULL);
		sim.cpu = 1; /* one consumes */
		for (unsigned i = 0; i < 500; i++)
			kmem_cache_free(c, held[i]);
		if (round == 4)
			slabs = c->node->grown;
		if (round > 4)
			EXPECT_EQ(c->node->grown, slabs); /* nothing is made anew */
	}
	EXPECT_GT(c->node->shared_avail, 0);
	EXPECT_LE(c->node->shared_avail, c->node->shared_limit);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(array_of_one_object)
{
	REQUIRE(setup(false, 200000));
	REQUIRE(take(10));
	for (unsigned i = 0; i < 10; i++) {
		kmem_cache_free(c, held[i]);
		EXPECT_LE(array_of(0)->avail, 1);
	}
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), held[9]);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(array_limits_of_a_new_cache_with_an_old_id)
{
	u32 first;

	REQUIRE(setup(false, 300000)); /* one entry */
	first = c->header_offset;
	kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
	EXPECT_EQ(array_of(0)->capacity, 1);
	do {
		kmem_cache_destroy(c);
		c = kmem_cache_create("next", 16, 0, 0, NULL);
		REQUIRE(c != NULL);
	} while (c->header_offset != first);
	EXPECT_EQ(array_of(0)->limit, 0);
	REQUIRE(take(500));
	kmem_cache_free_bulk(c, 500, held);
	EXPECT_EQ(array_of(0)->limit, 120);
	EXPECT_GE(array_of(0)->capacity, 120);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- a system that refuses the fence -------------------------------------------- */

TEST(array_fence_refused_loses_nothing)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(50));
	for (unsigned i = 0; i < 50; i++)
		kmem_cache_free(c, held[i]);
	sim.fence_refused = true;
	EXPECT_EQ(kmem_cache_shrink(c), 1);
	EXPECT_EQ(array_count(c), 50);
	sim.cpu = 1; /* the first visit needs no fence */
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_NOT_NULL(held[0]);
	kmem_cache_free(c, held[0]);
	sim.fence_refused = false;
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(array_fence_refused_keeps_the_id)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(1));
	kmem_cache_free(c, held[0]);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	EXPECT_EQ(array_of(0)->limit, 120);
	sim.fence_refused = true;
	help_clear();
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "ashlar: kmem_cache_destroy(\"arrays\"): refused: the CPUs cannot "
				 "be stopped\n");
	sim.fence_refused = false;
	EXPECT_EQ(ashlar_audit(), 0); /* K1: no array may be left with a dead id */
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), held[0]);
	kmem_cache_free(c, held[0]);
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- LOCK mode ---- */

TEST(array_lock_mode_uses_the_arrays)
{
	REQUIRE(setup(true, 64));
	EXPECT_FALSE(percpu_ready());
	EXPECT_TEXT_EQ(init_facts.percpu, "lock");
	REQUIRE(take(130));
	for (unsigned i = 0; i < 130; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(array_of(0)->avail, 70);
	for (unsigned i = 130; i-- > 60;)
		EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), held[i]);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(array_lock_mode_goes_to_the_node_when_busy)
{
	void *region;
	void *other;

	REQUIRE(setup(true, 64));
	REQUIRE(take(300));
	kmem_cache_free(c, held[0]);
	EXPECT_EQ(array_of(0)->avail, 1);
	region = port_percpu_own(0); /* another thread works on this CPU's region */
	REQUIRE(region != NULL);
	other = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_PTR_NE(other, held[0]);
	for (unsigned i = 1; i < 300; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 200, held + 1), 200);
	kmem_cache_free_bulk(c, 200, held + 1);
	kmem_cache_free(c, other);
	port_percpu_publish(0, region, region);
	EXPECT_EQ(array_of(0)->avail, 1);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0); /* every object came home */
	EXPECT_EQ(sim.waits, 0);
}

TEST(array_lock_mode_migration)
{
	REQUIRE(setup(true, 200));
	for (unsigned i = 0; i < MANY; i++) {
		sim.cpu = i % 3;
		REQUIRE((held[i] = kmem_cache_alloc(c, GFP_KERNEL)) != NULL);
	}
	for (unsigned i = 0; i < MANY; i++) {
		sim.cpu = 3 - i % 4;
		kmem_cache_free(c, held[i]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
}

/* ---- fork ---- */

TEST(array_stopped_cpus_are_empty_and_full)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(10));
	kmem_cache_free(c, held[0]);
	init_stop();
	EXPECT_PTR_EQ(sim.region[0], sim.dummy);
	init_resume();
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), held[0]);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(array_child_of_an_unfenced_fork_forgets)
{
	REQUIRE(setup(false, 64));
	REQUIRE(take(10));
	kmem_cache_free(c, held[0]);
	sim.fence_refused = true;
	init_stop();
	init_resume_child();
	sim.fence_refused = false;
	EXPECT_EQ(array_count(c), 0);
	EXPECT_PTR_NE(kmem_cache_alloc(c, GFP_KERNEL), held[0]);
	EXPECT_EQ(ashlar_audit(), 0);
}
