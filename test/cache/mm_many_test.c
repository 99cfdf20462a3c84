/* SPDX-License-Identifier: MIT */
/*
 * mm_many_test.c - many pages in one call, and exactly as many as a size needs
 */
#include "ashlar/account.h"
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "start_help.h"

/* Pages that somebody has. */
static size_t used_now(void)
{
	struct page_stat s;

	page_drain();
	page_stat(&s);
	return s.online_pages - s.free_pages;
}

TEST(mm_many_a_group_pays_and_may_refuse)
{
	struct ashlar_group *group;
	struct ashlar_group_stat stat;
	struct page *a[20] = { NULL };
	size_t before;
	void *p;

	REQUIRE(setup());
	group = ashlar_group_create("pages", NULL, 10 * PAGE_SIZE);
	REQUIRE(group != NULL);
	ashlar_group_set_default(group);
	before = used_now();
	EXPECT_NULL(alloc_pages_exact(11 * PAGE_SIZE, GFP_KERNEL_ACCOUNT));
	EXPECT_EQ(used_now(), before);
	EXPECT_EQ(ashlar_audit(), 0);
	p = alloc_pages_exact(7 * PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	REQUIRE(p != NULL);
	EXPECT_EQ(alloc_pages_bulk(GFP_KERNEL_ACCOUNT, 20, a), 3);
	ashlar_group_stat(group, &stat);
	EXPECT_EQ(stat.bytes, 10 * PAGE_SIZE);
	EXPECT_EQ(used_now(), before + 10);
	free_pages_exact(p, 7 * PAGE_SIZE);
	for (unsigned i = 0; i < 3; i++)
		put_page(a[i]);
	ashlar_group_stat(group, &stat);
	EXPECT_EQ(stat.bytes, 0);
	EXPECT_EQ(used_now(), before);
	EXPECT_EQ(ashlar_audit(), 0);
}
