/* SPDX-License-Identifier: MIT */
/*
 * squeeze_test.c - SQ1 to SQ3: all caches give what lies idle, and each CPU is stopped once
 */
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/squeeze.h"
#include "cache/stat.h"
#include "sim_help.h"

#define CACHES 300u
#define CPUS 3u
#define EACH 40u /* objects of each cache that lie in each CPU's array */

static struct kmem_cache *caches[CACHES];
static void *held[CACHES][CPUS * EACH];
static const char *options;

static struct kmem_cache *make(unsigned i)
{
	char name[] = "squeeze-000";

	name[8] = (char)('0' + i / 100);
	name[9] = (char)('0' + i / 10 % 10);
	name[10] = (char)('0' + i % 10);
	return kmem_cache_create(name, 64, 0, SLAB_NO_MERGE, NULL);
}

/* Each of @count caches has EACH free objects in the array of each CPU, and none in use. */
static bool setup(bool lock_mode, unsigned count)
{
	sim_reset();
	sim.lock_mode = lock_mode;
	sim.options = options;
	for (unsigned i = 0; i < count; i++) {
		caches[i] = make(i);
		if (!caches[i] || kmem_cache_alloc_bulk(caches[i], GFP_KERNEL, CPUS * EACH,
							held[i]) != (int)(CPUS * EACH))
			return false;
	}
	for (unsigned i = 0; i < count * CPUS; i++) {
		sim.cpu = i / count;
		kmem_cache_free_bulk(caches[i % count], EACH, &held[i % count][sim.cpu * EACH]);
	}
	sim.cpu = 0;
	return true;
}

static size_t in_arrays(unsigned count)
{
	size_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += array_count(caches[i]);
	return sum;
}

static size_t slabs(unsigned count)
{
	size_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += caches[i]->node[0].slabs;
	return sum;
}

static void everything_goes(bool lock_mode)
{
	REQUIRE(setup(lock_mode, CACHES));
	EXPECT_GE(in_arrays(CACHES), CACHES * EACH * CPUS);
	squeeze_caches(true);
	EXPECT_EQ(in_arrays(CACHES), 0);
	EXPECT_EQ(slabs(CACHES), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 0; i < CACHES; i++) {
		EXPECT_EQ(caches[i]->visitors, 0);
		kmem_cache_destroy(caches[i]);
	}
	EXPECT_EQ(sim.text_bytes, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(squeeze_all_empties_arrays_and_slabs)
{
	everything_goes(false);
}

TEST(squeeze_all_in_lock_mode)
{
	everything_goes(true);
}

TEST(squeeze_leaves_what_is_in_use)
{
	void *used[CACHES];

	REQUIRE(setup(false, CACHES));
	for (unsigned i = 0; i < CACHES; i++) {
		sim.cpu = i % CPUS;
		used[i] = kmem_cache_zalloc(caches[i], GFP_KERNEL);
		REQUIRE(used[i]);
		memset(used[i], (int)i, 64);
	}
	squeeze_caches(true);
	EXPECT_EQ(in_arrays(CACHES), 0);
	EXPECT_EQ(slabs(CACHES), CACHES);
	for (unsigned i = 0; i < CACHES; i++) {
		const struct kmem_cache_node *n = &caches[i]->node[0];

		EXPECT_EQ(*(unsigned char *)used[i], (unsigned char)i);
		EXPECT_EQ(n->free_objects, n->shape->objects - 1);
		kmem_cache_free(caches[i], used[i]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(squeeze_SQ3_a_cpu_is_stopped_once_for_all_caches)
{
	size_t objects;

	REQUIRE(setup(false, CACHES));
	objects = in_arrays(CACHES);
	EXPECT_GT(objects, SQUEEZE_OBJECTS);
	sim.fences = 0;
	squeeze_caches(true);
	EXPECT_LE(sim.fences, objects / (SQUEEZE_OBJECTS - 120) + CPUS);
	EXPECT_GE(sim.fences, CPUS);
	sim.fences = 0;
	squeeze_caches(true);
	EXPECT_EQ(sim.fences, 0); /* nothing there: nobody is stopped */
}

static void pop_and_push(struct kmem_cache *cache)
{
	for (sim.cpu = 0; sim.cpu < CPUS; sim.cpu++) {
		void *p = kmem_cache_alloc(cache, GFP_KERNEL);

		REQUIRE(p);
		kmem_cache_free(cache, p);
	}
	sim.cpu = 0;
}

TEST(squeeze_of_the_idle_spares_what_is_popped)
{
	struct kmem_cache *c;
	size_t rest;

	REQUIRE(setup(false, 2));
	c = caches[0];
	pop_and_push(c);
	pop_and_push(caches[1]);
	squeeze_caches(false); /* the first look marks */
	EXPECT_GE(in_arrays(2), 2 * EACH * CPUS);
	pop_and_push(c);
	rest = array_count(c);
	EXPECT_GE(rest, EACH * CPUS);
	squeeze_caches(false);
	EXPECT_EQ(array_count(c), rest);
	EXPECT_EQ(array_count(caches[1]), 0);
	EXPECT_EQ(caches[1]->node[0].slabs, 0);
	squeeze_caches(false);
	EXPECT_EQ(in_arrays(2), 0);
	EXPECT_EQ(slabs(2), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(squeeze_where_the_cpus_cannot_be_stopped)
{
	size_t before;

	REQUIRE(setup(false, 20));
	before = in_arrays(20);
	sim.fence_refused = true;
	squeeze_caches(true);
	EXPECT_EQ(in_arrays(20), before);
	sim.fence_refused = false;
	squeeze_caches(true);
	EXPECT_EQ(in_arrays(20), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

static unsigned looks;

/* A second thread that wants what is idle, in the middle of the first one's squeeze. */
static void look_inside(void)
{
	if (caches[CACHES - 1]->visitors == 0)
		return;
	looks++;
	squeeze_caches(false);
}

TEST(squeeze_SQ1_SQ2_one_at_a_time_and_the_caches_stay)
{
	options = "keep=0;soft_limit=1m"; /* what comes free goes back at once: by the port */
	REQUIRE(setup(false, CACHES));
	sim.watch = look_inside;
	squeeze_caches(true);
	sim.watch = NULL;
	EXPECT_EQ(in_arrays(CACHES), 0);
	EXPECT_EQ(slabs(CACHES), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_GT(looks, 0);
}

/* An allocation that finds nothing squeezes, and then finds something. */
TEST(squeeze_is_what_a_failing_allocation_does)
{
	static void *runs[4096];
	unsigned n = 0;

	REQUIRE(setup(false, CACHES));
	sim.fail_on = true;
	sim.fences = 0;
	while (slabs(CACHES) && n < ARRAY_SIZE(runs) &&
	       (runs[n] = ashlar_kmalloc(64 << 10, GFP_KERNEL)))
		n++;
	EXPECT_EQ(slabs(CACHES), 0);
	EXPECT_LE(sim.fences, CPUS + CACHES * EACH * CPUS / (SQUEEZE_OBJECTS - 120));
	sim.fail_on = false;
	while (n--)
		kfree(runs[n]);
	EXPECT_EQ(ashlar_audit(), 0);
}
