/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_type_test.c - other kinds of memory by size, and the typed forms
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "fail_help.h"
#include "start_help.h"

static void script(bool must_work)
{
	static const gfp_t kinds[] = { __GFP_RECLAIMABLE, __GFP_ACCOUNT };
	void *p[2 * CONFIG_KMALLOC_CLASSES];

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
