/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_type_test.c - kinds of kmalloc, each with its caches; typed allocation
 */
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "start_help.h"

static const char *cache_name(const void *p)
{
	return cache_node_at(map.ids[map_pfn(p)])->cache->name;
}

static void kind(size_t size, gfp_t gfp, const char *name)
{
	char *p = ashlar_kmalloc(size, gfp);

	REQUIRE(p != NULL);
	EXPECT_TEXT_EQ(cache_name(p), name);
	EXPECT_GE(ksize(p), size);
	if (gfp & __GFP_ZERO)
		for (size_t i = 0; i < ksize(p); i++)
			REQUIRE(p[i] == 0);
	memset(p, 1, ksize(p));
	kfree(p);
	p = ashlar_kmalloc(size, gfp);
	EXPECT_TEXT_EQ(cache_name(p), name);
	kfree(p);
}

TEST(kmalloc_type_has_caches_of_its_own)
{
	REQUIRE(setup());
	kind(64, GFP_KERNEL, "kmalloc-64");
	kind(64, GFP_KERNEL | __GFP_RECLAIMABLE, "kmalloc-rcl-64");
	kind(60, GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_ZERO, "kmalloc-rcl-64");
	kind(1000, GFP_KERNEL | __GFP_RECLAIMABLE, "kmalloc-rcl-1k");
	kind(32768, GFP_KERNEL | __GFP_RECLAIMABLE, "kmalloc-rcl-32k");
	kind(1, GFP_KERNEL_ACCOUNT, "kmalloc-cg-16");
	kind(5000, GFP_KERNEL_ACCOUNT, "kmalloc-cg-5k");
	EXPECT_EQ(cache_node_at(map.ids[map_pfn(kmalloc(64, GFP_KERNEL | __GFP_RECLAIMABLE))])
			  ->cache->allocflags,
		  __GFP_RECLAIMABLE);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kmalloc_type_constant_size_goes_the_same_way)
{
	REQUIRE(setup());
	EXPECT_TEXT_EQ(cache_name(kmalloc(64, GFP_KERNEL | __GFP_RECLAIMABLE)), "kmalloc-rcl-64");
	EXPECT_TEXT_EQ(cache_name(kmalloc(64, GFP_KERNEL)), "kmalloc-64");
}

TEST(kmalloc_type_KT1_which_comes_first)
{
	REQUIRE(setup());
	kind(64, GFP_KERNEL_ACCOUNT | __GFP_RECLAIMABLE, "kmalloc-rcl-64");
	EXPECT_NULL(ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT | __GFP_RECLAIMABLE | __GFP_DMA));
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: kmalloc(\"DMA\"): refused: this home has no DMA memory\n");
	help_clear();
	EXPECT_NULL(ashlar_kmalloc(64, GFP_KERNEL | __GFP_DMA32));
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: kmalloc(\"DMA32\"): refused: kmalloc has no caches below 4 GiB\n");
}

TEST(kmalloc_type_KT2_who_may_not_wait_makes_no_cache)
{
	REQUIRE(setup());
	kind(200, GFP_ATOMIC | __GFP_RECLAIMABLE, "kmalloc-224");
	kind(200, GFP_KERNEL | __GFP_RECLAIMABLE, "kmalloc-rcl-224");
	kind(200, GFP_ATOMIC | __GFP_RECLAIMABLE, "kmalloc-rcl-224");
}

TEST(kmalloc_type_krealloc_stays_in_its_kind)
{
	char *p;

	REQUIRE(setup());
	p = ashlar_kmalloc(64, GFP_KERNEL | __GFP_RECLAIMABLE);
	REQUIRE(p != NULL);
	p = krealloc(p, 500, GFP_KERNEL | __GFP_RECLAIMABLE);
	EXPECT_TEXT_EQ(cache_name(p), "kmalloc-rcl-512");
	kfree(p);
}
