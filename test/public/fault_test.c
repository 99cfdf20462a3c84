/* SPDX-License-Identifier: MIT */
/*
 * fault_test.c - FT1, FT3, FT4: which allocations fail on purpose, and which do not
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/debug.h"
#include "base/bits.h"
#include "cache/cache.h"
#include "cache/fault.h"
#include "cache/option.h"
#include "fault_help.h"

static struct kmem_cache *c;

TEST(fault_interval)
{
	REQUIRE(start("failslab=3,100,0,-1"));
	EXPECT_EQ(failures(64, 12, GFP_KERNEL), 0x924);
	EXPECT_EQ(failures(64, 3, GFP_ATOMIC), 4);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(fault_times)
{
	REQUIRE(start("failslab=1,100,0,5"));
	EXPECT_EQ(failures(64, 20, GFP_KERNEL), 0x1f);
}

TEST(fault_space)
{
	REQUIRE(start("failslab=1,100,1000,-1"));
	EXPECT_EQ(failures(100, 20, GFP_KERNEL), 0xffe00); /* nine times more than 100 are left */
}

TEST(fault_FT4_probability_is_the_same_each_time)
{
	uint64_t first;
	unsigned count;

	REQUIRE(start("failslab=1,50,0,-1"));
	first = failures(64, 64, GFP_KERNEL);
	count = bits_count(first);
	EXPECT_GT(count, 20);
	EXPECT_LT(count, 44);
	EXPECT_EQ(ashlar_failslab("1,50,0,-1"), 0);
	EXPECT_EQ(failures(64, 64, GFP_KERNEL), first);
	EXPECT_EQ(ashlar_failslab("1,0,0,-1"), 0);
	EXPECT_EQ(failures(64, 64, GFP_KERNEL), 0);
}

TEST(fault_FT1_named_caches)
{
	REQUIRE(start("failslab=1,100,0,-1,kmalloc-6?,cats"));
	EXPECT_EQ(failures(64, 3, GFP_KERNEL), 7);
	EXPECT_EQ(failures(32, 3, GFP_KERNEL), 0);
	EXPECT_EQ(failures(100000, 3, GFP_KERNEL), 0);
	c = kmem_cache_create("cats", 32, 0, 0, NULL);
	REQUIRE(c);
	EXPECT_NULL(kmem_cache_alloc(c, GFP_KERNEL));
}

TEST(fault_FT1_caches_with_letter_A)
{
	REQUIRE(start("failslab=1,100,0,-1;slab_debug=A,cats*"));
	EXPECT_EQ(failures(64, 3, GFP_KERNEL), 0);
	EXPECT_EQ(failures(100000, 3, GFP_KERNEL), 0);
	c = kmem_cache_create("cats", 32, 0, 0, NULL);
	REQUIRE(c);
	EXPECT_NULL(kmem_cache_alloc(c, GFP_KERNEL));
}

TEST(fault_FT1_all_and_large_blocks)
{
	REQUIRE(start("failslab=1,100,0,-1"));
	EXPECT_EQ(failures(16, 3, GFP_KERNEL), 7);
	EXPECT_EQ(failures(100000, 3, GFP_KERNEL), 7);
	EXPECT_EQ(failures((size_t)10 << 20, 3, GFP_KERNEL), 7);
	EXPECT_NULL(kmalloc_aligned(100, 256, GFP_KERNEL));
	EXPECT_NULL(kmalloc_aligned(100000, 65536, GFP_KERNEL));
}

TEST(fault_FT3_nofail)
{
	REQUIRE(start("failslab=1,100,0,-1"));
	EXPECT_EQ(failures(64, 3, GFP_KERNEL | __GFP_NOFAIL), 0);
	EXPECT_NOT_NULL(kmem_cache_create("cats", 32, 0, 0, NULL)); /* made of our own objects */
}

TEST(fault_bulk_is_all_or_nothing)
{
	void *held[50];

	REQUIRE(start("failslab=30,100,0,1,cats"));
	c = kmem_cache_create("cats", 32, 0, 0, NULL);
	REQUIRE(c);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 50, held), 0);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 50, held), 50);
	kmem_cache_free_bulk(c, 50, held);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "ashlar: failslab: failure 1: 32 bytes of cats\n");
}

TEST(fault_nth_once_for_this_thread)
{
	REQUIRE(start(NULL));
	failures(64, 10, GFP_KERNEL);
	EXPECT_EQ(ashlar_fail_nth(4), 0);
	sim.thread = 1;
	EXPECT_EQ(failures(64, 20, GFP_KERNEL), 0);
	sim.thread = 0;
	EXPECT_EQ(failures(64, 20, GFP_KERNEL), 8);
	EXPECT_EQ(ashlar_fail_nth(100), 0);
	EXPECT_EQ(failures(100000, 10, GFP_KERNEL), 0);
	EXPECT_EQ(ashlar_fail_nth(0), 90);
	EXPECT_EQ(failures(64, 20, GFP_KERNEL), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(fault_nth_walks_every_failure_path)
{
	unsigned long n = 1;

	REQUIRE(start(NULL));
	for (;; n++) {
		void *a;
		void *b;
		void *d;

		ashlar_fail_nth(n);
		a = ashlar_kmalloc(100, GFP_KERNEL);
		b = kcalloc(10, 10000, GFP_KERNEL);
		d = a ? krealloc(a, 5000, GFP_KERNEL) : NULL;
		kfree(d ? d : a);
		kfree(b);
		if (ashlar_fail_nth(0))
			break;
		EXPECT_EQ(ashlar_audit(), 0);
	}
	EXPECT_EQ(n, 4);
}

TEST(fault_switched_off_again)
{
	REQUIRE(start(NULL));
	EXPECT_EQ(ashlar_failslab("1,100,0,-1"), 0);
	EXPECT_EQ(failures(64, 2, GFP_KERNEL), 3);
	EXPECT_EQ(ashlar_failslab(NULL), 0);
	EXPECT_EQ(failures(64, 2, GFP_KERNEL), 0);
	EXPECT_EQ(failures(100000, 2, GFP_KERNEL), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(fault_settings_that_are_wrong)
{
	static const char *const wrong[] = {
		"1",        "1,2,3",   "0,100,0,-1", "1,101,0,-1", "1,-1,0,-1",        "1,1,-1,-1",
		"1,1,1,-2", "a,1,1,1", "1,1,1,1x,y", "1,,1,1",     "99999999999,1,1,1"
	};

	REQUIRE(start(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		EXPECT_EQ(ashlar_failslab(wrong[i]), -22);
	EXPECT_EQ(ashlar_failslab("1,0,0,0"), 0);
	help_clear();
	option_read("failslab=1,2", false);
	EXPECT_TEXT_EQ(sim.text, "ashlar: ASHLAR_OPTIONS: bad value in 'failslab=1,2', ignored\n");
}

TEST(fault_nth_as_an_option)
{
	REQUIRE(start("fail_nth=3"));
	EXPECT_EQ(failures(64, 20, GFP_KERNEL), 4);
}
