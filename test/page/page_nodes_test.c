/* SPDX-License-Identifier: MIT */
/*
 * page_nodes_test.c - the front of the page floor with several nodes
 */
#include "page/page_help.h"

TEST(page_nodes_serve_their_own)
{
	for (unsigned nodes = 2; nodes <= 4; nodes++) {
		size_t share;

		REQUIRE(setup(nodes));
		share = map.nr_pages / nodes & ~((map.align >> PAGE_SHIFT) - 1);
		for (unsigned n = 0; n < nodes; n++) {
			bool zero;
			struct page *p = page_alloc(4, GFP_KERNEL | __GFP_THISNODE, n, &zero);

			REQUIRE(p != NULL);
			EXPECT_GE(map_page_pfn(p), n * share);
			EXPECT_LT(map_page_pfn(p), n + 1 == nodes ? map.nr_pages : (n + 1) * share);
			EXPECT_EQ(page_audit(), 0);
			page_free(p, 4);
			EXPECT_EQ(stat().pcp_pages, 16); /* CPU 0 keeps what is of its node, 0 */
		}
		EXPECT(all_free());
	}
}

TEST(page_nodes_fall_back_in_order)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(3));
	while (page_alloc(MAX_ORDER, GFP_KERNEL | __GFP_THISNODE, 1, &zero))
		;
	while (page_alloc(0, GFP_KERNEL | __GFP_THISNODE, 1, &zero))
		;
	EXPECT_NULL(page_alloc(0, GFP_KERNEL | __GFP_THISNODE, 1, &zero));
	p = page_alloc(0, GFP_KERNEL, 1, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(map_page_pfn(p) / (map.nr_pages / 3), 2);
	p = page_alloc_exact(3, 1, GFP_KERNEL, 1, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(map_page_pfn(p) / (map.nr_pages / 3), 2);
	EXPECT_EQ(page_audit(), 0);
}

TEST(page_nodes_discard_and_offline_each)
{
	struct page *p[3];
	bool zero;

	REQUIRE(setup(3));
	for (unsigned n = 0; n < 3; n++) {
		p[n] = page_alloc(MAX_ORDER, GFP_KERNEL | __GFP_THISNODE, n, &zero);
		REQUIRE(p[n] != NULL);
	}
	for (unsigned n = 0; n < 3; n++)
		page_free(p[n], MAX_ORDER);
	EXPECT_EQ(stat().dirty_pages, 3 * LARGEST);
	EXPECT_EQ(page_discard(0), 3 * LARGEST);
	EXPECT_GE(page_offline(), 3 * LARGEST);
	EXPECT(all_free());
	EXPECT_NOT_NULL(page_alloc(0, GFP_KERNEL | __GFP_THISNODE, 2, &zero));
}
