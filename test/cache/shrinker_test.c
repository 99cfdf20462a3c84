/* SPDX-License-Identifier: MIT */
/*
 * shrinker_test.c - who runs shrinkers, and who waits for that (R3 of cache/reclaim.h)
 */
#include "cache/cache.h"
#include "cache/init.h"
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

static size_t count_none(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	return 0;
}

static void *refused_once(gfp_t gfp)
{
	sim.fail_at = 1;
	return ashlar_kmalloc((PAGE_SIZE << MAX_ORDER) + 1, gfp); /* a mapping */
}

/* The system says no once: another thread freed between that and the look at what is free. */
TEST(shrinker_R3_what_another_thread_freed_is_looked_at)
{
	static struct shrinker s = { .count = count_none };
	void *kept[4];
	unsigned n = 0;
	void *p;

	REQUIRE(setup());
	while (n < ARRAY_SIZE(kept) && (kept[n] = refused_once(GFP_KERNEL)))
		n++;                    /* who retries the first times finds what the start left */
	EXPECT_LT(n, ARRAY_SIZE(kept)); /* then there is nobody who could have */
	register_shrinker(&s);
	EXPECT_NULL(refused_once(GFP_ATOMIC));
	p = refused_once(GFP_KERNEL | __GFP_NORETRY);
	EXPECT_NOT_NULL(p);
	while (n)
		kfree(kept[--n]);
	kfree(p);
	unregister_shrinker(&s);
	EXPECT_EQ(sim.fail_at, 0);
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

static unsigned first_wait;

/* As if two requests of other threads came, one after the other. */
static size_t scan_stuck_twice(struct shrinker *s, gfp_t gfp, size_t n)
{
	scan_stuck(s, gfp, n);
	first_wait = watched;
	scan_stuck(s, gfp, n);
	return 0;
}

TEST(shrinker_R3_one_run_is_waited_for_in_vain_once)
{
	static struct shrinker s = { .count = count_one, .scan = scan_stuck_twice };

	REQUIRE(setup());
	watched = first_wait = 0;
	register_shrinker(&s);
	sim.watch = watch;
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 45, GFP_KERNEL | __GFP_NORETRY));
	sim.watch = NULL;
	EXPECT_GT(first_wait, 1000);
	EXPECT_LT(watched - first_wait, 100);
	unregister_shrinker(&s);
}

/* The child of a fork in a scan goes on in it, as another thread. */
static size_t scan_forks(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)n;
	depth++;
	deepest = depth > deepest ? depth : deepest;
	if (depth < 10) {
		init_stop();
		sim.thread++;
		init_resume_child();
		EXPECT_NULL(ashlar_kmalloc((size_t)1 << 45, gfp));
	}
	depth--;
	return 0;
}

TEST(shrinker_R3_nor_within_each_other_in_a_child_that_was_forked_there)
{
	static struct shrinker s = { .count = count_one, .scan = scan_forks };

	REQUIRE(setup());
	depth = deepest = 0;
	register_shrinker(&s);
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 45, GFP_KERNEL));
	EXPECT_EQ(deepest, 1);
	unregister_shrinker(&s);
	EXPECT_EQ(ashlar_audit(), 0);
}

static unsigned runs;

/* As if another thread forked while this one is in its scan: that one's child has nobody in it. */
static size_t scan_is_left_behind(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)n;
	if (runs++)
		return 0;
	sim.thread++;
	init_stop();
	sim.thread++;
	init_resume_child();
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 45, gfp));
	return 0;
}

TEST(shrinker_R3_what_another_thread_did_ends_with_a_fork)
{
	static struct shrinker s = { .count = count_one, .scan = scan_is_left_behind };

	REQUIRE(setup());
	runs = 0;
	register_shrinker(&s);
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 45, GFP_KERNEL | __GFP_NORETRY));
	EXPECT_GE(runs, 2);
	unregister_shrinker(&s);
}
