/* SPDX-License-Identifier: MIT */
/*
 * mm_many_test.c - many pages in one call, and exactly as many as a size needs
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "cache/stat.h"
#include "start_help.h"

/* Pages that somebody has. */
static size_t used_now(void)
{
	struct stat_sum s;

	stat_sum(&s);
	return (s.online_bytes - s.free_bytes) / PAGE_SIZE;
}

TEST(mm_many_MN1_fills_what_is_empty)
{
	struct page *a[200] = { NULL };
	struct page *own;
	size_t before;

	REQUIRE(setup());
	before = used_now();
	own = alloc_page(GFP_KERNEL);
	a[0] = a[77] = a[199] = own;
	EXPECT_EQ(alloc_pages_bulk(GFP_KERNEL | __GFP_ZERO, 200, a), 200);
	for (unsigned i = 0; i < 200; i++) {
		const char *bytes = page_address(a[i]);

		if (i == 0 || i == 77 || i == 199) {
			EXPECT_PTR_EQ(a[i], own);
			continue;
		}
		EXPECT_EQ(page_count(a[i]), 1);
		EXPECT_EQ(bytes[0] | bytes[PAGE_SIZE - 1], 0);
		for (unsigned j = 0; j < i; j++)
			EXPECT_PTR_NE(a[i], a[j]);
		memset(page_address(a[i]), 1, PAGE_SIZE);
	}
	EXPECT_EQ(used_now(), before + 198);
	EXPECT_EQ(alloc_pages_bulk(GFP_KERNEL, 200, a), 200); /* there is nothing to do */
	EXPECT_EQ(used_now(), before + 198);
	for (unsigned i = 0; i < 199; i++)
		if (a[i] != own)
			__free_page(a[i]);
	put_page(own);
	EXPECT_EQ(used_now(), before);
	EXPECT_EQ(alloc_pages_bulk(GFP_KERNEL, 0, NULL), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mm_many_MN1_says_where_it_stopped)
{
	static struct page *a[1 << 15];
	unsigned long n;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	n = alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(a), a);
	EXPECT_GT(n, 10000);
	EXPECT_LT(n, ARRAY_SIZE(a));
	EXPECT_NOT_NULL(a[n - 1]);
	EXPECT_NULL(a[n]);
	EXPECT_EQ(alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(a), a), n);
	EXPECT_EQ(ashlar_audit(), 0);
	while (n)
		__free_page(a[--n]);
	EXPECT_NOT_NULL(alloc_page(GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mm_many_bulk_of_memory_that_is_not_here)
{
	struct page *a[2] = { NULL, NULL };

	REQUIRE(setup());
	EXPECT_EQ(alloc_pages_bulk(GFP_KERNEL | __GFP_DMA, 2, a), 0);
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: alloc_pages_bulk(\"pages\"): refused: this home has no DMA "
		       "memory\n");
	help_clear();
	EXPECT_NULL(alloc_pages_exact(5000, GFP_KERNEL | __GFP_DMA32));
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: alloc_pages_exact(\"pages\"): refused: this home has no DMA "
		       "memory\n");
}

TEST(mm_many_exact_is_as_much_as_asked_for)
{
	REQUIRE(setup());
	for (size_t count = 1; count <= 100; count += 1 + count / 7) {
		size_t before = used_now();
		size_t size = count * PAGE_SIZE - count % 3;
		char *p = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO);

		REQUIRE(p != NULL);
		EXPECT_EQ(used_now(), before + count);
		for (size_t i = 0; i < size; i++)
			REQUIRE(p[i] == 0);
		memset(p, 1, size);
		for (size_t i = 0; i < count; i++)
			EXPECT_EQ(page_count(virt_to_page(p + i * PAGE_SIZE)), 1);
		EXPECT_EQ(ashlar_audit(), 0);
		free_pages_exact(p, size);
		EXPECT_EQ(used_now(), before);
		EXPECT_EQ(ashlar_audit(), 0);
	}
	EXPECT_NULL(alloc_pages_exact(0, GFP_KERNEL));
	EXPECT_NULL(alloc_pages_exact((PAGE_SIZE << MAX_ORDER) + 1, GFP_KERNEL));
	EXPECT_NULL(alloc_pages_exact(SIZE_MAX, GFP_KERNEL));
	free_pages_exact(NULL, 100);
}

TEST(mm_many_MN2_pages_that_others_hold_stay)
{
	size_t before;
	char *p;

	REQUIRE(setup());
	before = used_now();
	p = alloc_pages_exact(10 * PAGE_SIZE, GFP_KERNEL);
	REQUIRE(p != NULL);
	get_page(virt_to_page(p + 3 * PAGE_SIZE));
	get_page(virt_to_page(p + 9 * PAGE_SIZE));
	free_pages_exact(p, 10 * PAGE_SIZE);
	EXPECT_EQ(used_now(), before + 2);
	EXPECT_EQ(ashlar_audit(), 0);
	put_page(virt_to_page(p + 3 * PAGE_SIZE));
	free_page((unsigned long)(uintptr_t)(p + 9 * PAGE_SIZE));
	EXPECT_EQ(used_now(), before);
	p = alloc_pages_exact(6 * PAGE_SIZE, GFP_KERNEL); /* or page by page, in parts */
	free_pages_exact(p + 2 * PAGE_SIZE, 3 * PAGE_SIZE);
	__free_page(virt_to_page(p));
	__free_page(virt_to_page(p + PAGE_SIZE));
	__free_page(virt_to_page(p + 5 * PAGE_SIZE));
	EXPECT_EQ(used_now(), before);
	EXPECT_EQ(ashlar_audit(), 0);
}

static char *run;
static size_t wrong;

static void free_wrong(void)
{
	free_pages_exact(run, wrong);
}

TEST(mm_many_wrong_frees_are_reported_and_free_nothing)
{
	size_t used;
	char *p;

	REQUIRE(setup());
	p = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL);
	REQUIRE(p != NULL);
	used = used_now();
	run = p;
	wrong = 4 * PAGE_SIZE; /* too much */
	EXPECT(help_aborts(free_wrong));
	run = p + 1;
	wrong = PAGE_SIZE;
	EXPECT(help_aborts(free_wrong));
	EXPECT_EQ(used_now(), used);
	free_pages_exact(p, 3 * PAGE_SIZE);
	run = p; /* twice */
	EXPECT(help_aborts(free_wrong));
	run = ashlar_kmalloc(4096, GFP_KERNEL);
	EXPECT(help_aborts(free_wrong));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* The nth request for memory fails, for each n there is; nothing is lost. */
TEST(mm_many_refused_by_the_machine_at_each_request)
{
	REQUIRE(setup());
	for (uint64_t n = 1;; n++) {
		struct page *a[700] = { NULL };
		size_t used = used_now();
		unsigned long got;
		void *p;

		sim.fail_at = n;
		p = alloc_pages_exact(700 * PAGE_SIZE, GFP_KERNEL | __GFP_NORETRY);
		got = alloc_pages_bulk(GFP_KERNEL | __GFP_NORETRY, 700, a);
		EXPECT_EQ(ashlar_audit(), 0);
		if (p)
			free_pages_exact(p, 700 * PAGE_SIZE);
		while (got)
			__free_page(a[--got]);
		EXPECT_EQ(used_now(), used);
		EXPECT_EQ(ashlar_audit(), 0);
		if (sim.fail_at)
			break;
		REQUIRE(n < 100);
		ashlar_purge();
	}
	sim.fail_at = 0;
}
