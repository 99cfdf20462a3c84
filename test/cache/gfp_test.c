/* SPDX-License-Identifier: MIT */
/*
 * gfp_test.c - flags that ask for what a home does not have
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "sim_help.h"

TEST(gfp_DMA_is_refused_with_the_reason)
{
	struct kmem_cache *c;

	sim_reset();
	REQUIRE(init_ready());
	c = kmem_cache_create("plain", 64, 0, 0, NULL);
	REQUIRE(c != NULL);
	EXPECT_NULL(kmem_cache_alloc(c, GFP_KERNEL | __GFP_DMA));
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: kmem_cache_alloc(\"plain\"): refused: this home has no DMA memory\n");
	EXPECT_NULL(ashlar_kmalloc(100, GFP_KERNEL | __GFP_DMA32));
	EXPECT_NULL(ashlar_kmalloc(100000, GFP_KERNEL | __GFP_DMA32));
	EXPECT_EQ(kmem_cache_shrink(c), 0); /* nothing was lost */
	EXPECT_EQ(ashlar_audit(), 0);
}
