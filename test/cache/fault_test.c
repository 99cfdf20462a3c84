/* SPDX-License-Identifier: MIT */
/*
 * fault_test.c - FT1 to FT4: which allocations fail on purpose, and which do not
 */
#include "ashlar/debug.h"
#include "cache/cache.h"
#include "cache/fault.h"
#include "cache/option.h"
#include "fault_help.h"

TEST(fault_FT2_other_caches_keep_their_arrays)
{
	REQUIRE(start("failslab=1,100,0,-1,kmalloc-6?,cats"));
	EXPECT_EQ(kmalloc_cache(32, 1)->debug.slow, 0);
	EXPECT_NE(kmalloc_cache(64, 1)->debug.slow, 0);
}

TEST(fault_FT2_arrays_are_closed_meanwhile)
{
	REQUIRE(start(NULL));
	failures(64, 10, GFP_KERNEL);
	ashlar_fail_nth(100);
	EXPECT_EQ(array_count(kmalloc_cache(64, 1)), 0);
	failures(64, 10, GFP_KERNEL);
	EXPECT_EQ(array_count(kmalloc_cache(64, 1)), 0);
	EXPECT_EQ(ashlar_fail_nth(0), 90);
	failures(64, 10, GFP_KERNEL);
	EXPECT_GT(array_count(kmalloc_cache(64, 1)), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Which of four caches fail: bit 0 by the option's letter, 1 by a flag, 2 by a call, 3 none. */
static unsigned who_fails(struct kmem_cache *const *c)
{
	unsigned who = 0;

	for (unsigned i = 0; i < 4; i++) {
		void *p = kmem_cache_alloc(c[i], GFP_KERNEL);

		if (p)
			kmem_cache_free(c[i], p);
		else
			who |= 1u << i;
	}
	return who;
}

static bool four(struct kmem_cache **c)
{
	c[0] = kmem_cache_create("cats", 100, 0, 0, NULL);
	c[1] = kmem_cache_create("dogs", 100, 0, SLAB_FAILSLAB, NULL);
	c[2] = kmem_cache_create("owls", 100, 0, 0, NULL);
	c[3] = kmem_cache_create("rats", 100, 0, 0, NULL);
	return c[0] && c[1] && c[2] && c[3] && kmem_cache_debug(c[2], "A") == 0;
}

TEST(fault_FT1_letter_A_stays_while_the_setting_changes)
{
	struct kmem_cache *c[4];

	REQUIRE(start("slab_debug=A,cats"));
	REQUIRE(four(c));
	EXPECT_EQ(who_fails(c), 0);
	for (unsigned i = 0; i < 3; i++) {
		EXPECT_EQ(ashlar_failslab("1,100,0,-1"), 0);
		EXPECT_EQ(who_fails(c), 7);
		EXPECT(kmalloc(64, GFP_KERNEL) != NULL);
		EXPECT(kmalloc(100000, GFP_KERNEL) != NULL);
		EXPECT_EQ(ashlar_failslab(NULL), 0);
		EXPECT_EQ(who_fails(c), 0);
	}
	EXPECT_EQ(kmem_cache_debug(c[2], "-"), 0);
	EXPECT_EQ(ashlar_failslab("1,100,0,-1"), 0);
	EXPECT_EQ(who_fails(c), 3);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(fault_FT1_names_come_before_letter_A)
{
	struct kmem_cache *c[4];

	REQUIRE(start("slab_debug=A,cats"));
	REQUIRE(four(c));
	EXPECT_EQ(ashlar_failslab("1,100,0,-1,rats"), 0);
	EXPECT_EQ(who_fails(c), 8);
}

TEST(fault_other_letters_do_not_end_it)
{
	struct kmem_cache *c[4];

	REQUIRE(start("failslab=1,100,0,-1,rats"));
	REQUIRE(four(c));
	EXPECT_EQ(kmem_cache_debug(c[3], "F"), 0);
	EXPECT_EQ(who_fails(c), 8);
	EXPECT_EQ(kmem_cache_debug(c[3], "-"), 0);
	EXPECT_EQ(who_fails(c), 8);
	EXPECT_EQ(ashlar_failslab(NULL), 0);
	EXPECT_EQ(who_fails(c), 0);
}
