/* SPDX-License-Identifier: MIT */
/*
 * numa_way_test.c - what is done with an object on its way is done on any node, and counted
 */
#include "ashlar/account.h"
#include "ashlar/debug.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "page/node.h"
#include "page/page.h"
#include "sim_help.h"

static void *held[121];

static bool setup(const char *options)
{
	sim_reset();
	sim.nodes = 2;
	sim.cpu_node[1] = 1;
	sim.options = options;
	return init_ready();
}

/* What a cache does with each object is done on any node: letters, charges, what options ask. */
TEST(numa_way_another_node_is_no_back_door)
{
	struct kmem_cache *c;
	struct ashlar_group *g;
	struct ashlar_group_stat stat;
	unsigned char *p;

	REQUIRE(setup("init_on_alloc=1"));
	c = kmem_cache_create("watched", 100, 0, SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER,
			      NULL);
	p = kmem_cache_alloc_node(c, GFP_KERNEL, 1);
	REQUIRE(p != NULL);
	EXPECT_EQ(page_node(&map.pages[map_pfn(p)]), 1);
	EXPECT_EQ(p[0], 0x5a);
	EXPECT_EQ(p[100], 0xcc);
	kmem_cache_free(c, p); /* which looks at all of it */
	c = kmem_cache_create("paid", 128, 0, SLAB_ACCOUNT, NULL);
	g = ashlar_group_create("payer", NULL, 0);
	ashlar_group_set_default(g);
	p = kmem_cache_alloc_node(c, GFP_KERNEL, 1);
	EXPECT_PTR_EQ(ashlar_group_of(p), g);
	kmem_cache_free(c, p);
	ashlar_group_stat(g, &stat);
	EXPECT_EQ(stat.objects, 0);
	c = kmem_cache_create("numa", 64, 0, 0, NULL);
	p = kmem_cache_alloc_node(c, GFP_KERNEL, 1);
	REQUIRE(p != NULL);
	memset(p, 1, 64);
	kmem_cache_free(c, p);
	cache_shrink(c);
	p = kmem_cache_alloc_node(c, GFP_KERNEL, 1);
	EXPECT_EQ(p[0], 0);
	kmem_cache_free(c, p);
	c = kmem_cache_create("fails", 64, 0, SLAB_FAILSLAB, NULL);
	EXPECT_EQ(ashlar_failslab("1,100,0,-1"), 0);
	EXPECT_NULL(kmem_cache_alloc_node(c, GFP_KERNEL, 1));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* The three columns that slabinfo has for nodes. */
TEST(numa_way_counts)
{
	struct kmem_cache *c;
	unsigned limit;

	REQUIRE(setup("stats=1"));
	c = kmem_cache_create("numa", 64, 0, 0, NULL);
	limit = c->batchcount; /* of an alien array */
	for (unsigned i = 0; i < limit + 1; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(c->counts.far_allocs, 0);
	sim.cpu = 1;
	kmem_cache_free_bulk(c, limit, held);
	EXPECT_EQ(c->counts.far_frees, limit);
	EXPECT_EQ(c->counts.overflows, 0);
	kmem_cache_free(c, held[limit]);
	EXPECT_EQ(c->counts.far_frees, limit + 1);
	EXPECT_EQ(c->counts.overflows, 1);
	held[0] = kmem_cache_alloc_node(c, GFP_KERNEL, 0);
	EXPECT_EQ(c->counts.far_allocs, 1);
	sim.cpu = 0;
	kmem_cache_free(c, held[0]);
	EXPECT_EQ(c->counts.far_frees, limit + 1);
	EXPECT_EQ(ashlar_audit(), 0);
}
