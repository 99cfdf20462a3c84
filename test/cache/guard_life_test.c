/* SPDX-License-Identifier: MIT */
/*
 * guard_life_test.c - who is sampled and how often, start without memory, each request that fails,
 *                     fork
 */
#include "guard_help.h"

#include "ashlar/account.h"
#include "fail_help.h"
#include "rcu_help.h"

/* ---- who is sampled -------------------------------------------------------------------- */

static bool is_guarded(struct kmem_cache *c, gfp_t gfp)
{
	void *p = kmem_cache_alloc(c, gfp);
	bool guarded = guard_find(p) != NULL;

	kmem_cache_shrink(c);
	return guarded;
}

TEST(guard_GU6_who_is_not_sampled)
{
	static const unsigned long flags[] = { SLAB_ACCOUNT, SLAB_CONSISTENCY_CHECKS,
					       SLAB_STORE_USER, SLAB_NO_USER_FLAGS,
					       SLAB_TYPESAFE_BY_RCU };

	REQUIRE(setup_guard("guard=1;guard_slots=60"));
	ashlar_rcu_bind(&test_rcu);
	EXPECT_TRUE(is_guarded(cats, GFP_KERNEL));
	EXPECT_FALSE(is_guarded(cats, GFP_ATOMIC));
	EXPECT_FALSE(is_guarded(cats, GFP_NOWAIT));
	EXPECT_FALSE(is_guarded(cats, GFP_KERNEL | __GFP_THISNODE));
	EXPECT_FALSE(is_guarded(cats, GFP_KERNEL_ACCOUNT));
	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_FALSE(
			is_guarded(kmem_cache_create("odd", 100, 0, flags[i], NULL), GFP_KERNEL));
	EXPECT_FALSE(is_guarded(
		kmem_cache_create("long", (unsigned)guard_pool()->room_bytes + 1, 0, 0, NULL),
		GFP_KERNEL));
	EXPECT_FALSE(is_guarded(
		kmem_cache_create("wide", 64, 2 * (unsigned)guard_pool()->room_bytes, 0, NULL),
		GFP_KERNEL));
	EXPECT_TRUE(is_guarded(
		kmem_cache_create("full", (unsigned)guard_pool()->room_bytes, 0, 0, NULL),
		GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Of those whose turn it may be, one in N; not each Nth. */
TEST(guard_one_in_so_many)
{
	unsigned guarded = 0;
	unsigned last = 0;
	unsigned same = 0;
	unsigned gap = 0;

	REQUIRE(setup_guard("guard=10;guard_slots=4"));
	for (unsigned i = 0; i < 20000; i++) {
		void *p = guard_alloc(cats, GFP_KERNEL, 100);

		if (!p)
			continue;
		same += i - last == gap;
		gap = i - last;
		last = i;
		guarded++;
		guard_free(p, cats, "kmem_cache_free");
	}
	EXPECT_GT(guarded, 1800);
	EXPECT_LT(guarded, 2200);
	EXPECT_LT(same, 300);
}

TEST(guard_an_array_that_has_objects_is_not_asked)
{
	REQUIRE(setup_guard("guard=2;guard_slots=60"));
	for (unsigned i = 0; i < 500; i++)
		alloc();
	EXPECT_LT(guard_figures()->sampled, 12); /* 500 objects are some refills */
	EXPECT_EQ(ashlar_audit(), 0);
}

/* In a program that reuses what it has just freed. */
TEST(guard_each_counts_allocations)
{
	REQUIRE(setup_guard("guard=10;guard_each;guard_slots=60"));
	for (unsigned i = 0; i < 10000; i++) {
		kmem_cache_free(cats, alloc());
		kfree(ashlar_kmalloc(200, GFP_KERNEL));
	}
	EXPECT_GT(guard_figures()->sampled, 1800);
	EXPECT_LT(guard_figures()->sampled, 2200);
	EXPECT_EQ(guard_figures()->used, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_destroy(cats);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(guard_each_alone_does_nothing)
{
	REQUIRE(setup_guard("guard_each"));
	EXPECT_EQ(cats->pop_offset, cats->header_offset);
	EXPECT_NULL(guard_find(alloc()));
}

/* ---- start ----------------------------------------------------------------------------- */

/* As if nobody had said how many. */
static void ignored(const char *slots)
{
	struct help_text options_text;
	struct help_text expected;

	REQUIRE(setup_guard(help_format(&options_text, "guard=1;%s", slots)));
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&expected,
				   "ashlar: ASHLAR_OPTIONS: bad value in '%s', ignored\n", slots));
	EXPECT_EQ(guard_figures()->slots, PORT_PAGE_SHIFT == 12 ? 256 :
					  PORT_PAGE_SHIFT == 14 ? 255 :
								  63);
	EXPECT_NOT_NULL(guard_find(alloc()));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_slots_if_nobody_says_how_many)
{
	REQUIRE(setup_guard("guard=1"));
	EXPECT_EQ(guard_figures()->slots, PORT_PAGE_SHIFT == 12 ? 256 :
					  PORT_PAGE_SHIFT == 14 ? 255 :
								  63);
	EXPECT_NOT_NULL(guard_find(alloc()));
}

TEST(guard_too_many_slots_are_ignored)
{
	struct help_text most;

	ignored(help_format(&most, "guard_slots=%d", ((size_t)1 << MAX_ORDER) / 2));
}

TEST(guard_far_too_many_slots_are_ignored)
{
	ignored("guard_slots=4g");
}

TEST(guard_most_slots_there_are)
{
	REQUIRE(setup_guard(PORT_PAGE_SHIFT == 12 ? "guard=1;guard_slots=1023" :
			    PORT_PAGE_SHIFT == 14 ? "guard=1;guard_slots=255" :
						    "guard=1;guard_slots=63"));
	REQUIRE(guard_is_on());
	for (unsigned i = 0; i < guard_pool()->count; i++)
		EXPECT_NOT_NULL(guard_find(alloc()));
	EXPECT_NULL(guard_find(alloc()));
	EXPECT_EQ(ashlar_audit(), 0);
}

static bool fail_setup(void)
{
	return setup_guard("guard=1;guard_slots=4");
}

static void fail_script(bool must_work)
{
	void *p[12] = { NULL };

	for (unsigned i = 0; i < 12; i++) {
		p[i] = i % 3 ? kmem_cache_alloc(cats, GFP_KERNEL) :
			       ashlar_kmalloc(i * 300 + 1, GFP_KERNEL);
		EXPECT(p[i] || !must_work);
		if (i % 4 == 3)
			p[i] = krealloc(p[i], 200, GFP_KERNEL);
	}
	for (unsigned i = 0; i < 12; i++)
		kfree(p[i]);
}

TEST(guard_each_request_for_memory_may_fail)
{
	fail_each(fail_setup, fail_script);
}

static bool fail_nothing(void)
{
	sim_reset();
	sim.options = "guard=1;guard_slots=4";
	return true;
}

/* Of the start: without its memory nothing is sampled, and that is told. */
static void fail_start(bool must_work)
{
	bool ready = init_ready();

	EXPECT(ready || !must_work);
	if (ready && !guard_is_on())
		EXPECT_TRUE(
			help_said("ashlar: ASHLAR_OPTIONS(\"guard\"): refused: there is no memory "
				  "for the slots"));
	kfree(ashlar_kmalloc(40, GFP_KERNEL));
}

static unsigned fail_start_at(const void *n)
{
	fail_nothing();
	sim.fail_at = *(const uint64_t *)n;
	fail_start(false);
	EXPECT_EQ(ashlar_audit(), 0);
	return tap_has_failed();
}

TEST(guard_the_start_may_fail)
{
	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	for (uint64_t n = 1; n < 40; n++)
		EXPECT_EQ(tap_apart(fail_start_at, &n), 0);
}

/* ---- fork ------------------------------------------------------------------------------ */

static jmp_buf fork_jump;

static void fork_in_the_middle(void)
{
	longjmp(fork_jump, 1);
}

/* Another thread had a slot in hand: it is not in the child. */
TEST(guard_forked_child_finds_every_slot)
{
	void *volatile p = NULL;

	REQUIRE(setup_guard("guard=1;guard_slots=2"));
	p = alloc();
	sim.watch = fork_in_the_middle;
	if (setjmp(fork_jump) == 0) {
		alloc();
		EXPECT(false);
	}
	sim.watch = NULL;
	EXPECT_EQ(guard_figures()->used, 2);
	init_stop();
	init_resume_child();
	EXPECT_EQ(guard_figures()->used, 1);
	EXPECT_NOT_NULL(guard_find(alloc()));
	kmem_cache_free(cats, p);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_forked_child_sweeps_what_was_pending)
{
	char *p;

	REQUIRE(setup_guard("guard=1;guard_slots=2"));
	p = alloc();
	kfree_nolock(p);
	init_stop();
	init_resume_child();
	EXPECT_FALSE(sim_is_open(p));
	EXPECT_EQ(guard_count(cats), 0);
	EXPECT_EQ(guard_figures()->used, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}
