/* SPDX-License-Identifier: MIT */
/*
 * usercopy_test.c - windows, ends of objects, and memory that is nobody's
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "sim_help.h"

static char *object;

static bool setup(void)
{
	sim_reset();
	return init_ready();
}

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
	char *p;

	REQUIRE(setup());
	p = kmalloc(100, GFP_KERNEL);
	EXPECT(ashlar_usercopy_allowed(p, 112));
	EXPECT(ashlar_usercopy_allowed(p + 111, 1));
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 100, 13));
	kfree(p);
	p = ashlar_kmalloc(100000, GFP_KERNEL);
	EXPECT(ashlar_usercopy_allowed(p, 100000));
	EXPECT(ashlar_usercopy_allowed(p + 50000, 25 * 4096 - 50000));
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 50000, 25 * 4096 - 49999));
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

TEST(usercopy_UC3_not_ours)
{
	char local[16];

	REQUIRE(setup());
	EXPECT(ashlar_usercopy_allowed(local, sizeof(local)));
	EXPECT_FALSE(ashlar_usercopy_allowed((char *)map.base - 8, 16));
	EXPECT_FALSE(ashlar_usercopy_allowed((void *)(UINTPTR_MAX - 8), 16));
	check_object_size(local, sizeof(local), true);
}

static void copy(void)
{
	check_object_size(object + 4, 61, true);
}

static void copy_window(void)
{
	check_object_size(object + 4, 8, false);
}

TEST(usercopy_report)
{
	struct help_text t;
	struct kmem_cache *c;

	REQUIRE(setup());
	object = kmalloc(64, GFP_KERNEL);
	EXPECT(help_aborts(copy));
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&t,
				   "ashlar: check_object_size(%p): user copy: reading 61 "
				   "bytes is refused: it goes beyond the object\n"
				   "  window   kmalloc-64 lets through 64 bytes at offset "
				   "0\n",
				   object + 4));
	c = kmem_cache_create_usercopy("task", 64, 0, 0, 0, 8, NULL);
	object = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT(help_aborts(copy_window));
	EXPECT_TEXT_EQ(sim.text, help_format(&t,
					     "ashlar: check_object_size(%p): user copy: writing 8 "
					     "bytes is refused: it goes beyond the user window\n"
					     "  window   task lets through 8 bytes at offset 0\n",
					     object + 4));
}
