/* SPDX-License-Identifier: MIT */
/*
 * gfp_rest_test.c - flags that decide nothing about how much, but whether: locks, reports, charges
 */
#include "ashlar/account.h"
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "start_help.h"

/* Only failures that are made are told; with NOWARN not even these. */
TEST(gfp_NOWARN_says_nothing)
{
	sim_reset();
	sim.options = "failslab=1,100,0,-1";
	REQUIRE(init_ready());
	EXPECT_NULL(ashlar_kmalloc(100, GFP_KERNEL | __GFP_NOWARN));
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_NULL(ashlar_kmalloc(100, GFP_KERNEL));
	EXPECT(help_said("ashlar: failslab: failure"));
}

/* DIRECT_RECLAIM alone decides: with the node's and the zone's lock held by another one there is
 * nothing, at once; ATOMIC's old bit and KSWAPD_RECLAIM change nothing of that. */
TEST(gfp_who_may_not_wait_tries_locks)
{
	static const gfp_t cannot[] = { 0, GFP_NOWAIT, GFP_ATOMIC, __GFP_ATOMIC | __GFP_HIGH };
	struct kmem_cache *c;

	REQUIRE(setup());
	c = kmem_cache_create("tries", 64, 0, SLAB_NO_MERGE, NULL);
	REQUIRE(kmem_cache_alloc(c, GFP_KERNEL) != NULL);
	while (kmem_cache_alloc(c, GFP_NOWAIT) && c->node->slabs == 1)
		;
	cache_lock_all();
	page_lock_all();
	for (unsigned i = 0; i < ARRAY_SIZE(cannot); i++)
		while (kmem_cache_alloc(c, cannot[i])) /* what is in the array */
			;
	page_unlock_all();
	cache_unlock_all();
	EXPECT_EQ(sim.waits, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(cannot); i++)
		EXPECT_NOT_NULL(kmem_cache_alloc(c, cannot[i]));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(gfp_ACCOUNT_is_refused_at_the_limit)
{
	struct ashlar_group *g;

	REQUIRE(setup());
	g = ashlar_group_create("small", NULL, 1000);
	REQUIRE(g != NULL);
	ashlar_group_set_default(g);
	EXPECT_NOT_NULL(ashlar_kmalloc(400, GFP_KERNEL | __GFP_ACCOUNT));
	EXPECT_NOT_NULL(ashlar_kmalloc(400, GFP_KERNEL | __GFP_ACCOUNT));
	EXPECT_NULL(ashlar_kmalloc(400, GFP_KERNEL | __GFP_ACCOUNT));
	EXPECT_NOT_NULL(ashlar_kmalloc(400, GFP_KERNEL));
	EXPECT_NOT_NULL(ashlar_kmalloc(400, GFP_KERNEL | __GFP_ACCOUNT | __GFP_NOFAIL));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* A block knows its order with and without COMP, and may be freed by it. */
TEST(gfp_COMP_is_always_on)
{
	struct page *a;
	struct page *b;

	REQUIRE(setup());
	a = alloc_pages(GFP_KERNEL, 3);
	b = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	REQUIRE(a && b);
	EXPECT_EQ(a->order, 3);
	EXPECT_EQ(b->order, 3);
	__free_pages(a, 3);
	__free_pages(b, 3);
	EXPECT_EQ(ashlar_audit(), 0);
}
