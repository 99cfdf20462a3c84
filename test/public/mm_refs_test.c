/* SPDX-License-Identifier: MIT */
/*
 * mm_refs_test.c - MM2, MM3, MM4: references to blocks of pages
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "cache/stat.h"
#include "start_help.h"

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

/* Pages that somebody has. */
static size_t used_now(void)
{
	struct stat_sum s;

	stat_sum(&s);
	return (s.online_bytes - s.free_bytes) / PAGE_SIZE;
}

static struct page *page_behind(const struct page *p, size_t n)
{
	return virt_to_page((char *)page_address(p) + n * PAGE_SIZE);
}

TEST(mm_refs_MM2_the_last_reference_frees)
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

TEST(mm_refs_MM3_a_compound_block_stays_whole)
{
	size_t before;

	REQUIRE(setup());
	before = used_now();
	held = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	REQUIRE(held != NULL);
	get_page(page_behind(held, 5)); /* MM4 */
	EXPECT_EQ(page_count(held), 2);
	__free_pages(held, 3);
	EXPECT_EQ(used_now(), before + 8);
	EXPECT_EQ(page_count(page_behind(held, 7)), 1);
	EXPECT_EQ(ashlar_audit(), 0);
	put_page(page_behind(held, 2));
	EXPECT_EQ(used_now(), before);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mm_refs_MM3_of_another_block_the_first_page_stays)
{
	PAGES_ARE_MANY();
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

TEST(mm_refs_MM3_references_that_went_before_change_nothing)
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

static uint64_t nobodys[16];

TEST(mm_refs_MM4_of_no_such_block)
{
	REQUIRE(setup());
	held = alloc_pages(GFP_KERNEL, 3);
	REQUIRE(held != NULL);
	held = page_behind(held, 1); /* no compound block: only its first page has references */
	EXPECT(help_aborts(get_it));
	held = virt_to_page(ashlar_kmalloc(100, GFP_KERNEL));
	EXPECT(help_aborts(get_it));
	EXPECT(help_aborts(put_it));
	held = virt_to_page(ashlar_kmalloc(100000, GFP_KERNEL));
	EXPECT(help_aborts(get_it));
	held = (struct page *)(void *)nobodys;
	EXPECT(help_aborts(get_it));
	EXPECT_EQ(ashlar_audit(), 0);
}
