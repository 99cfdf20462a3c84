/* SPDX-License-Identifier: MIT */
/*
 * own_test.c - K6, BU2, MP5, SH3, AC7: what its user has a pointer to, and Ashlar owns, is not
 * freed by mistake
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/account.h"
#include "ashlar/mempool.h"
#include "cache/kmalloc.h"
#include "start_help.h"

static void *own;
static struct kmem_cache *cats;

static void free_own(void)
{
	kfree(own);
}

static void free_own_sensitive(void)
{
	kfree_sensitive(own);
}

static void free_own_to_cats(void)
{
	kmem_cache_free(cats, own);
}

static void grow_own(void)
{
	own = krealloc(own, 100000, GFP_KERNEL);
}

/* Every free of @p ends the program, and has not touched it. */
static void is_not_freed(void *p)
{
	own = p;
	EXPECT(help_aborts(free_own));
	EXPECT(help_contains(sim.text, "ashlar: kfree("));
	EXPECT(help_aborts(free_own_sensitive));
	EXPECT(help_aborts(free_own_to_cats));
	EXPECT(help_aborts(grow_own));
	EXPECT_PTR_EQ(own, p);
	help_clear();
}

/* Its end has freed it: a second one is a double free like any. */
static void is_gone(void *p)
{
	EXPECT_TEXT_EQ(sim.text, "");
	own = p;
	EXPECT(help_aborts(free_own));
	EXPECT(help_contains(sim.text, "double free: "));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(own_K6_cache)
{
	struct kmem_cache *dogs;
	struct help_text expected;
	void *p;

	REQUIRE(setup());
	cats = kmem_cache_create("cats", 64, 0, 0, NULL);
	dogs = kmem_cache_create("dogs", 64, 0, 0, NULL);
	REQUIRE(cats && dogs);
	own = dogs;
	EXPECT(help_aborts(free_own));
	EXPECT(help_contains(
		sim.text, help_format(&expected,
				      "ashlar: kfree(%p): invalid free: this describes the cache "
				      "dogs: kmem_cache_destroy ends it\n",
				      own)));
	help_clear();
	is_not_freed(dogs);
	is_not_freed(cats);
	EXPECT_EQ(kmem_cache_size(dogs), 64);
	p = kmem_cache_alloc(dogs, GFP_KERNEL);
	EXPECT(p != NULL);
	kmem_cache_free(dogs, p);
	kmem_cache_destroy(dogs);
	is_gone(dogs);
}

TEST(own_BU2_set_of_buckets)
{
	kmem_buckets *b;
	void *p;

	REQUIRE(setup());
	cats = kmem_cache_create("cats", 64, 0, 0, NULL);
	b = kmem_buckets_create("b", 0, 0, 0, NULL);
	REQUIRE(cats && b);
	is_not_freed(b);
	p = kmem_buckets_alloc(b, 64, GFP_KERNEL);
	EXPECT(p != NULL);
	kfree(p);
	kmem_buckets_destroy(b);
	is_gone(b);
}

TEST(own_MP5_mempool)
{
	mempool_t *pool;
	void *p;

	REQUIRE(setup());
	cats = kmem_cache_create("cats", 64, 0, 0, NULL);
	pool = mempool_create_slab_pool(2, cats);
	REQUIRE(pool);
	is_not_freed(pool);
	p = mempool_alloc(pool, GFP_KERNEL);
	EXPECT(p != NULL);
	mempool_free(p, pool);
	EXPECT_EQ(mempool_resize(pool, 20), 0);
	mempool_destroy(pool);
	is_gone(pool);
}

TEST(own_SH3_sheaf)
{
	struct slab_sheaf *sheaf;
	struct slab_sheaf *first;
	void *p;

	REQUIRE(setup());
	cats = kmem_cache_create("cats", 64, 0, 0, NULL);
	first = sheaf = kmem_cache_prefill_sheaf(cats, GFP_KERNEL, 2);
	REQUIRE(sheaf);
	is_not_freed(sheaf);
	EXPECT_EQ(kmem_cache_refill_sheaf(cats, GFP_KERNEL, &sheaf, 5000), 0); /* a run of pages */
	REQUIRE(sheaf != first);
	is_gone(first);
	is_not_freed(sheaf);
	p = kmem_cache_alloc_from_sheaf(cats, GFP_KERNEL, sheaf);
	EXPECT(p != NULL);
	kmem_cache_free(cats, p);
	kmem_cache_return_sheaf(cats, GFP_KERNEL, sheaf);
	is_gone(sheaf);
}

TEST(own_AC7_group)
{
	struct ashlar_group *g;

	REQUIRE(setup());
	cats = kmem_cache_create("cats", 64, 0, 0, NULL);
	g = ashlar_group_create("g", NULL, 0);
	REQUIRE(cats && g);
	is_not_freed(g);
	EXPECT_EQ(ashlar_group_destroy(g), 0);
	is_gone(g);
}
