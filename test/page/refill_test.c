/* SPDX-License-Identifier: MIT */
/*
 * refill_test.c - several pages at once: for a CPU that runs empty, and for who asks for many
 */
#include "page/page_help.h"
#include "page/pcp.h"

TEST(page_refill_brings_more_each_time)
{
	struct page_stat before;
	bool zero;

	REQUIRE(setup(1));
	for (unsigned i = 0; i < 200; i++)
		REQUIRE(page_alloc(0, GFP_KERNEL, 0, &zero) && zero);
	EXPECT_EQ(pcp_batch(0), PCP_BATCH_MAX);
	before = stat();
	for (unsigned i = 0; i < PCP_BATCH_MAX; i++)
		page_alloc(0, GFP_KERNEL, 0, &zero);
	EXPECT_EQ(before.free_pages - stat().free_pages, PCP_BATCH_MAX); /* one visit */
	EXPECT_EQ(page_audit(), 0);
	page_drain();
	EXPECT_EQ(stat().dirty_pages, 0);
}

TEST(page_refill_leaves_the_reserve)
{
	size_t n = 0;
	bool zero;

	PAGES_OF_4_KIB();
	REQUIRE(setup(1));
	while (page_alloc(0, GFP_NOWAIT | __GFP_HIGH, 0, &zero))
		n++;
	EXPECT_EQ(n, 512 - 23);
	EXPECT_EQ(stat().pcp_pages, 0);
	EXPECT_EQ(page_audit(), 0);
}

TEST(page_bulk_is_the_same_pages)
{
	static struct page *p[700];
	size_t n;

	REQUIRE(setup(1));
	n = page_alloc_bulk(p, 5, GFP_KERNEL | __GFP_ZERO, 0);
	REQUIRE(n == 5);
	for (size_t i = 0; i < n; i++) {
		memset(map_page_address(p[i]), 1, PAGE_SIZE);
		page_free(p[i], 0);
	}
	EXPECT_EQ(page_alloc_bulk(p, 700, GFP_KERNEL | __GFP_ZERO, 0), 700);
	for (size_t i = 0; i < 700; i++) {
		const char *bytes = map_page_address(p[i]);

		EXPECT_EQ(p[i]->kind, PAGE_BLOCK);
		EXPECT_EQ(p[i]->order, 0);
		EXPECT_EQ(map.ids[map_page_pfn(p[i])], 0);
		REQUIRE(bytes[0] == 0 && bytes[PAGE_SIZE - 1] == 0);
	}
	EXPECT_EQ(page_audit(), 0);
	for (size_t i = 0; i < 700; i++)
		page_free(p[i], 0);
	EXPECT(all_free());
}

TEST(page_bulk_stops_where_memory_ends)
{
	static struct page *p[1 << 15];
	size_t n;

	PAGES_OF_4_KIB();
	REQUIRE(setup(2));
	n = page_alloc_bulk(p, ARRAY_SIZE(p), GFP_KERNEL, 1);
	EXPECT_GT(n, 10000);
	EXPECT_LT(n, ARRAY_SIZE(p));
	EXPECT_EQ(page_alloc_bulk(p + n, 10, GFP_KERNEL, 0), 0);
	EXPECT_EQ(page_audit(), 0);
	while (n)
		page_free(p[--n], 0);
	EXPECT(all_free());
}
