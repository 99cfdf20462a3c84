/* SPDX-License-Identifier: MIT */
/*
 * cache_test.c - named caches: refused, made, filled, exhausted
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "base/bits.h"
#include "cache/cache.h"
#include "made_help.h"

#define MANY 4096u

static void *held[MANY];

/* ---- create ------------------------------------------------------------------- */

TEST(cache_create_says_why_not)
{
	const char *align = "the alignment is not a power of two up to 4 MiB";

	REQUIRE(setup());
	refused(NULL, 8, 0, 0, "a cache needs a name");
	refused("", 8, 0, 0, "a cache needs a name");
	refused("x", 0, 0, 0, "the size is 0");
	refused("x", (4u << 20) + 1, 0, 0, "the size is above 4 MiB");
	refused("x", UINT32_MAX, 0, 0, "the size is above 4 MiB");
	refused("x", 8, 3, 0, align);
	refused("x", 8, 48, 0, align);
	refused("x", 8, 8u << 20, 0, align);
	refused("x", 8, 0, 1, "unknown flags");
	refused("x", 8, 0, SLAB_HWCACHE_ALIGN | 0x80000000ul, "unknown flags");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_create_without_any_memory)
{
	sim_reset();
	sim.arena_bytes = 4096;
	refused("x", 8, 0, 0, "there is no memory at all");
	EXPECT_NULL(ashlar_kmalloc(8, GFP_KERNEL));
	EXPECT_NULL(ashlar_kmalloc(100000, GFP_KERNEL));
	EXPECT_EQ(ashlar_purge(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	kfree(NULL);
}

TEST(cache_create_largest_and_smallest)
{
	static const unsigned sizes[] = { 1, 15, 16, 17, 4096, 65537, 3u << 20, 4u << 20 };

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *c = make(sizes[i]);
		char *p;
		char *q;

		REQUIRE(c != NULL);
		EXPECT_EQ(kmem_cache_size(c), sizes[i]);
		p = kmem_cache_alloc(c, GFP_KERNEL);
		q = kmem_cache_alloc(c, GFP_KERNEL);
		REQUIRE(p && q);
		EXPECT(p + sizes[i] <= q || q + sizes[i] <= p);
		memset(p, 1, sizes[i]);
		memset(q, 2, sizes[i]);
		EXPECT_EQ(p[0] + p[sizes[i] - 1], 2);
		EXPECT_EQ(ashlar_audit(), 0);
		kmem_cache_free(c, q);
		kmem_cache_free(c, p);
		kmem_cache_destroy(c);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_name_is_copied_and_cut)
{
	char name[] = "a name of more than thirty-one characters";
	struct kmem_cache *c;

	REQUIRE(setup());
	c = kmem_cache_create(name, 64, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	REQUIRE(c != NULL);
	name[0] = 'X';
	EXPECT_TEXT_EQ(c->name, "a name of more than thirty-one ");
	kmem_cache_destroy(c);
}

TEST(cache_K1_ids_go_round)
{
	REQUIRE(setup());
	for (unsigned i = 0; i < 2 * CONFIG_MAX_IDS; i++) {
		struct kmem_cache *c = kmem_cache_create("round", 16 + i % 500, 0, 0, NULL);

		REQUIRE(c != NULL);
		sim.cpu = i % 4;
		kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
		if (i % 500 == 0)
			REQUIRE(ashlar_audit() == 0);
		kmem_cache_destroy(c);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_zalloc_zeroes_the_object)
{
	struct kmem_cache *c;
	void *p;

	REQUIRE(setup());
	c = make(200);
	for (unsigned i = 0; i < 3; i++) {
		p = i == 1 ? kmem_cache_alloc(c, GFP_KERNEL | __GFP_ZERO) :
			     kmem_cache_zalloc(c, GFP_KERNEL);
		REQUIRE(p != NULL);
		EXPECT(is_filled(p, 200, 0));
		memset(p, 1, 200);
		kmem_cache_free(c, p);
	}
	kmem_cache_shrink(c); /* the slow path, on memory that was used */
	p = kmem_cache_zalloc(c, GFP_KERNEL);
	EXPECT(is_filled(p, 200, 0));
	memset(p, 1, 200);
	kmem_cache_free(c, p);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL | __GFP_ZERO, 500, held), 500);
	for (unsigned i = 0; i < 500; i++)
		REQUIRE(is_filled(held[i], 200, 0));
}

TEST(cache_alloc_node_is_an_alloc)
{
	struct kmem_cache *c;
	void *p;

	REQUIRE(setup());
	c = make(64);
	p = kmem_cache_alloc_node(c, GFP_KERNEL, 0);
	REQUIRE(p != NULL);
	kmem_cache_free(c, p);
	EXPECT_PTR_EQ(kmem_cache_alloc_node(c, GFP_KERNEL, -1), p);
}

TEST(cache_bulk_of_nothing_or_too_much)
{
	struct kmem_cache *c;

	REQUIRE(setup());
	c = make(64);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 0, held), 0);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, (size_t)1 << 31, held), 0);
	kmem_cache_free_bulk(c, 0, held);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
}

TEST(cache_bulk_all_or_none)
{
	struct kmem_cache *c;

	REQUIRE(setup());
	c = make(1u << 20);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 1000, held), 0); /* the arena has 64 MiB */
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 20, held), 20);
	kmem_cache_free_bulk(c, 20, held);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(cache_bulk_free_of_any_cache)
{
	struct kmem_cache *c;

	REQUIRE(setup());
	c = make(64);
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	held[1] = kmalloc(100, GFP_KERNEL);
	held[2] = ashlar_kmalloc(100000, GFP_KERNEL);
	held[3] = ashlar_kmalloc((size_t)20 << 20, GFP_KERNEL);
	held[4] = NULL;
	kmem_cache_free_bulk(NULL, 5, held);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
}

/* ---- memory that runs out --------------------------------------------------------------- */

TEST(cache_exhausted_and_recovers)
{
	struct kmem_cache *c;
	unsigned n = 0;

	REQUIRE(setup());
	c = make(65536);
	while (n < MANY && (held[n] = kmem_cache_alloc(c, GFP_KERNEL)))
		n++;
	EXPECT_GT(n, 700);
	EXPECT_LT(n, 1024);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_NULL(kmem_cache_alloc(c, GFP_KERNEL));
	kmem_cache_free(c, held[n / 2]);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), held[n / 2]);
	kmem_cache_free_bulk(c, n, held);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_atomic_makes_no_call)
{
	struct kmem_cache *c;
	uint64_t requests;
	unsigned n = 0;

	REQUIRE(setup());
	c = make(1024);
	requests = sim.requests;
	while (n < MANY && (held[n] = kmem_cache_alloc(c, GFP_ATOMIC)))
		n++;
	EXPECT_GT(n, 100);
	EXPECT_EQ(sim.requests, requests);
	EXPECT_EQ(sim.discarded, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_free_bulk(c, n, held);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_reclaim_takes_from_other_caches)
{
	struct kmem_cache *a;
	struct kmem_cache *b;
	unsigned n = 0;
	unsigned m = 0;

	REQUIRE(setup());
	a = make(32768);
	b = make(65536);
	while (n < MANY && (held[n] = kmem_cache_alloc(a, GFP_KERNEL)))
		n++;
	kmem_cache_free_bulk(a, n, held);
	while (m < MANY && (held[m] = kmem_cache_alloc(b, GFP_KERNEL)))
		m++;
	EXPECT_GE(m + 40, n / 2);
	EXPECT_EQ(ashlar_audit(), 0);
}
