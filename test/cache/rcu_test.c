/* SPDX-License-Identifier: MIT */
/*
 * rcu_test.c - frees that wait, with an RCU whose grace periods the test ends
 */
#include "cache/cache.h"
#include "cache/hold.h"
#include "cache/kmalloc.h"
#include "cache/rcu.h"
#include "fail_help.h"
#include "rcu_help.h"

/* ---- SLAB_TYPESAFE_BY_RCU ------------------------------------------------------------- */

static void build(void *p)
{
	*(uint64_t *)p = 0x600d;
}

TEST(rcu_typesafe_needs_an_rcu)
{
	REQUIRE(setup_unbound());
	EXPECT_NULL(kmem_cache_create("safe", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL));
	EXPECT(help_contains(sim.text, "refused: SLAB_TYPESAFE_BY_RCU needs an RCU: call "
				       "ashlar_rcu_bind first"));
}

TEST(rcu_typesafe_pages_stay_until_a_grace_period)
{
	static uint64_t *p[3000];
	struct page_stat before;
	struct page_stat after;
	struct kmem_cache *c;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	c = kmem_cache_create("safe", 64, 0, SLAB_TYPESAFE_BY_RCU, build);
	REQUIRE(c != NULL);
	for (unsigned i = 0; i < 3000; i++)
		p[i] = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, p[5]);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), p[5]); /* objects are reused at once */
	for (unsigned i = 0; i < 3000; i++)
		kmem_cache_free(c, p[i]);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	EXPECT_EQ(c->node->slabs, 0);
	page_stat(&before);
	ashlar_purge();
	for (unsigned i = 0; i < 3000; i++)
		EXPECT_EQ(*p[i], 0x600d); /* a late reader */
	EXPECT_GT(ashlar_rcu_pending(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	grace();
	grace();
	page_drain();
	page_stat(&after);
	EXPECT_GE(after.free_pages + after.pcp_pages, before.free_pages + before.pcp_pages + 32);
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_typesafe_destroy_waits)
{
	struct kmem_cache *c;
	uint64_t *p;

	REQUIRE(setup());
	c = kmem_cache_create("safe", 64, 0, SLAB_TYPESAFE_BY_RCU, build);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, p);
	kmem_cache_destroy(c);
	EXPECT_EQ(barriers, 1);
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_typesafe_no_holes_are_punched)
{
	static uint64_t *p[4096];
	struct kmem_cache *c;

	REQUIRE(setup());
	c = kmem_cache_create("safe", 4096, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	for (unsigned i = 0; i < 2048; i++) {
		p[i] = kmem_cache_alloc(c, GFP_KERNEL);
		*p[i] = 0x600d;
	}
	for (unsigned i = 0; i < 2048; i++)
		if (i % 16)
			kmem_cache_free(c, p[i]);
	ashlar_purge();
	for (unsigned i = 0; i < 2048; i++)
		EXPECT_EQ(*p[i], 0x600d);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_typesafe_each_request_fails)
{
	script_flags = SLAB_TYPESAFE_BY_RCU;
	fail_each(setup, script);
}
