/* SPDX-License-Identifier: MIT */
/*
 * mm_test.c - whole pages for everybody
 */
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "start_help.h"

TEST(mm_every_order_is_aligned_and_comes_back)
{
	REQUIRE(setup());
	for (unsigned order = 0; order <= ASHLAR_MAX_ORDER; order++) {
		struct page *p = alloc_pages(GFP_KERNEL, order);

		REQUIRE(p != NULL);
		EXPECT_EQ((uintptr_t)page_address(p) % size_min(PAGE_SIZE << order, map.align), 0);
		EXPECT_PTR_EQ(virt_to_page(page_address(p)), p);
		memset(page_address(p), 1, PAGE_SIZE << order);
		__free_pages(p, order);
		EXPECT_EQ(ashlar_audit(), 0);
	}
	EXPECT_NULL(alloc_pages(GFP_KERNEL, ASHLAR_MAX_ORDER + 1));
	__free_pages(NULL, 3);
	free_pages(0, 0);
}
