/* SPDX-License-Identifier: MIT */
/*
 * create_test.c - what kmem_cache_create refuses, what it merges, and how caches end
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "fail_help.h"

static bool setup(const char *options)
{
	sim_reset();
	sim.options = options;
	return init_ready();
}

static void build(void *p)
{
	*(char *)p = 7;
}

TEST(create_args_shape_the_arrays)
{
	struct kmem_cache *c;

	REQUIRE(setup(NULL));
	c = kmem_cache_create_args("short", 64, &(struct kmem_cache_args){ .sheaf_capacity = 9 },
				   0);
	REQUIRE(c != NULL);
	EXPECT_EQ(c->limit, 9);
	EXPECT_EQ(c->batchcount, 5);
	EXPECT_EQ(c->align, 16);
	kmem_cache_destroy(c);
}

TEST(create_reclaimable_asks_for_reclaimable_pages)
{
	struct kmem_cache *c;

	REQUIRE(setup(NULL));
	c = kmem_cache_create("rcl", 64, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	REQUIRE(c != NULL);
	EXPECT_EQ(c->allocflags, __GFP_RECLAIMABLE);
	kmem_cache_destroy(c);
}

static struct kmem_cache *another(unsigned size, unsigned align, unsigned long flags)
{
	struct kmem_cache *c = kmem_cache_create("another", size, align, flags, NULL);

	EXPECT_NOT_NULL(c);
	return c;
}

TEST(create_L3_which_caches_are_alike)
{
	struct kmem_cache_args window = { .usersize = 8 };
	struct kmem_cache *a;
	struct kmem_cache *other[8];

	REQUIRE(setup("slab_merge"));
	a = another(100, 0, 0); /* stride 112 */
	EXPECT_PTR_EQ(another(112, 0, 0), a);
	EXPECT_PTR_EQ(another(99, 8, 0), a);
	EXPECT_EQ(a->refcount, 3);
	EXPECT_EQ(kmem_cache_size(a), 112); /* zeroing covers both */
	other[0] = another(96, 0, 0);
	other[1] = another(113, 0, 0);
	other[2] = another(100, 32, 0);
	other[3] = another(100, 0, SLAB_HWCACHE_ALIGN);
	other[4] = another(100, 0, SLAB_RECLAIM_ACCOUNT);
	other[5] = another(100, 0, SLAB_NO_MERGE);
	other[6] = kmem_cache_create("c", 100, 0, 0, build);
	other[7] = kmem_cache_create_args("w", 100, &window, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(other); i++) {
		EXPECT_PTR_NE(other[i], a);
		EXPECT_EQ(other[i]->refcount, 1);
	}
	EXPECT_PTR_EQ(another(100, 32, 0), other[3]); /* the newest that fits: 128 at 64 */
	kmem_cache_destroy(other[3]);
	for (unsigned i = 0; i < ARRAY_SIZE(other); i++)
		kmem_cache_destroy(other[i]);
	EXPECT_PTR_EQ(another(100, 0, 0), a);
	for (unsigned i = 0; i < 4; i++)
		kmem_cache_destroy(a);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(create_L3_the_cores_own_caches_are_not_shared)
{
	REQUIRE(setup("slab_merge"));
	for (unsigned size = 16; size <= 1024; size += 16) {
		struct kmem_cache *c = another(size, 0, 0);

		EXPECT_EQ(c->refcount, 1);
	}
}

