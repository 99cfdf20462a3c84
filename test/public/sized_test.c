/* SPDX-License-Identifier: MIT */
/*
 * sized_test.c - kfree_sized: a free that is told the size
 *
 * What    Public behaviour: compiled for both engines. SZ1, SZ2.
 */
#include "ashlar/slab.h"
#include "start_help.h"

static void *wrong;
static size_t wrong_size;

static void free_wrong(void)
{
	kfree_sized(wrong, wrong_size);
}

/* @p, a block in use of @usable bytes, freed with @size: reported, and it stays in use. */
static void is_reported(void *p, size_t size)
{
	size_t usable = ksize(p);

	wrong = p;
	wrong_size = size;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "ashlar: kfree_sized("));
	EXPECT(help_contains(sim.text, "wrong size: freed with "));
	EXPECT_EQ(ksize(p), usable); /* SZ2 */
}

TEST(sized_SZ1_what_kmalloc_gave_every_size)
{
	REQUIRE(setup());
	for (size_t size = 1; size < 1u << 20; size += size < 700 ? 1 : size / 7) {
		kfree_sized(ashlar_kmalloc(size, GFP_KERNEL), size);
		kfree_sized(kzalloc(size, GFP_KERNEL), size);
		kfree_sized(ashlar_kmalloc(size, GFP_KERNEL | __GFP_RECLAIMABLE), size);
		kfree_sized(ashlar_kmalloc(size, GFP_KERNEL), kmalloc_size_roundup(size));
	}
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(sized_nothing_is_ignored)
{
	REQUIRE(setup());
	kfree_sized(NULL, 0);
	kfree_sized(NULL, 64);
	kfree_sized(ZERO_SIZE_PTR, 0);
	kfree_sized(ZERO_SIZE_PTR, 64);
	kfree_sized(ashlar_kmalloc(0, GFP_KERNEL), 0);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(sized_gives_the_block_back)
{
	void *p;

	REQUIRE(setup());
	p = ashlar_kmalloc(100, GFP_KERNEL);
	kfree_sized(p, 100);
	EXPECT_PTR_EQ(ashlar_kmalloc(100, GFP_KERNEL), p);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(sized_SZ1_an_object_of_a_cache)
{
	struct kmem_cache *c;
	void *p;

	REQUIRE(setup());
	c = kmem_cache_create("any", 500, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	is_reported(p, 501);
	is_reported(p, 200);
	kfree_sized(p, 500);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), p);
}

TEST(sized_SZ1_a_block_that_was_made_smaller)
{
	void *p;

	REQUIRE(setup());
	for (size_t from = 200; from < 300000; from = from * 3 / 2)
		for (size_t to = from; to > from / 5; to = to * 9 / 10) {
			p = krealloc(ashlar_kmalloc(from, GFP_KERNEL), to, GFP_KERNEL);
			kfree_sized(p, to);
		}
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(sized_SZ2_more_than_there_is)
{
	static const size_t sizes[] = { 1, 16, 100, 1024, 30000, 50000, 9u << 20 };

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = ashlar_kmalloc(sizes[i], GFP_KERNEL);

		REQUIRE(p != NULL);
		is_reported(p, ksize(p) + 1);
		is_reported(p, SIZE_MAX);
		kfree_sized(p, sizes[i]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(sized_SZ2_too_little)
{
	static const size_t sizes[] = { 200, 1024, 30000, 50000 };

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = ashlar_kmalloc(sizes[i], GFP_KERNEL);

		REQUIRE(p != NULL);
		is_reported(p, 0);
		is_reported(p, sizes[i] / 3);
		kfree_sized(p, sizes[i]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

static void is_reported_twice(size_t size)
{
	REQUIRE(setup());
	wrong = ashlar_kmalloc(size, GFP_KERNEL);
	wrong_size = size;
	kfree_sized(wrong, wrong_size);
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "ashlar: kfree_sized("));
	EXPECT(help_contains(sim.text, "double free") || help_contains(sim.text, "use after free"));
}

TEST(sized_twice_is_reported_under_its_name)
{
	is_reported_twice(64);
}

TEST(sized_twice_of_a_large_block)
{
	is_reported_twice(100000);
}

TEST(sized_SZ1_red_zones_know_what_was_asked_for)
{
	void *p;

	REQUIRE(start("slab_debug=Z"));
	p = ashlar_kmalloc(100, GFP_KERNEL);
	REQUIRE(p != NULL);
	if (ksize(p) == 100) /* slob has no red zones */
		is_reported(p, 101);
	kfree_sized(p, 100);
	EXPECT_EQ(ashlar_audit(), 0);
}
