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

/* ---- references -------------------------------------------------------------------- */

static struct page *held;

static void get_it(void)
{
	get_page(held);
}

static void put_it(void)
{
	put_page(held);
}

static void count_it(void)
{
	page_count(held);
}

/* Pages that somebody has, and no CPU hides on a list. */
static size_t used_now(void)
{
	struct page_stat s;

	page_drain();
	page_stat(&s);
	return s.online_pages - s.free_pages;
}

TEST(mm_MM2_the_last_reference_frees)
{
	size_t before;

	REQUIRE(setup());
	before = used_now();
	held = alloc_pages(GFP_KERNEL, 0);
	REQUIRE(held != NULL);
	EXPECT_EQ(page_count(held), 1);
	get_page(held);
	get_page(held);
	EXPECT_EQ(page_count(held), 3);
	put_page(held);
	__free_page(held);
	EXPECT_EQ(page_count(held), 1);
	EXPECT_EQ(used_now(), before + 1);
	put_page(held);
	EXPECT_EQ(used_now(), before);
	EXPECT(help_aborts(get_it));
	EXPECT(help_aborts(put_it));
	EXPECT(help_aborts(count_it));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mm_MM3_a_compound_block_stays_whole)
{
	size_t before;

	REQUIRE(setup());
	before = used_now();
	held = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	REQUIRE(held != NULL);
	get_page(held + 5); /* MM4 */
	EXPECT_EQ(page_count(held), 2);
	__free_pages(held, 3);
	EXPECT_EQ(used_now(), before + 8);
	EXPECT_EQ(page_count(held + 7), 1);
	EXPECT_EQ(ashlar_audit(), 0);
	put_page(held + 2);
	EXPECT_EQ(used_now(), before);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mm_MM3_of_another_block_the_first_page_stays)
{
	for (unsigned order = 1; order <= 9; order++) {
		size_t before;

		if (order == 1)
			REQUIRE(setup());
		before = used_now();
		held = alloc_pages(GFP_KERNEL, order);
		REQUIRE(held != NULL);
		get_page(held);
		memset(page_address(held), 0x5a, PAGE_SIZE);
		__free_pages(held, order);
		EXPECT_EQ(used_now(), before + 1);
		EXPECT_EQ(((const char *)page_address(held))[PAGE_SIZE - 1], 0x5a);
		EXPECT_EQ(page_count(held), 1);
		EXPECT_EQ(ashlar_audit(), 0);
		__free_pages(held, 0);
		EXPECT_EQ(used_now(), before);
		EXPECT_EQ(ashlar_audit(), 0);
	}
}

TEST(mm_MM3_references_that_went_before_change_nothing)
{
	size_t before;

	REQUIRE(setup());
	before = used_now();
	held = alloc_pages(GFP_KERNEL, 4);
	REQUIRE(held != NULL);
	get_page(held);
	put_page(held);
	__free_pages(held, 4);
	EXPECT_EQ(used_now(), before);
	held = alloc_pages(GFP_KERNEL, 4);
	put_page(held); /* the last one frees all of it */
	EXPECT_EQ(used_now(), before);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mm_MM4_of_no_such_block)
{
	REQUIRE(setup());
	held = alloc_pages(GFP_KERNEL, 3);
	REQUIRE(held != NULL);
	held++; /* no compound block: only its first page has references */
	EXPECT(help_aborts(get_it));
	held = virt_to_page(ashlar_kmalloc(100, GFP_KERNEL));
	EXPECT(help_aborts(get_it));
	EXPECT(help_aborts(put_it));
	held = virt_to_page(ashlar_kmalloc(100000, GFP_KERNEL));
	EXPECT(help_aborts(get_it));
	held = held + map.nr_pages;
	EXPECT(help_aborts(get_it));
	EXPECT_EQ(ashlar_audit(), 0);
}
