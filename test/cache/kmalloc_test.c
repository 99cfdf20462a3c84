/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_test.c - classes, natural alignment, sizes told, resizing in every direction
 */
#include "base/bits.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "start_help.h"

#define LARGE ((size_t)CONFIG_KMALLOC_MAX_CACHE + 1)
#define MIB ((size_t)1 << 20)

TEST(kmalloc_classes_grow_and_waste_a_fifth_at_most)
{
	REQUIRE(setup());
	for (size_t size = 1; size <= CONFIG_KMALLOC_MAX_CACHE; size++) {
		unsigned class = ashlar_kmalloc_class(size);
		size_t bytes = kmalloc_size_roundup(size);

		REQUIRE(class < CONFIG_KMALLOC_CLASSES);
		REQUIRE(ashlar_kmalloc_caches[class]->object_size == bytes);
		REQUIRE(bytes >= size);
		REQUIRE(size <= 128 ? bytes - size < 16 : (bytes - size) * 5 <= bytes);
		REQUIRE(kmalloc_size_roundup(bytes) == bytes);
		REQUIRE(size <= 1024 || size > 8192 || (bytes - size) * 9 <= bytes);
		REQUIRE(kmalloc_class_size(class) == bytes);
		if (bits_is_power_of_two(size) && size >= 16)
			REQUIRE(bytes == size);
	}
	EXPECT_TEXT_EQ(ashlar_kmalloc_caches[0]->name, "kmalloc-16");
	EXPECT_TEXT_EQ(ashlar_kmalloc_caches[11]->name, "kmalloc-256");
	EXPECT_TEXT_EQ(ashlar_kmalloc_caches[51]->name, "kmalloc-32k");
}

TEST(kmalloc_KM1_natural_alignment)
{
	REQUIRE(setup());
	for (unsigned i = 0; i < CONFIG_KMALLOC_CLASSES; i++) {
		size_t size = ashlar_kmalloc_caches[i]->object_size;
		size_t align = (size_t)1 << bits_lowest(size);

		for (unsigned k = 0; k < 40; k++) { /* more than a slab of the largest */
			char *p = ashlar_kmalloc(size, GFP_KERNEL);

			REQUIRE(p != NULL);
			REQUIRE((uintptr_t)p % align == 0);
			REQUIRE(ksize(p) == size);
		}
	}
}

TEST(kmalloc_KM2_nothing_is_fast_before_the_start)
{
	sim_reset();
	EXPECT_EQ(kmalloc_fast_limit, 0);
	EXPECT_EQ(map.fast_granules, 0);
	EXPECT_EQ(kmalloc_push(&sim), KMALLOC_UNKNOWN);
	REQUIRE(init_ready());
	EXPECT_EQ(kmalloc_fast_limit, CONFIG_KMALLOC_MAX_CACHE);
}

