/* SPDX-License-Identifier: MIT */
/*
 * pcp_test.c - a CPU's lists of free blocks: C1 to C6, order of reuse, what overflows
 */
#include "base/bits.h"
#include "page/pcp.h"
#include "sim_help.h"

static struct zone z;
static struct list out;

static bool setup(void)
{
	sim_reset();
	list_init(&out);
	if (!map_init(sim.arena_bytes, PAGE_SIZE, 1))
		return false;
	zone_init(&z, 0, 0, 0, map.nr_pages);
	return zone_grow(&z, 0, 1024);
}

/* A block as page_free hands it to the list; NULL iff there is none. */
static struct page *block(unsigned order)
{
	bool zero;
	struct page *p = zone_alloc(&z, order, (size_t)1 << order, GFP_KERNEL, &zero);

	if (!p)
		return NULL;
	p->kind = PAGE_BLOCK;
	p->order = (u8)order;
	map_set_dirty(map_page_pfn(p), (size_t)1 << order);
	return p;
}

static size_t out_pages(void)
{
	struct list *node;
	size_t n = 0;

	list_for_each(node, &out)
		n += (size_t)1 << container_of(node, struct page, link)->order;
	return n;
}

TEST(pcp_empty_lists_give_nothing)
{
	REQUIRE(setup());
	for (unsigned o = 0; o <= MAX_ORDER; o++)
		EXPECT_NULL(pcp_take(0, o));
	pcp_drain(0, &out);
	EXPECT(list_is_empty(&out));
	EXPECT_EQ(pcp_audit(0), 0);
}

TEST(pcp_C1_kind_order_newest_first)
{
	struct page *a;
	struct page *b;

	REQUIRE(setup());
	a = block(2);
	b = block(2);
	REQUIRE(a && b);
	pcp_give(1, a, &out);
	pcp_give(1, b, &out);
	EXPECT_EQ(a->kind, PAGE_PCP);
	EXPECT_EQ(a->order, 2);
	EXPECT_EQ(pcp_audit(1), 0);
	EXPECT_NULL(pcp_take(0, 2)); /* another CPU */
	EXPECT_NULL(pcp_take(1, 1)); /* another order */
	EXPECT_PTR_EQ(pcp_take(1, 2), b);
	EXPECT_PTR_EQ(pcp_take(1, 2), a);
	EXPECT_NULL(pcp_take(1, 2));
	EXPECT(list_is_empty(&out));
}

TEST(pcp_C2_never_above_the_limit)
{
	size_t given = 0;

	REQUIRE(setup());
	for (unsigned i = 0; i < 300; i++) {
		struct page *p = block(i % CONFIG_PCP_ORDERS);

		if (!p)
			break;
		given += (size_t)1 << p->order;
		pcp_give(0, p, &out);
		REQUIRE(pcp_pages(0) <= PCP_HIGH);
		REQUIRE(pcp_audit(0) == 0);
		REQUIRE(pcp_pages(0) + out_pages() == given);
	}
	EXPECT_GT(given, 4 * PCP_HIGH);
	EXPECT_GT(pcp_pages(0), 0);
}

TEST(pcp_C2_overflow_sends_the_oldest)
{
	struct page *first;
	struct page *newest = NULL;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	first = block(0);
	REQUIRE(first != NULL);
	pcp_give(0, first, &out);
	for (unsigned i = 1; i <= PCP_HIGH; i++) {
		EXPECT(list_is_empty(&out));
		newest = block(0);
		REQUIRE(newest != NULL);
		pcp_give(0, newest, &out);
	}
	EXPECT_PTR_EQ(list_first_entry(&out, struct page, link), first);
	EXPECT_EQ(out_pages(), 33);
	EXPECT_EQ(pcp_pages(0), 32);
	EXPECT_PTR_EQ(pcp_take(0, 0), newest);
	EXPECT_EQ(pcp_audit(0), 0);
}

TEST(pcp_C2_overflow_spares_other_orders)
{
	struct page *large;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	large = block(4);
	REQUIRE(large != NULL);
	pcp_give(0, large, &out);
	for (unsigned i = 0; i <= PCP_HIGH - 16; i++)
		pcp_give(0, block(0), &out);
	EXPECT_EQ(out_pages(), 33);
	EXPECT_PTR_EQ(pcp_take(0, 4), large);
	EXPECT_EQ(pcp_audit(0), 0);
}