TEST(create_K4_goes_with_the_last_name)
{
	struct kmem_cache *a;
	void *p;

	REQUIRE(setup("slab_merge=1"));
	a = kmem_cache_create("first", 64, 0, 0, NULL);
	EXPECT_PTR_EQ(kmem_cache_create("second", 64, 0, 0, NULL), a);
	EXPECT_TEXT_EQ(a->name, "first");
	EXPECT_TEXT_EQ(list_first_entry(&a->aliases, struct cache_alias, link)->name, "second");
	p = kmem_cache_alloc(a, GFP_KERNEL);
	kmem_cache_destroy(a); /* of one name: nothing is asked about objects */
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT(cache_is_cache(a));
	kmem_cache_destroy(a);
	EXPECT(help_contains(sim.text, "1 object is still in use"));
	EXPECT_EQ(a->refcount, 1);
	kmem_cache_free(a, p);
	kmem_cache_destroy(a);
	EXPECT_FALSE(cache_is_cache(a));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- L4: destroy ------------------------------------------------------------------ */

TEST(create_L4_destroy_names_what_is_left)
{
	char *p[300];
	struct help_text t;
	struct kmem_cache *c;

	REQUIRE(setup(NULL));
	c = kmem_cache_create("things", 64, 0, 0, NULL);
	for (unsigned i = 0; i < 300; i++)
		p[i] = kmem_cache_alloc(c, GFP_KERNEL); /* by address */
	for (unsigned i = 5; i < 295; i++)
		kmem_cache_free(c, p[i]);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&t,
			    "ashlar: kmem_cache_destroy(\"things\"): 10 objects are still in "
			    "use; the cache stays\n  object   %p\n  object   %p\n"
			    "  object   %p\n  object   %p\n  object   %p\n  object   %p\n"
			    "  object   %p\n  object   %p\n  and 2 more\n",
			    p[0], p[1], p[2], p[3], p[4], p[295], p[296], p[297]));
	for (unsigned i = 0; i < 300; i++)
		if (i < 5 || i >= 295)
			kmem_cache_free(c, p[i]);
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
}

static struct kmem_cache *victim;

static void destroy_again(void)
{
	kmem_cache_destroy(victim);
}

TEST(create_L4_destroy_twice_is_reported)
{
	REQUIRE(setup(NULL));
	victim = kmem_cache_create("short", 64, 0, 0, NULL);
	kmem_cache_destroy(victim);
	EXPECT(help_aborts(destroy_again));
	EXPECT(help_contains(sim.text, "ashlar: kmem_cache_destroy(0x"));
	EXPECT(help_contains(sim.text,
			     "use after free: this object of kmem_cache is already free\n"));
	victim = kmalloc(64, GFP_KERNEL); /* memory, but no cache */
	EXPECT(help_aborts(destroy_again));
	victim = (struct kmem_cache *)(void *)&victim;
	EXPECT(help_aborts(destroy_again));
	EXPECT(help_contains(sim.text, "invalid pointer: this memory is not Ashlar's"));
}

TEST(create_L4_kmalloc_needs_its_caches)
{
	REQUIRE(setup(NULL));
	kmem_cache_destroy(ashlar_kmalloc_caches[3]);
	EXPECT_TEXT_EQ(sim.text, "ashlar: kmem_cache_destroy(\"kmalloc-64\"): refused: kmalloc "
				 "needs it\n");
	kfree(kmalloc(64, GFP_KERNEL));
}

TEST(create_L4_cpus_that_cannot_be_stopped)
{
	struct kmem_cache *c;

	REQUIRE(setup(NULL));
	c = kmem_cache_create("stuck", 64, 0, 0, NULL);
	kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
	kmem_cache_shrink(c);
	sim.fence_refused = true;
	kmem_cache_destroy(c);
	EXPECT(help_contains(sim.text, "refused: the CPUs cannot be stopped"));
	EXPECT(cache_is_cache(c));
	sim.fence_refused = false;
	kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL)); /* it still works */
	kmem_cache_destroy(c);
	EXPECT_FALSE(cache_is_cache(c));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- memory that runs out ----------------------------------------------------------- */

static bool setup_merge(void)
{
	return setup("slab_merge");
}

static void script(bool must_work)
{
	struct kmem_cache *c[40];
	unsigned made = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
		c[made] = kmem_cache_create("many", 64 + i / 2 * 5000, 0, 0, NULL);
		EXPECT(c[made] || !must_work);
		made += c[made] != NULL;
	}
	for (unsigned i = 0; i < made; i++)
		kmem_cache_free(c[i], kmem_cache_alloc(c[i], GFP_KERNEL));
	while (made)
		kmem_cache_destroy(c[--made]);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(create_each_request_fails)
{
	fail_each(setup_merge, script);
}
