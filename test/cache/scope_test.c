/* SPDX-License-Identifier: MIT */
/*
 * scope_test.c - memalloc_noreclaim_save and the reserve
 */
#include "ashlar/mm.h"
#include "cache/scope.h"
#include "scope_help.h"

TEST(scope_SC1_noreclaim_reclaims_nothing_and_has_the_reserve)
{
	unsigned before;

	REQUIRE(setup(0));
	while (alloc_pages(GFP_KERNEL | __GFP_NORETRY, 0))
		;
	before = memalloc_noreclaim_save();
	scans = 0;
	EXPECT_NULL(alloc_pages(GFP_KERNEL | __GFP_NOMEMALLOC, 0)); /* which wins */
	EXPECT_NOT_NULL(alloc_pages(GFP_KERNEL, 0));
	EXPECT_NOT_NULL(ashlar_kmalloc(4096, GFP_KERNEL));
	EXPECT_EQ(scans, 0);
	memalloc_noreclaim_restore(before);
	EXPECT_NULL(ashlar_kmalloc(32768, GFP_KERNEL | __GFP_NORETRY));
	EXPECT_NE(scans, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}
