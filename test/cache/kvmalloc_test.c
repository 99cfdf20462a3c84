/* SPDX-License-Identifier: MIT */
/*
 * kvmalloc_test.c - light effort, then a mapping
 */
#include "cache/large.h"
#include "fill_help.h"

TEST(kvmalloc_KV2_becomes_a_mapping)
{
	char *p;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	ashlar_kmalloc(9u << 20, GFP_KERNEL); /* what describes mappings is in the arena */
	fill(32768, GFP_KERNEL | __GFP_NORETRY);
	fill(8192, GFP_KERNEL | __GFP_NORETRY);
	EXPECT_NULL(kmalloc(8192, GFP_KERNEL | __GFP_NORETRY));
	EXPECT_NULL(kvmalloc(8192, GFP_NOWAIT));
	p = kvmalloc(8192, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_FALSE(map_contains(p));
	EXPECT_EQ(ksize(p), 8192);
	memset(p, 7, 8192);
	p = kvrealloc(p, 30000, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_EQ(p[0] + p[8191], 14);
	kvfree_sensitive(p, 30000);
	p = kvcalloc(3, 5000, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_EQ(p[0] + p[14999], 0);
	kfree(p);
	EXPECT_EQ(ashlar_audit(), 0);
}
