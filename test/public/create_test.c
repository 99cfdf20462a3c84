/* SPDX-License-Identifier: MIT */
/*
 * create_test.c - what kmem_cache_create refuses, and what it honours
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "sim_help.h"

static bool setup(const char *options)
{
	sim_reset();
	sim.options = options;
	return init_ready();
}

/* ---- L1: refusals --------------------------------------------------------------- */

static void refused(unsigned size, const struct kmem_cache_args *args, unsigned long flags,
		    const char *why)
{
	struct help_text t;

	help_clear();
	EXPECT_NULL(kmem_cache_create_args("x", size, args, flags));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&t, "ashlar: kmem_cache_create_args(\"x\"): refused: %s\n", why));
}

TEST(create_L1_says_why_not)
{
	const char *window = "the user window is not inside the object";
	const char *freeptr = "the free pointer is not inside the object, or not aligned";

	REQUIRE(setup(NULL));
	refused(0, NULL, 0, "the size is 0");
	refused(64, NULL, 0x1000, "unknown flags"); /* kmalloc's own */
	refused(64, NULL, SLAB_CACHE_DMA, "this home has no DMA memory");
	refused(64, NULL, SLAB_CACHE_DMA32, "this home has no DMA memory");
	refused(64, NULL, SLAB_CACHE_DMA | SLAB_CACHE_DMA32,
		"SLAB_CACHE_DMA and SLAB_CACHE_DMA32 are two different zones");
	refused(64, &(struct kmem_cache_args){ .align = 24 }, 0,
		"the alignment is not a power of two up to 4 MiB");
	refused(64, &(struct kmem_cache_args){ .useroffset = 8 }, 0,
		"the user window has an offset, but no size");
	refused(64, &(struct kmem_cache_args){ .usersize = 65 }, 0, window);
	refused(64, &(struct kmem_cache_args){ .useroffset = 60, .usersize = 5 }, 0, window);
	refused(64, &(struct kmem_cache_args){ .useroffset = 65, .usersize = UINT32_MAX }, 0,
		window);
	refused(64, &(struct kmem_cache_args){ .freeptr_offset = 57, .use_freeptr_offset = true },
		0, freeptr);
	refused(64, &(struct kmem_cache_args){ .freeptr_offset = 64, .use_freeptr_offset = true },
		0, freeptr);
	refused(64, &(struct kmem_cache_args){ .freeptr_offset = 4, .use_freeptr_offset = true }, 0,
		freeptr);
	refused(64, &(struct kmem_cache_args){ .sheaf_capacity = 121 }, 0,
		"the sheaf capacity is above 120");
	EXPECT_EQ(ashlar_audit(), 0);
}

static void build(void *p)
{
	*(char *)p = 7;
}

TEST(create_args_are_honoured)
{
	struct kmem_cache_args args = {
		.align = 256,
		.useroffset = 60,
		.usersize = 4,
		.freeptr_offset = 56,
		.use_freeptr_offset = true,
		.ctor = build,
		.sheaf_capacity = 9,
	};
	struct kmem_cache *c;
	char *p;

	REQUIRE(setup(NULL));
	c = kmem_cache_create_args("all", 64, &args, 0);
	REQUIRE(c != NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_EQ((uintptr_t)p % 256, 0);
	EXPECT_EQ(*p, 7);
	EXPECT(ashlar_usercopy_allowed(p + 60, 4));
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 59, 4));
	kmem_cache_free(c, p);
	kmem_cache_destroy(c);
	c = kmem_cache_create_args("none", 64, NULL, 0);
	REQUIRE(c != NULL);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
}

/* ---- L3: merging ---------------------------------------------------------------- */

TEST(create_L3_not_merged_unless_asked)
{
	struct kmem_cache *a;
	struct kmem_cache *b;

	REQUIRE(setup(NULL));
	a = kmem_cache_create("a", 64, 0, 0, NULL);
	b = kmem_cache_create("b", 64, 0, 0, NULL);
	EXPECT_PTR_NE(a, b);
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
}
