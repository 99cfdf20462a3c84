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
