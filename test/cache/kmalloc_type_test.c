/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_type_test.c - kinds of kmalloc, each with its caches; typed allocation
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "fail_help.h"

static bool setup(void)
{
	sim_reset();
	return init_ready();
}

static const char *cache_name(const void *p)
{
	return cache_node_at(map.ids[map_pfn(p)])->cache->name;
}

static void kind(size_t size, gfp_t gfp, const char *name)
{
	char *p = ashlar_kmalloc(size, gfp);

	REQUIRE(p != NULL);
	EXPECT_TEXT_EQ(cache_name(p), name);
	EXPECT_GE(ksize(p), size);
	if (gfp & __GFP_ZERO)
		for (size_t i = 0; i < ksize(p); i++)
			REQUIRE(p[i] == 0);
	memset(p, 1, ksize(p));
	kfree(p);
	p = ashlar_kmalloc(size, gfp);
	EXPECT_TEXT_EQ(cache_name(p), name);
	kfree(p);
}

TEST(kmalloc_type_has_caches_of_its_own)
{
	REQUIRE(setup());
	kind(64, GFP_KERNEL, "kmalloc-64");
	kind(64, GFP_KERNEL | __GFP_RECLAIMABLE, "kmalloc-rcl-64");
	kind(60, GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_ZERO, "kmalloc-rcl-64");
	kind(1000, GFP_KERNEL | __GFP_RECLAIMABLE, "kmalloc-rcl-1k");
	kind(32768, GFP_KERNEL | __GFP_RECLAIMABLE, "kmalloc-rcl-32k");
	kind(1, GFP_KERNEL_ACCOUNT, "kmalloc-cg-16");
	kind(5000, GFP_KERNEL_ACCOUNT, "kmalloc-cg-5k");
	EXPECT_EQ(cache_node_at(map.ids[map_pfn(kmalloc(64, GFP_KERNEL | __GFP_RECLAIMABLE))])
			  ->cache->allocflags,
		  __GFP_RECLAIMABLE);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kmalloc_type_constant_size_goes_the_same_way)
{
	REQUIRE(setup());
	EXPECT_TEXT_EQ(cache_name(kmalloc(64, GFP_KERNEL | __GFP_RECLAIMABLE)), "kmalloc-rcl-64");
	EXPECT_TEXT_EQ(cache_name(kmalloc(64, GFP_KERNEL)), "kmalloc-64");
}

TEST(kmalloc_type_KT1_which_comes_first)
{
	REQUIRE(setup());
	kind(64, GFP_KERNEL_ACCOUNT | __GFP_RECLAIMABLE, "kmalloc-rcl-64");
	EXPECT_NULL(ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT | __GFP_RECLAIMABLE | __GFP_DMA));
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: kmalloc(\"DMA\"): refused: this home has no DMA memory\n");
	help_clear();
	EXPECT_NULL(ashlar_kmalloc(64, GFP_KERNEL | __GFP_DMA32));
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: kmalloc(\"DMA32\"): refused: kmalloc has no caches below 4 GiB\n");
}

TEST(kmalloc_type_KT2_who_may_not_wait_makes_no_cache)
{
	REQUIRE(setup());
	kind(200, GFP_ATOMIC | __GFP_RECLAIMABLE, "kmalloc-224");
	kind(200, GFP_KERNEL | __GFP_RECLAIMABLE, "kmalloc-rcl-224");
	kind(200, GFP_ATOMIC | __GFP_RECLAIMABLE, "kmalloc-rcl-224");
}

TEST(kmalloc_type_krealloc_stays_in_its_kind)
{
	char *p;

	REQUIRE(setup());
	p = ashlar_kmalloc(64, GFP_KERNEL | __GFP_RECLAIMABLE);
	REQUIRE(p != NULL);
	p = krealloc(p, 500, GFP_KERNEL | __GFP_RECLAIMABLE);
	EXPECT_TEXT_EQ(cache_name(p), "kmalloc-rcl-512");
	kfree(p);
}

static void script(bool must_work)
{
	static const gfp_t kinds[] = { __GFP_RECLAIMABLE, __GFP_ACCOUNT };
	void *p[80];

	for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = ashlar_kmalloc(kmalloc_class_size(i / 2), GFP_KERNEL | kinds[i % 2]);
		EXPECT(p[i] || !must_work);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(p); i++)
		kfree(p[i]);
}

TEST(kmalloc_type_each_request_fails)
{
	fail_each(setup, script);
}

/* ---- typed ------------------------------------------------------------------------- */

struct point {
	int x;
	int y;
	char name[30];
};

struct path {
	size_t count;
	struct point points[];
};

static bool is_zero(const void *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (((const char *)p)[i])
			return false;
	return true;
}

TEST(kmalloc_type_obj_objs_flex)
{
	struct point *one;
	struct path *path;

	REQUIRE(setup());
	for (unsigned round = 0; round < 2; round++) {
		one = round ? kzalloc_obj(*one) : kmalloc_obj(struct point);
		REQUIRE(one != NULL);
		EXPECT_GE(ksize(one), sizeof(struct point));
		EXPECT(!round || is_zero(one, sizeof(*one)));
		memset(one, 1, sizeof(*one));
		kfree(one);
		one = round ? kzalloc_objs(*one, 100, GFP_NOWAIT) :
			      kvmalloc_objs(struct point, 100);
		REQUIRE(one != NULL);
		EXPECT_GE(ksize(one), 100 * sizeof(*one));
		EXPECT(!round || is_zero(one, 100 * sizeof(*one)));
		memset(one, 1, 100 * sizeof(*one));
		kvfree(one);
		path = round ? kzalloc_flex(*path, points, 10) :
			       kvmalloc_flex(struct path, points, 10, GFP_KERNEL);
		REQUIRE(path != NULL);
		EXPECT_GE(ksize(path), sizeof(*path) + 10 * sizeof(struct point));
		EXPECT(!round || is_zero(path, sizeof(*path) + 10 * sizeof(struct point)));
		memset(path, 1, sizeof(*path) + 10 * sizeof(struct point));
		kfree(path);
	}
	EXPECT_EQ(sizeof(*kmalloc_objs(int, 3)), sizeof(int));
	EXPECT_NULL(kmalloc_obj(*one, GFP_KERNEL | __GFP_DMA)); /* the flags arrive */
	EXPECT_NULL(kvzalloc_obj(*one, GFP_KERNEL | __GFP_DMA));
}

TEST(kmalloc_type_no_product_overflows)
{
	struct path *path = NULL;

	REQUIRE(setup());
	EXPECT_NULL(kmalloc_objs(struct point, SIZE_MAX / 2));
	EXPECT_NULL(kvzalloc_objs(struct point, SIZE_MAX / 2));
	EXPECT_NULL(kmalloc_flex(*path, points, SIZE_MAX / sizeof(struct point)));
	EXPECT_NULL(kvmalloc_flex(*path, points, SIZE_MAX));
	EXPECT_EQ(ashlar_flex_bytes(8, 38, 0), 8);
	EXPECT_EQ(ashlar_flex_bytes(SIZE_MAX, 1, 1), SIZE_MAX);
	EXPECT_EQ(ashlar_flex_bytes(8, 1, SIZE_MAX - 8), SIZE_MAX);
}