TEST(pcp_C2_a_large_block_may_push_others_out)
{
	REQUIRE(setup());
	for (unsigned i = 0; i < 60; i++)
		pcp_give(0, block(0), &out);
	pcp_give(0, block(4), &out);
	EXPECT_LE(pcp_pages(0), PCP_HIGH);
	EXPECT_EQ(pcp_pages(0) + out_pages(), 76);
	EXPECT_EQ(pcp_audit(0), 0);
}

TEST(pcp_C3_a_batch_grows_with_each_empty_list)
{
	static const unsigned pages[] = { 1, 2, 4, 8, 16, 32, 32 };

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
		EXPECT_EQ(pcp_miss(0, 0), pages[i]);
		EXPECT_EQ(pcp_batch(0), pages[i]);
	}
	EXPECT_EQ(pcp_miss(0, 3), 4); /* blocks of 8 pages */
	EXPECT_EQ(pcp_miss(0, CONFIG_PCP_ORDERS), 0);
	EXPECT_EQ(pcp_batch(1), 0);
	for (unsigned i = 0; i <= PCP_HIGH; i++)
		pcp_give(0, block(0), &out);
	EXPECT_EQ(pcp_batch(0), 16); /* an overflow */
	pcp_drain(0, &out);
	EXPECT_EQ(pcp_batch(0), 0);
	pcp_lock(0);
	EXPECT_EQ(pcp_miss(0, 0), 0);
	pcp_unlock(0);
}

/* Free @pages more than there is room for. */
static void overflow(void)
{
	size_t most = pcp_high(0);

	while (pcp_pages(0) < most)
		pcp_give(0, block(0), &out);
	pcp_give(0, block(0), &out);
	while (!list_is_empty(&out))
		zone_free_list(&z, &out);
}

/* A run of @count pages as page_free_exact hands it to the list; NULL iff there is none. */
static struct page *run(size_t count)
{
	bool zero;
	struct page *p = zone_alloc(&z, bits_log2_ceil(count), count, GFP_KERNEL, &zero);

	if (!p)
		return NULL;
	map_set_dirty(map_page_pfn(p), count);
	return p;
}

TEST(pcp_runs_serve_who_wants_as_many_pages)
{
	struct page *a;
	struct page *b;
	struct page *c;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	EXPECT_NULL(pcp_take_run(0, 13, 1));
	a = run(13);
	b = run(13);
	c = run(20);
	REQUIRE(a != NULL && b != NULL && c != NULL);
	pcp_give_run(0, a, 13, &out);
	pcp_give_run(0, b, 13, &out);
	pcp_give_run(0, c, 20, &out);
	EXPECT(list_is_empty(&out));
	EXPECT_EQ(pcp_pages(0), 13 + 13 + 20);
	EXPECT_EQ(pcp_audit(0), 0); /* C1, C2 */
	EXPECT_EQ(c->kind, PAGE_PCP);
	EXPECT_NULL(pcp_take_run(1, 13, 1));
	EXPECT_NULL(pcp_take_run(0, 12, 1));
	EXPECT_NULL(pcp_take_run(0, 20, (size_t)1 << 20)); /* it does not lie so */
	EXPECT(pcp_take_run(0, 13, 1) == b);
	EXPECT(pcp_take_run(0, 20, 1) == c);
	EXPECT(pcp_take_run(0, 13, 1) == a);
	EXPECT_NULL(pcp_take_run(0, 13, 1));
	EXPECT_EQ(pcp_pages(0), 0);
	EXPECT_EQ(pcp_audit(0), 0);
}

