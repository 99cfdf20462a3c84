/* SPDX-License-Identifier: MIT */
/*
 * rcu_test.c - slabs that wait for readers, with an RCU whose grace periods the test ends
 *
 * What    What depends on slabs; what both engines do is in test/public/rcu_test.c.
 */
#include "cache/cache.h"
#include "rcu_help.h"

/* ---- SLAB_TYPESAFE_BY_RCU ------------------------------------------------------------- */

static void build(void *p)
{
	*(uint64_t *)p = 0x600d;
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
