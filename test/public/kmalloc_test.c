/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_test.c - kmalloc of any size, resized and freed
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "base/bits.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "start_help.h"

#define LARGE ((size_t)CONFIG_KMALLOC_MAX_CACHE + 1)
#define MIB ((size_t)1 << 20)

TEST(kmalloc_starts_everything_itself)
{
	char *p;

	sim_reset();
	p = ashlar_kmalloc(24, GFP_KERNEL);
	REQUIRE(p != NULL);
	kfree(p);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kmalloc_of_nothing)
{
	REQUIRE(setup());
	EXPECT_PTR_EQ(ashlar_kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	EXPECT_PTR_EQ(kzalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	EXPECT_PTR_EQ(kcalloc(0, 8, GFP_KERNEL), ZERO_SIZE_PTR);
	EXPECT_PTR_EQ(krealloc(NULL, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	EXPECT_EQ(ksize(ZERO_SIZE_PTR), 0);
	EXPECT_EQ(ksize(NULL), 0);
	kfree(ZERO_SIZE_PTR);
	kfree(NULL);
	kfree_sensitive(NULL);
	kfree_sensitive(ZERO_SIZE_PTR);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(kmalloc_more_than_there_is)
{
	REQUIRE(setup());
	EXPECT_NULL(ashlar_kmalloc(SIZE_MAX, GFP_KERNEL));
	EXPECT_NULL(ashlar_kmalloc(SIZE_MAX - 4095, GFP_KERNEL));
	EXPECT_NULL(ashlar_kmalloc((size_t)PTRDIFF_MAX + 1, GFP_KERNEL));
	EXPECT_NULL(ashlar_kmalloc(PTRDIFF_MAX, GFP_KERNEL));
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 46, GFP_KERNEL));
	EXPECT_NULL(kmalloc_array(SIZE_MAX, 2, GFP_KERNEL));
	EXPECT_NULL(kcalloc((size_t)1 << 33, (size_t)1 << 33, GFP_KERNEL));
	EXPECT_NULL(kmalloc_aligned(SIZE_MAX, 64, GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kmalloc_node_takes_what_there_is)
{
	void *p;

	REQUIRE(setup());
	p = kmalloc_node(100, GFP_KERNEL, 0);
	REQUIRE(p != NULL);
	kfree(p);
	EXPECT_PTR_EQ(kmalloc_node(100, GFP_KERNEL, -1), p);
}

TEST(kmalloc_aligned_every_size_and_alignment)
{
	static const size_t sizes[] = { 1, 16, 24, 100, 129, 4096, 5000, 20000, 40000, 3000000 };

	REQUIRE(setup());
	for (size_t align = 1; align <= 4 * MIB; align *= 2) {
		for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *p = kmalloc_aligned(sizes[i], align, GFP_KERNEL);
			char *q = kmalloc_aligned(sizes[i], align, GFP_KERNEL);

			REQUIRE(p && q && p != q);
			EXPECT_EQ((uintptr_t)p % align, 0);
			EXPECT_EQ((uintptr_t)q % align, 0);
			EXPECT_GE(ksize(p), sizes[i]);
			memset(p, 1, sizes[i]);
			memset(q, 2, sizes[i]);
			EXPECT(is_filled(p, sizes[i], 1));
			kfree(p);
			kfree(q);
		}
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kmalloc_free_sensitive_wipes_all)
{
	static const size_t sizes[] = { 16, 100, 5000, 40000 };

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = ashlar_kmalloc(sizes[i], GFP_KERNEL);
		size_t usable;

		REQUIRE(p != NULL);
		usable = ksize(p);
		memset(p, 1, usable);
		kfree_sensitive(p);
		EXPECT(is_filled(p, usable, 0)); /* still mapped: it is kept for reuse */
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kmalloc_free_of_any_cache)
{
	struct kmem_cache *c;
	void *p;

	REQUIRE(setup());
	c = kmem_cache_create("any", 500, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(ksize(p), 500);
	kfree(p);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), p);
	p = ashlar_kmalloc(64, GFP_KERNEL);
	kmem_cache_free(ashlar_kmalloc_caches[3], p);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kmalloc_resize_fails_and_keeps_the_old)
{
	char *p;

	REQUIRE(setup());
	p = ashlar_kmalloc(100, GFP_KERNEL);
	memset(p, 5, 100);
	EXPECT_NULL(krealloc(p, SIZE_MAX / 2, GFP_KERNEL));
	EXPECT(is_filled(p, 100, 5));
	kfree(p);
	p = ashlar_kmalloc(12 * MIB, GFP_KERNEL);
	REQUIRE(p != NULL);
	memset(p, 5, 12 * MIB);
	sim.fail_at = 1;
	sim.fail_on = true;
	EXPECT_NULL(krealloc(p, 30 * MIB, GFP_KERNEL));
	sim.fail_at = 0;
	EXPECT(is_filled(p, 12 * MIB, 5));
	EXPECT_EQ(ksize(p), 12 * MIB);
	kfree(p);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* An object of a cache of its own that is larger than the largest class is no run of pages. */
TEST(kmalloc_resize_of_large_objects_of_a_cache)
{
	static const unsigned sizes[] = { 33000, 50000, 70000, 1000000 };

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *c = kmem_cache_create("large", sizes[i], 0, 0, NULL);
		char *p;
		char *q;

		REQUIRE(c != NULL);
		for (size_t to = 20000; to < 4 * (size_t)sizes[i]; to += sizes[i] / 2) {
			p = kmem_cache_alloc(c, GFP_KERNEL);
			REQUIRE(p != NULL);
			memset(p, 7, sizes[i]);
			q = krealloc(p, to, GFP_KERNEL);
			REQUIRE(q != NULL);
			EXPECT(is_filled(q, size_min(to, sizes[i]), 7));
			EXPECT_GE(ksize(q), to);
			kfree(q);
			REQUIRE(ashlar_audit() == 0);
		}
		EXPECT_EQ(kmem_cache_shrink(c), 0);
		kmem_cache_destroy(c);
	}
	EXPECT_TEXT_EQ(sim.text, "");
}

/* ---- zeros --------------------------------------------------------------------------------- */

/* Dirty memory of every kind, so that no zero is there by chance. */
static void soil(size_t size)
{
	void *p[4];

	for (unsigned i = 0; i < 4; i++) {
		p[i] = ashlar_kmalloc(size, GFP_KERNEL);
		if (p[i])
			memset(p[i], 0xee, ksize(p[i]));
	}
	for (unsigned i = 0; i < 4; i++)
		kfree(p[i]);
}

TEST(kmalloc_zero_all_that_may_be_used)
{
	static const size_t sizes[] = { 1, 20, 65, 1000, 5000, 33000, 100000, 9 * MIB };

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p;

		soil(sizes[i]);
		p = kzalloc(sizes[i], GFP_KERNEL);
		REQUIRE(p != NULL);
		EXPECT(is_filled(p, ksize(p), 0));
		kfree(p);
	}
	soil(10 * MIB); /* kept, and of use for a little less */
	EXPECT(is_filled(kzalloc(9 * MIB, GFP_KERNEL), 9 * MIB, 0));
}

/* With __GFP_ZERO from the first call on, what a resize adds reads as zero. */
TEST(kmalloc_resize_adds_zeros)
{
	static const size_t steps[][3] = {
		{ 20, 32, 200 },
		{ 100, 70, 112 },
		{ 1000, 600, 1024 },
		{ 33000, 32800, 36864 },
		{ 50000, 45000, 200000 },
		{ 9 * MIB, 8400 << 10, 9 * MIB },
		{ 9 * MIB - 5000, 9 * MIB - 6000, 9 * MIB },
	};
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO;

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		size_t kept = size_min(steps[i][0], steps[i][1]);
		char *p;

		soil(steps[i][0]);
		soil(steps[i][2]);
		p = kzalloc(steps[i][0], GFP_KERNEL);
		REQUIRE(p != NULL);
		memset(p, 9, steps[i][0]);
		p = krealloc(p, steps[i][1], gfp);
		REQUIRE(p != NULL);
		EXPECT(is_filled(p, kept, 9));
		EXPECT(is_filled(p + kept, steps[i][1] - kept, 0));
		memset(p, 9, steps[i][1]);
		p = krealloc(p, steps[i][2], gfp);
		REQUIRE(p != NULL);
		EXPECT(is_filled(p, steps[i][1], 9));
		if (!EXPECT(is_filled(p + steps[i][1], steps[i][2] - steps[i][1], 0)))
			tap_note_number("from", steps[i][0]);
		kfree(p);
	}
}