TEST(pcp_runs_beyond_the_room_leave_whole)
{
	size_t before;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	before = z.free_pages;
	for (unsigned i = 0; i < 6; i++) { /* 78 pages, and room for 64 */
		pcp_give_run(0, run(13), 13, &out);
		REQUIRE(pcp_audit(0) == 0);
	}
	EXPECT_EQ(pcp_pages(0), 39); /* half of them left, then one came */
	for (unsigned i = 0; i < PCP_HIGH - 39; i++)
		pcp_give(0, block(0), &out);
	EXPECT_EQ(pcp_pages(0), PCP_HIGH);
	pcp_give(0, block(4), &out); /* the older runs first: there is no other of its kind */
	EXPECT_EQ(pcp_audit(0), 0);
	pcp_drain(0, &out);
	zone_free_list(&z, &out);
	EXPECT_EQ(z.free_pages, before);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(pcp_C4_what_is_asked_back_is_kept)
{
	REQUIRE(setup());
	EXPECT_EQ(pcp_high(0), PCP_HIGH);
	pcp_miss(0, 0); /* empty, but nothing had gone */
	EXPECT_EQ(pcp_high(0), PCP_HIGH);
	for (unsigned i = 1; i <= 20; i++) {
		overflow();
		pcp_miss(0, 0);
		EXPECT_EQ(pcp_high(0), PCP_HIGH + size_min(i * PCP_STEP, PCP_MORE_MAX));
		REQUIRE(pcp_audit(0) == 0);
	}
	overflow();
	EXPECT_EQ(pcp_high(0), PCP_HIGH + PCP_MORE_MAX);
	overflow(); /* nobody asked for what went */
	EXPECT_EQ(pcp_high(0), PCP_HIGH + PCP_MORE_MAX * 3 / 4);
	for (unsigned i = 0; i < 20; i++)
		overflow();
	EXPECT_EQ(pcp_high(0), PCP_HIGH);
	EXPECT_EQ(pcp_audit(0), 0);
}

TEST(pcp_C4_draining_forgets)
{
	REQUIRE(setup());
	for (unsigned i = 0; i < 5; i++) {
		overflow();
		pcp_miss(0, 0);
	}
	EXPECT_GT(pcp_high(0), PCP_HIGH);
	pcp_drain(0, &out);
	EXPECT_EQ(pcp_high(0), PCP_HIGH);
}

TEST(pcp_C5_one_range_that_is_known_once)
{
	struct page *p;
	size_t pfn;

	REQUIRE(setup());
	p = block(0);
	REQUIRE(p != NULL);
	pfn = map_page_pfn(p);
	EXPECT(!pcp_serves(1, pfn));
	EXPECT_EQ(pcp_cpus(), 0);
	pcp_lock(1);
	pcp_open(1, pfn, 2); /* busy: another time */
	EXPECT(!pcp_serves(1, pfn));
	pcp_unlock(1);
	pcp_open(1, pfn, 2);
	EXPECT_EQ(pcp_cpus(), 2);
	EXPECT(pcp_serves(1, pfn) && pcp_serves(1, pfn + 1));
	EXPECT(!pcp_serves(1, pfn + 2) && !pcp_serves(1, pfn - 1));
	EXPECT(!pcp_serves(0, pfn));
	EXPECT_EQ(pcp_audit(1), 0);
	EXPECT(pcp_keep_page(1, p));
	EXPECT_EQ(p->kind, PAGE_PCP);
	EXPECT_EQ(pcp_audit(1), 0);
	pcp[1].first++; /* now it is none of the range */
	EXPECT_EQ(pcp_audit(1), 1);
	pcp[1].first--;
	EXPECT_PTR_EQ(pcp_take(1, 0), p);
	pcp_init();
	EXPECT(!pcp_serves(1, pfn));
}

TEST(pcp_C6_circles_before_anything_is_kept)
{
	REQUIRE(setup());
	EXPECT_EQ(pcp_audit(3), 0);
	pcp[3].pages = 1;
	EXPECT_EQ(pcp_audit(3), 1);
	pcp[3].pages = 0;
	pcp_open(3, 0, 1);
	EXPECT_NULL(pcp_take(3, 0));
	EXPECT_EQ(pcp_audit(3), 0);
}

TEST(pcp_keep_page_goes_up_to_the_limit)
{
	struct page *last = NULL;

	REQUIRE(setup());
	pcp_open(0, 0, map.nr_pages);
	for (unsigned i = 0; i < PCP_HIGH; i++) {
		last = block(0);
		REQUIRE(last != NULL);
		EXPECT(pcp_keep_page(0, last));
	}
	EXPECT(!pcp_keep_page(0, block(0)));
	EXPECT_PTR_EQ(pcp_take(0, 0), last); /* the newest */
	pcp_lock(0);
	EXPECT(!pcp_keep_page(0, last)); /* busy */
	EXPECT_NULL(pcp_take(0, 0));
	pcp_unlock(0);
	EXPECT(pcp_keep_page(0, last));
	EXPECT_EQ(pcp_pages(0), PCP_HIGH);
	EXPECT_EQ(pcp_audit(0), 0);
}

TEST(pcp_fill_keeps_what_there_is_room_for)
{
	struct list blocks;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	list_init(&blocks);
	EXPECT_EQ(zone_alloc_list(&z, 4, 6, GFP_KERNEL, &blocks), 6);
	for (struct list *l = blocks.next; l != &blocks; l = l->next)
		EXPECT_EQ(container_of(l, struct page, link)->order, 4);
	pcp_fill(2, &blocks);
	EXPECT_EQ(pcp_pages(2), 64);
	EXPECT_EQ(pcp_audit(2), 0);
	EXPECT_EQ(pcp_cpus(), 3);
	zone_free_list(&z, &blocks);
	pcp_drain(2, &out);
	zone_free_list(&z, &out);
	EXPECT_EQ(z.free_pages, z.managed_pages);
	EXPECT_EQ(z.dirty_pages, 0); /* nobody wrote to them */
	EXPECT_EQ(zone_audit(&z), 0);
	EXPECT_EQ(zone_alloc_list(&z, 0, 4000, GFP_KERNEL, &blocks), /* not the reserve */
		  z.managed_pages - z.watermark[WATERMARK_MIN]);
	lock_acquire(&z.lock);
	EXPECT_EQ(zone_alloc_list(&z, 0, 1, GFP_NOWAIT, &blocks), 0); /* Z4 */
	lock_release(&z.lock);
	pcp_lock(2);
	pcp_fill(2, &blocks); /* busy: all stay */
	pcp_unlock(2);
	zone_free_list(&z, &blocks);
	EXPECT_EQ(z.free_pages, z.managed_pages);
}

TEST(pcp_take_many_at_once)
{
	struct page *pages[8];
	struct page *first;

	REQUIRE(setup());
	EXPECT_EQ(pcp_take_bulk(0, pages, 8), 0);
	first = block(0);
	pcp_give(0, first, &out);
	for (unsigned i = 0; i < 4; i++)
		pcp_give(0, block(0), &out);
	pcp_give(0, block(1), &out);
	pcp_lock(0);
	EXPECT_EQ(pcp_take_bulk(0, pages, 8), 0);
	pcp_unlock(0);
	EXPECT_EQ(pcp_take_bulk(0, pages, 3), 3);
	EXPECT_EQ(pcp_take_bulk(0, pages, 8), 2);
	EXPECT_PTR_EQ(pages[1], first);
	EXPECT_EQ(pcp_pages(0), 2);
	EXPECT_EQ(pcp_audit(0), 0);
}

TEST(pcp_larger_blocks_pass_through)
{
	struct page *p;

	REQUIRE(setup());
	p = block(CONFIG_PCP_ORDERS);
	REQUIRE(p != NULL);
	pcp_give(0, p, &out);
	EXPECT_PTR_EQ(list_first_entry(&out, struct page, link), p);
	EXPECT_EQ(pcp_pages(0), 0);
}

TEST(pcp_busy_lists_are_not_waited_for)
{
	struct page *a;
	struct page *b;

	REQUIRE(setup());
	a = block(0);
	b = block(0);
	REQUIRE(a && b);
	pcp_give(0, a, &out);
	pcp_lock(0);
	EXPECT_NULL(pcp_take(0, 0));
	pcp_give(0, b, &out);
	EXPECT_PTR_EQ(list_first_entry(&out, struct page, link), b);
	pcp_unlock(0);
	EXPECT_PTR_EQ(pcp_take(0, 0), a);
	EXPECT_EQ(sim.waits, 0);
}

TEST(pcp_drain_empties_all_orders)
{
	PAGES_OF_4_KIB();
	REQUIRE(setup());
	for (unsigned o = 0; o < CONFIG_PCP_ORDERS; o++)
		pcp_give(3, block(o), &out);
	EXPECT_EQ(pcp_pages(3), 31);
	pcp_drain(3, &out);
	EXPECT_EQ(pcp_pages(3), 0);
	EXPECT_EQ(out_pages(), 31);
	EXPECT_EQ(pcp_audit(3), 0);
}

TEST(pcp_audit_sees_faults)
{
	struct page *p;

	REQUIRE(setup());
	p = block(1);
	REQUIRE(p != NULL);
	pcp_give(0, p, &out);
	p->kind = PAGE_FREE; /* C1 */
	EXPECT_NE(pcp_audit(0), 0);
	p->kind = PAGE_PCP;
	p->order = 0; /* C1 */
	EXPECT_NE(pcp_audit(0), 0);
	p->order = 1;
	EXPECT_EQ(pcp_audit(0), 0);
}
