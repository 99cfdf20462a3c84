/* SPDX-License-Identifier: MIT */
/*
 * usercopy_test.c - windows, ends of objects, and memory that is nobody's
 */
#include "cache/cache.h"
#include "start_help.h"

static char *object;

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
