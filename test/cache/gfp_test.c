/* SPDX-License-Identifier: MIT */
/*
 * gfp_test.c - each flag, and what it does here
 */
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "fill_help.h"

/* ---- which memory ------------------------------------------------------------------ */

TEST(gfp_DMA_is_refused_with_the_reason)
{
	struct kmem_cache *c;

	REQUIRE(setup());
	c = kmem_cache_create("plain", 64, 0, 0, NULL);
	REQUIRE(c != NULL);
	EXPECT_NULL(kmem_cache_alloc(c, GFP_KERNEL | __GFP_DMA));
	EXPECT_TEXT_EQ(
		sim.text,
		"ashlar: kmem_cache_alloc(\"plain\"): refused: this home has no DMA memory\n");
	EXPECT_NULL(ashlar_kmalloc(100, GFP_KERNEL | __GFP_DMA32));
	EXPECT_NULL(ashlar_kmalloc(100000, GFP_KERNEL | __GFP_DMA32));
	EXPECT_EQ(kmem_cache_shrink(c), 0); /* nothing was lost */
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(gfp_RECLAIMABLE_and_ACCOUNT_choose_caches)
{
	void *p;
	void *q;

	REQUIRE(setup());
	p = ashlar_kmalloc(64, GFP_KERNEL | __GFP_RECLAIMABLE);
	q = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT);
	EXPECT_TEXT_EQ(cache_node_at(map.ids[map_pfn(p)])->cache->name, "kmalloc-rcl-64");
	EXPECT_TEXT_EQ(cache_node_at(map.ids[map_pfn(q)])->cache->name, "kmalloc-cg-64");
}

TEST(gfp_HIGH_MEMALLOC_NOMEMALLOC_and_the_reserve)
{
	size_t high;

	PAGES_OF_4_KIB();
	REQUIRE(setup_small());
	fill(32768, GFP_KERNEL | __GFP_NORETRY);
	EXPECT_EQ(fill(32768, GFP_NOWAIT), 0);
	EXPECT_EQ(fill(32768, GFP_NOWAIT | __GFP_NOMEMALLOC), 0);
	EXPECT_EQ(fill(32768, GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOMEMALLOC), 0); /* wins */
	high = fill(32768, GFP_ATOMIC);
	EXPECT_GT(high, 0);
	EXPECT_EQ(fill(32768, GFP_ATOMIC), 0);
	EXPECT_GT(fill(32768, GFP_NOWAIT | __GFP_MEMALLOC), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}
