/* SPDX-License-Identifier: MIT */
/*
 * shrinker_test.c - who runs shrinkers, and who waits for that (R3 of cache/reclaim.h)
 */
#include "cache/cache.h"
#include "start_help.h"

static unsigned depth;
static unsigned deepest;

static size_t count_one(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	return 1;
}

/* A scan that itself runs out of memory. */
static size_t scan_allocates(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)n;
	depth++;
	deepest = depth > deepest ? depth : deepest;
	if (depth < 10)
		EXPECT_NULL(ashlar_kmalloc((size_t)1 << 45, gfp));
	depth--;
	return 0;
}

TEST(shrinker_R3_shrinkers_do_not_run_within_each_other)
{
	static struct shrinker s = { .count = count_one, .scan = scan_allocates };

	REQUIRE(setup());
	register_shrinker(&s);
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 45, GFP_KERNEL));
	unregister_shrinker(&s);
	EXPECT_EQ(deepest, 1);
	EXPECT_EQ(ashlar_audit(), 0);
}

static unsigned watched;

/* The simulated machine ends a test that waits for nobody; this one means to. */
static void watch(void)
{
	sim.waits = 0;
	watched++;
}

/* As if another thread asked meanwhile, while this one's shrinker waits for what it holds. */
static size_t scan_stuck(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)n;
	sim.thread++;
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 45, gfp));
	sim.thread--;
	deepest++;
	return 0;
}

TEST(shrinker_R3_who_finds_another_thread_at_it_waits_and_not_without_end)
{
	static struct shrinker s = { .count = count_one, .scan = scan_stuck };

	REQUIRE(setup());
	deepest = watched = 0;
	register_shrinker(&s);
	sim.watch = watch;
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 45, GFP_KERNEL));
	sim.watch = NULL;
	EXPECT_GE(deepest, 1);
	EXPECT_GT(watched, 1000);
	unregister_shrinker(&s);
	EXPECT_EQ(ashlar_audit(), 0);
}
