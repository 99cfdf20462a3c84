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

/* The way without a call (mm_take, mm_keep), and what leaves it. */
TEST(mm_a_single_page_comes_and_goes_by_the_cpus_list)
{
	struct page *p;
	struct page *q;

	REQUIRE(setup());
	p = alloc_pages(GFP_KERNEL, 0);
	REQUIRE(p != NULL);
	__free_pages(p, 0); /* the CPU's range is known now */
	EXPECT_EQ(p->kind, PAGE_PCP);
	for (unsigned i = 0; i < 3; i++) {
		EXPECT_EQ(__get_free_pages(GFP_KERNEL, 0), (unsigned long)page_address(p));
		EXPECT(page_is_one(p));
		EXPECT_EQ(map.ids[map_page_pfn(p)], 0);
		memset(page_address(p), 7, PAGE_SIZE);
		free_pages((unsigned long)page_address(p), 0);
		EXPECT_EQ(map.ids[map_page_pfn(p)], MAP_DIRTY);
		EXPECT_EQ(ashlar_audit(), 0);
	}
	q = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	EXPECT_PTR_EQ(q, p);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		REQUIRE(((char *)page_address(q))[i] == 0);
	__free_pages(q, 0);
	q = alloc_pages(GFP_KERNEL | __GFP_COMP, 0);
	EXPECT_PTR_EQ(q, p);
	EXPECT(!page_is_one(q)); /* comes back by the other way */
	__free_pages(q, 0);
	EXPECT_EQ(q->kind, PAGE_PCP);
	sim.cpu = 1; /* another CPU has an empty list, and no range yet */
	q = alloc_pages(GFP_KERNEL, 0);
	EXPECT(q && q != p);
	__free_pages(q, 0);
	EXPECT_EQ(q->kind, PAGE_PCP);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mm_a_page_that_others_refer_to_stays)
{
	struct page *p;

	REQUIRE(setup());
	__free_pages(alloc_pages(GFP_KERNEL, 0), 0);
	p = alloc_pages(GFP_KERNEL, 0);
	REQUIRE(p != NULL);
	get_page(p);
	free_pages((unsigned long)page_address(p), 0);
	EXPECT_EQ(p->kind, PAGE_BLOCK);
	EXPECT(page_is_one(p));
	__free_pages(p, 0);
	EXPECT_EQ(p->kind, PAGE_PCP);
	EXPECT_EQ(ashlar_audit(), 0);
}

static unsigned long wrong_address;
static unsigned wrong_order;

static void free_it(void)
{
	free_pages(wrong_address, wrong_order);
}

TEST(mm_MM1_what_is_no_such_page_is_told)
{
	REQUIRE(setup());
	__free_pages(alloc_pages(GFP_KERNEL, 0), 0);
	wrong_address = __get_free_pages(GFP_KERNEL, 0);
	REQUIRE(wrong_address != 0);
	wrong_order = 1; /* another order */
	EXPECT(help_aborts(free_it));
	wrong_order = 0;
	wrong_address += 8; /* inside */
	EXPECT(help_aborts(free_it));
	wrong_address -= 8;
	free_pages(wrong_address, 0);
	EXPECT(help_aborts(free_it));                            /* twice */
	wrong_address = map.base + (map.nr_pages << PAGE_SHIFT); /* behind the arena */
	EXPECT(help_aborts(free_it));
	wrong_address = map.base - PAGE_SIZE; /* before it */
	EXPECT(help_aborts(free_it));
	EXPECT_EQ(ashlar_audit(), 0);
}
