/* SPDX-License-Identifier: MIT */
/*
 * buckets_test.c - sets of size caches
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/anchor.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "fail_help.h"
#include "start_help.h"

TEST(buckets_without_a_set_or_above_it)
{
	kmem_buckets *b;
	void *p;

	REQUIRE(setup());
	b = kmem_buckets_create("b", 0, 0, 0, NULL);
	REQUIRE(b != NULL);
	EXPECT_PTR_EQ(kmem_buckets_alloc(b, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	p = kmem_buckets_alloc(b, 100000, GFP_KERNEL);
	EXPECT_EQ(ksize(p), (100000 + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE);
	kfree(p);
	p = kmem_buckets_valloc(b, 9u << 20, GFP_KERNEL);
	EXPECT_EQ(ksize(p), 9u << 20);
	kvfree(p);
	p = kmem_buckets_alloc(NULL, 64, GFP_KERNEL);
	EXPECT_EQ((uintptr_t)p % 64, 0);
	kfree(p);
	kmem_buckets_destroy(b);
}

TEST(buckets_windows_as_far_as_they_are_inside)
{
	kmem_buckets *b;
	char *p;

	REQUIRE(setup());
	b = kmem_buckets_create("w", 0, 48, 100, NULL);
	REQUIRE(b != NULL);
	p = kmem_buckets_alloc(b, 32, GFP_KERNEL);
	EXPECT_FALSE(ashlar_usercopy_allowed(p, 1));
	p = kmem_buckets_alloc(b, 128, GFP_KERNEL);
	EXPECT(ashlar_usercopy_allowed(p + 48, 80));
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 47, 2));
	p = kmem_buckets_alloc(b, 1024, GFP_KERNEL);
	EXPECT(ashlar_usercopy_allowed(p + 48, 100));
	EXPECT_FALSE(ashlar_usercopy_allowed(p + 48, 101));
}

TEST(buckets_refused)
{
	kmem_buckets *b;
	void *p;

	REQUIRE(setup());
	EXPECT_NULL(kmem_buckets_create(NULL, 0, 0, 0, NULL));
	EXPECT_NULL(kmem_buckets_create("", 0, 0, 0, NULL));
	EXPECT_NULL(kmem_buckets_create("a name of twenty-seven char", 0, 0, 0, NULL));
	EXPECT(help_contains(sim.text, "refused: a set needs a name of 1 to 26 characters"));
	help_clear();
	EXPECT_NULL(kmem_buckets_create("dma", SLAB_CACHE_DMA, 0, 0, NULL));
	EXPECT(help_contains(sim.text, "\"dma-16\"): refused: this home has no DMA memory"));
	b = kmem_buckets_create("used", 0, 0, 0, NULL);
	p = kmem_buckets_alloc(b, 100, GFP_KERNEL);
	help_clear();
	kmem_buckets_destroy(b);
	EXPECT(help_contains(sim.text, "ashlar: kmem_buckets_destroy(\"used-112\"): 1 object is "
				       "still in use; the set stays\n"));
	EXPECT_EQ(ashlar_anchor.events[ASHLAR_EVENT_LEAK], 1);
	kfree(p);
	kfree(kmem_buckets_alloc(b, 1, GFP_KERNEL));
	help_clear();
	kmem_buckets_destroy(b);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

static void script(bool must_work)
{
	kmem_buckets *b = kmem_buckets_create("fail", 0, 0, 0, NULL);
	void *p[CONFIG_KMALLOC_CLASSES];

	EXPECT(b || !must_work);
	if (!b)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = kmem_buckets_valloc(b, kmalloc_class_size(i), GFP_KERNEL);
		EXPECT(p[i] || !must_work);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(p); i++)
		kvfree(p[i]);
	kmem_buckets_destroy(b);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(buckets_each_request_fails)
{
	fail_each(setup, script);
}
