/* SPDX-License-Identifier: MIT */
/*
 * kvmalloc_test.c - KV1: blocks that may as well be a mapping
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "cache/large.h"
#include "fail_help.h"
#include "fill_help.h"

TEST(kvmalloc_is_kmalloc_while_there_is_room)
{
	char *p;

	REQUIRE(setup());
	EXPECT_PTR_EQ(kvmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	kvfree(ZERO_SIZE_PTR);
	kvfree(NULL);
	for (size_t size = 1; size < 4u << 20; size = size * 3 + 1) {
		p = kvzalloc(size, GFP_KERNEL);
		REQUIRE(p && map_contains(p));
		EXPECT_EQ(p[0] + p[size - 1], 0);
		memset(p, 1, size);
		kvfree(p);
	}
	EXPECT_EQ(sim.mapped_bytes, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kvmalloc_KV1_never_without_end_above_a_page)
{
	REQUIRE(setup());
	sim.mapping_bytes = 0;
	fill(32768, GFP_KERNEL | __GFP_NORETRY);
	fill(8192, GFP_KERNEL | __GFP_NORETRY);
	EXPECT_NULL(kvmalloc(8192, GFP_KERNEL));
	EXPECT_NULL(kvmalloc(8192, GFP_KERNEL | __GFP_RETRY_MAYFAIL));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(kvmalloc_sizes_that_cannot_be)
{
	REQUIRE(setup());
	EXPECT_NULL(kvmalloc_array(SIZE_MAX / 2, 3, GFP_KERNEL));
	EXPECT_NULL(kvcalloc(SIZE_MAX, 2, GFP_KERNEL));
	EXPECT_NULL(kvmalloc(SIZE_MAX, GFP_KERNEL));
	EXPECT_NULL(kvmalloc(SIZE_MAX / 2 + 1, GFP_KERNEL));
	EXPECT_NULL(kvmalloc_node(100, GFP_KERNEL | __GFP_THISNODE, 5));
}

TEST(kvmalloc_kvrealloc_grows_and_shrinks)
{
	static const size_t sizes[] = { 10, 5000, 100, 70000, 9u << 20, 40000, 3 };
	char *p = NULL;

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = kvrealloc(p, sizes[i], GFP_KERNEL);
		REQUIRE(p != NULL);
		EXPECT(i == 0 || p[0] == 5);
		memset(p, 5, sizes[i]);
	}
	EXPECT_PTR_EQ(kvrealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	EXPECT_EQ(ashlar_audit(), 0);
}

static char *victim;

static void free_again(void)
{
	kvfree(victim);
}

TEST(kvmalloc_second_free_is_reported)
{
	REQUIRE(setup());
	victim = kvmalloc(64, GFP_KERNEL);
	kvfree(victim);
	EXPECT(help_aborts(free_again));
	EXPECT(help_contains(sim.text, "ashlar: kvfree(0x"));
	EXPECT(help_contains(sim.text, "double free: this "));
}

static void script(bool must_work)
{
	static const size_t sizes[] = { 100,      4096,     5000,     40000,
					1u << 20, 3u << 20, 6u << 20, 9u << 20 };
	char *p[ARRAY_SIZE(sizes)];

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		p[i] = kvmalloc(sizes[i], GFP_KERNEL);
		EXPECT(p[i] || !must_work);
		if (p[i])
			p[i][sizes[i] - 1] = 1;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *q = kvrealloc(p[i], 10000, GFP_KERNEL);

		EXPECT(q || !must_work);
		kvfree(q ? q : p[i]);
	}
	ashlar_purge();
}

TEST(kvmalloc_each_request_fails)
{
	fail_each(setup, script);
}