TEST(kmalloc_KM2_lock_mode_is_never_fast)
{
	void *p;

	sim_reset();
	sim.lock_mode = true;
	p = ashlar_kmalloc(100, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_EQ(kmalloc_fast_limit, 0);
	EXPECT_EQ(map.fast_granules, 0);
	kfree(p);
	EXPECT_PTR_EQ(ashlar_kmalloc(100, GFP_KERNEL), p);
}

/* A constant size is looked up while compiling: the first call of a program may be such. */
TEST(kmalloc_of_a_constant_starts_everything_itself)
{
	char *p;

	sim_reset();
	p = kmalloc(24, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_EQ(ksize(p), 32);
	kfree(p);
	EXPECT_PTR_EQ(kmalloc(24, GFP_KERNEL), p);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kmalloc_arrays)
{
	char *p;

	REQUIRE(setup());
	p = kmalloc_array(10, 30, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_EQ(ksize(p), 320);
	memset(p, 1, 300);
	kfree(p);
	EXPECT_PTR_EQ(kcalloc(30, 10, GFP_KERNEL), p);
	EXPECT(is_filled(p, 300, 0));
	p = krealloc_array(p, 100, 10, GFP_KERNEL);
	EXPECT_EQ(ksize(p), 1024);
	EXPECT_NULL(krealloc_array(p, SIZE_MAX, 10, GFP_KERNEL));
	EXPECT_EQ(ksize(p), 1024);
}

TEST(kmalloc_roundup_of_large_sizes)
{
	EXPECT_EQ(kmalloc_size_roundup(0), 0);
	EXPECT_EQ(kmalloc_size_roundup(1), 16);
	EXPECT_EQ(kmalloc_size_roundup(129), 160);
	EXPECT_EQ(kmalloc_size_roundup(LARGE), size_align(LARGE, PAGE_SIZE));
	EXPECT_EQ(kmalloc_size_roundup(100 * MIB + 1), 100 * MIB + PAGE_SIZE);
	EXPECT_EQ(kmalloc_size_roundup(SIZE_MAX), SIZE_MAX);
	EXPECT_EQ(kmalloc_size_roundup(SIZE_MAX - 4094), SIZE_MAX);
}

TEST(kmalloc_owns_starts_of_blocks_only)
{
	static const size_t sizes[] = { 16, 1000, 40000, 20 * MIB };

	REQUIRE(setup());
	EXPECT_FALSE(kmalloc_owns(&sim));
	EXPECT_FALSE(kmalloc_owns(NULL));
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = ashlar_kmalloc(sizes[i], GFP_KERNEL);

		REQUIRE(p != NULL);
		EXPECT(kmalloc_owns(p));
		EXPECT_FALSE(kmalloc_owns(p + 1));
		EXPECT_FALSE(sizes[i] > 16 && kmalloc_owns(p + 16));
		EXPECT_FALSE(kmalloc_owns(p + sizes[i] - 1));
		kfree(p);
		EXPECT_FALSE(kmalloc_owns(p));
	}
}

/* ---- resizing ------------------------------------------------------------------------ */

/* From every size to every size: the smaller of the contents stays. */
TEST(kmalloc_resize_from_each_to_each)
{
	static const size_t sizes[] = { 1,    16,      17,          100,      1000,
					4096, 5000,    32768,       32769,    100000,
					MIB,  8 * MIB, 8 * MIB + 1, 12 * MIB, 17 * MIB };

	REQUIRE(setup());
	for (unsigned from = 0; from < ARRAY_SIZE(sizes); from++) {
		for (unsigned to = 0; to < ARRAY_SIZE(sizes); to++) {
			size_t least = size_min(sizes[from], sizes[to]);
			char *p = ashlar_kmalloc(sizes[from], GFP_KERNEL);
			char *q;

			REQUIRE(p != NULL);
			p[0] = 1;
			p[least / 2] = 2;
			p[least - 1] = 3;
			q = krealloc(p, sizes[to], GFP_KERNEL);
			REQUIRE(q != NULL);
			EXPECT_GE(ksize(q), sizes[to]);
			EXPECT(q[least - 1] == 3 &&
			       (least < 4 || (q[0] == 1 && q[least / 2] == 2)));
			q[sizes[to] - 1] = 4;
			kfree(q);
		}
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kmalloc_resize_stays_where_it_fits)
{
	char *p;

	REQUIRE(setup());
	p = ashlar_kmalloc(1000, GFP_KERNEL);
	EXPECT_PTR_EQ(krealloc(p, 1024, GFP_KERNEL), p);
	EXPECT_PTR_EQ(krealloc(p, 513, GFP_KERNEL), p);
	EXPECT_PTR_NE(krealloc(p, 512, GFP_KERNEL), p); /* half of it would be idle */
	p = ashlar_kmalloc(64, GFP_KERNEL);
	EXPECT_PTR_EQ(krealloc(p, 1, GFP_KERNEL), p);
	EXPECT_PTR_EQ(krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	EXPECT_PTR_EQ(ashlar_kmalloc(64, GFP_KERNEL), p);
}
