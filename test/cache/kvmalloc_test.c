/* SPDX-License-Identifier: MIT */
/*
 * kvmalloc_test.c - light effort, then a mapping
 */
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/large.h"
#include "sim_help.h"

static bool setup(void)
{
	sim_reset();
	return init_ready();
}

/* Nothing is left in the arena for objects of @size. */
static void fill(size_t size)
{
	unsigned n = 0;

	while (n < (1 << 14) && ashlar_kmalloc(size, GFP_KERNEL | __GFP_NORETRY))
		n++;
	EXPECT_LT(n, 1 << 14);
}

TEST(kvmalloc_KV2_becomes_a_mapping)
{
	char *p;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	ashlar_kmalloc(9u << 20, GFP_KERNEL); /* what describes mappings is in the arena */
	fill(32768);
	fill(8192);
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
