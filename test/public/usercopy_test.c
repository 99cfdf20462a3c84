/* SPDX-License-Identifier: MIT */
/*
 * usercopy_test.c - windows, ends of objects, and memory that is nobody's
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "cache/cache.h"
#include "start_help.h"

static char *object;

TEST(usercopy_UC1_one_object_in_use)
{
	struct kmem_cache *c;
	char *p;

	REQUIRE(setup());
	c = kmem_cache_create_usercopy("task", 192, 0, 0, 64, 32, NULL);
	REQUIRE(c != NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	for (size_t from = 0; from < 200; from++)
		for (size_t bytes = 1; bytes < 200; bytes++)
			REQUIRE(ashlar_usercopy_allowed(p + from, bytes) ==
				(from >= 64 && from + bytes <= 96));
	EXPECT(ashlar_usercopy_allowed(p, 0));
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 64, SIZE_MAX));
	kmem_cache_free(c, p);
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 64, 1));
	kmem_cache_destroy(c);
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 64, 1));
}

TEST(usercopy_UC2_kmalloc_is_a_window)
{
	size_t usable;
	char *p;

	REQUIRE(setup());
	p = kmalloc(100, GFP_KERNEL);
	usable = ksize(p);
	EXPECT(ashlar_usercopy_allowed(p, usable));
	EXPECT(ashlar_usercopy_allowed(p + usable - 1, 1));
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 100, usable - 99));
	kfree(p);
	p = ashlar_kmalloc(100000, GFP_KERNEL);
	EXPECT(ashlar_usercopy_allowed(p, 100000));
	usable = ksize(p);
	EXPECT(ashlar_usercopy_allowed(p + 50000, usable - 50000));
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 50000, usable - 49999));
	kfree(p);
	EXPECT_FALSE(ashlar_usercopy_allowed(p, 1));
}

TEST(usercopy_UC2_a_plain_cache_has_no_window)
{
	struct kmem_cache *c;

	REQUIRE(setup());
	c = kmem_cache_create("plain", 64, 0, 0, NULL);
	object = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_FALSE(ashlar_usercopy_allowed(object, 1));
	EXPECT_FALSE(ashlar_usercopy_allowed(object - 1, 70)); /* out of the page before */
}
