/* SPDX-License-Identifier: MIT */
/*
 * mm_test.c - MM1: pages, zeroed, exhausted, given back
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "start_help.h"

TEST(mm_zero_after_use)
{
	for (unsigned round = 0; round < 3; round++) {
		unsigned long a;

		if (round == 0)
			REQUIRE(setup());
		a = __get_free_pages(GFP_KERNEL | __GFP_ZERO, 3);
		REQUIRE(a != 0);
		for (size_t i = 0; i < PAGE_SIZE << 3; i++)
			REQUIRE(((const char *)a)[i] == 0);
		memset((void *)a, 0x5a, PAGE_SIZE << 3);
		free_pages(a, 3);
	}
}

TEST(mm_exhausted_and_usable_again)
{
	static unsigned long held[64];
	unsigned n = 0;

	REQUIRE(setup());
	while (n < 64 && (held[n] = __get_free_pages(GFP_KERNEL, ASHLAR_MAX_ORDER)))
		n++;
	EXPECT_GT(n, 2);
	EXPECT_LT(n, 64);
	EXPECT_EQ(ashlar_audit(), 0);
	while (n)
		free_pages(held[--n], ASHLAR_MAX_ORDER);
	EXPECT_NE(__get_free_pages(GFP_KERNEL, ASHLAR_MAX_ORDER), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mm_dma_is_refused)
{
	REQUIRE(setup());
	EXPECT_NULL(alloc_pages(GFP_KERNEL | __GFP_DMA, 0));
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: alloc_pages(\"pages\"): refused: this home has no DMA memory\n");
}

static unsigned long block;

static void free_with_another_order(void)
{
	free_pages(block, 2);
}

static void free_the_middle(void)
{
	free_pages(block + PAGE_SIZE, 0);
}

static void free_an_object(void)
{
	free_pages((unsigned long)(uintptr_t)ashlar_kmalloc(4096, GFP_KERNEL), 0);
}

TEST(mm_MM1_what_is_no_such_block_is_reported)
{
	REQUIRE(setup());
	block = __get_free_pages(GFP_KERNEL, 1);
	REQUIRE(block != 0);
	EXPECT(help_aborts(free_with_another_order));
	EXPECT(help_aborts(free_the_middle));
	EXPECT(help_aborts(free_an_object));
	free_pages(block, 1);
	EXPECT(help_aborts(free_with_another_order));
	EXPECT_EQ(ashlar_audit(), 0);
}
