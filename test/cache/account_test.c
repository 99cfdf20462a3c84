/* SPDX-License-Identifier: MIT */
/*
 * account_test.c - who pays, written down beside slabs: what it costs, and where it is
 *
 * See     test/public/account_test.c for what both engines do
 */
#include "account_help.h"
#include "cache/account_object.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "start_help.h"

/* Charged where the slow path goes by, but taken from the array and given back to it. */
TEST(account_AC2_arrays_are_used)
{
	struct kmem_cache *c;
	void *p;

	sim_reset();
	sim.options = "stats=1";
	REQUIRE(init_ready());
	c = kmem_cache_create("paid", 200, 0, SLAB_ACCOUNT, NULL);
	REQUIRE(ashlar_group_set_default(payer("payer", NULL, 0)) == NULL);
	for (unsigned i = 0; i < 10; i++) {
		p = kmem_cache_alloc(c, GFP_KERNEL);
		EXPECT_NOT_NULL(ashlar_group_of(p));
		kmem_cache_free(c, p);
	}
	EXPECT_EQ(c->counts.alloc_miss, 1);
	EXPECT_EQ(c->counts.alloc_hit, 9);
	EXPECT_EQ(c->counts.free_hit, 10);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* A stride of 208 and a pointer. */
TEST(account_AC2_price)
{
	struct ashlar_group *g;
	struct kmem_cache *c;
	void *p, *q;

	REQUIRE(setup());
	g = payer("payer", NULL, 0);
	ashlar_group_set_default(g);
	c = kmem_cache_create("paid", 200, 0, SLAB_ACCOUNT, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(bytes_of(g), 208 + 8);
	q = ashlar_kmalloc(100, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(bytes_of(g), 216 + 120);
	kmem_cache_free(c, p);
	kfree(q);
	EXPECT_EQ(bytes_of(g), 0);
}

TEST(account_AC3_no_vector_without_charges)
{
	const struct page *head;
	void *const *payers;
	char *p;

	REQUIRE(setup());
	p = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT); /* nobody pays */
	head = &map.pages[map_pfn(p) & ~(((size_t)1 << PORT_SLAB_ORDER) - 1)];
	payers = PORT_SLAB_ORDER ? &head[1].owner : (void *const *)&head->bits[PAGE_OWNER_WORD];
	EXPECT_EQ(*map_state(p), map_state_in_use(p));
	EXPECT_NULL(*payers);
	kfree(p);
	ashlar_group_set_default(payer("payer", NULL, 0));
	p = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(*map_state(p), STATE_CHARGED);
	EXPECT_NOT_NULL(*payers);
	kfree(p);
	ashlar_purge(); /* the slab goes, and its vector */
	EXPECT_NULL(*payers);
	EXPECT_EQ(ashlar_audit(), 0);
}

static char *victim;

static void free_it(void)
{
	kfree(victim);
}

/* Reports name the size cache that is for charged objects. */
TEST(account_misuse_names_the_size_cache)
{
	REQUIRE(setup());
	ashlar_group_set_default(payer("g", NULL, 0));
	victim = (char *)ashlar_kmalloc(256, GFP_KERNEL_ACCOUNT) + 16;
	EXPECT(help_aborts(free_it));
	EXPECT(help_contains(sim.text, "16 bytes inside an object of kmalloc-cg-256"));
}
