/* SPDX-License-Identifier: MIT */
/*
 * zone_test.c - watermarks, growth, discarding, pages that go offline and return
 * lint: long - a case for each rule, all on one setup
 */
/* lint: long - one file mirrors zone.c, a case for each rule */
#include "page/zone.h"
#include "sim_help.h"

#define ORDINARY GFP_KERNEL
#define LARGEST ((size_t)1 << MAX_ORDER)

static struct zone z;

/* A zone over the whole arena, nothing online. */
static bool setup(void)
{
	sim_reset();
	if (!map_init(sim.arena_bytes, PAGE_SIZE, 1))
		return false;
	zone_init(&z, 0, 0, 0, map.nr_pages);
	return true;
}

/* The same with 512 pages online. */
static bool setup_online(void)
{
	return setup() && zone_grow(&z, 0, 512);
}

/* Single pages until there are no more; returns how many. They are forgotten. */
static size_t take_all(gfp_t gfp)
{
	size_t n = 0;
	bool zero;

	while (zone_alloc(&z, 0, 1, gfp, &zero))
		n++;
	return n;
}

static char *address(const struct page *p)
{
	return map_page_address(p);
}

TEST(zone_watermarks_follow_the_size)
{
	PAGES_OF_4_KIB();
	REQUIRE(setup());
	EXPECT_EQ(z.watermark[WATERMARK_MIN], 0);
	REQUIRE(zone_grow(&z, 0, 512));
	EXPECT_EQ(z.managed_pages, 512);
	EXPECT_EQ(z.watermark[WATERMARK_MIN], 45); /* sqrt(16 * 2048 KiB) = 181 KiB */
	EXPECT_EQ(z.watermark[WATERMARK_LOW], 45 + 11);
	EXPECT_EQ(z.watermark[WATERMARK_HIGH], 45 + 22);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_Z1_ordinary_leaves_the_reserve)
{
	PAGES_OF_4_KIB();
	REQUIRE(setup_online());
	EXPECT_EQ(take_all(ORDINARY), 512 - 45);
	EXPECT_EQ(z.free_pages, 45);
	EXPECT_EQ(take_all(GFP_NOWAIT), 0);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_Z1_high_takes_half_of_it)
{
	PAGES_OF_4_KIB();
	REQUIRE(setup_online());
	EXPECT_EQ(take_all(GFP_ATOMIC), 512 - 23);
	EXPECT_EQ(take_all(ORDINARY), 0);
	EXPECT_EQ(take_all(GFP_ATOMIC), 0);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_Z1_memalloc_takes_all)
{
	PAGES_OF_4_KIB();
	REQUIRE(setup_online());
	EXPECT_EQ(take_all(ORDINARY | __GFP_MEMALLOC | __GFP_NOMEMALLOC), 512 - 45);
	EXPECT_EQ(take_all(ORDINARY | __GFP_MEMALLOC), 45);
	EXPECT_EQ(z.free_pages, 0);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_Z1_counts_the_whole_block)
{
	bool zero;

	PAGES_OF_4_KIB();
	REQUIRE(setup_online());
	take_all(ORDINARY);
	z.watermark[WATERMARK_MIN] = 40; /* five pages to spare */
	EXPECT_NULL(zone_alloc(&z, 3, 8, ORDINARY, &zero));
	EXPECT_NOT_NULL(zone_alloc(&z, 2, 4, ORDINARY, &zero));
	EXPECT_NOT_NULL(zone_alloc(&z, 0, 1, ORDINARY, &zero));
	EXPECT_NULL(zone_alloc(&z, 0, 1, ORDINARY, &zero));
}

static size_t watched;

static void watch_lock(void)
{
	watched++;
	EXPECT_EQ(z.lock.word, LOCK_FREE);
}

TEST(zone_Z2_no_lock_while_the_port_is_called)
{
	struct page *p;
	bool zero;

	REQUIRE(setup());
	sim.watch = watch_lock;
	REQUIRE(zone_grow(&z, MAX_ORDER, LARGEST));
	p = zone_alloc(&z, 4, 16, ORDINARY, &zero);
	REQUIRE(p != NULL);
	zone_free(&z, map_page_pfn(p), 16);
	EXPECT_EQ(zone_discard(&z, 0), 16);
	EXPECT_GT(zone_offline(&z), 0);
	EXPECT(zone_grow(&z, 0, 1));
	EXPECT_GT(watched, 6);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_alloc_gives_the_rest_back)
{
	PAGES_ARE_MANY();
	for (size_t count = 1; count <= 64; count++) {
		struct page *p;
		bool zero;

		REQUIRE(setup_online());
		p = zone_alloc(&z, 6, count, ORDINARY, &zero);
		REQUIRE(p != NULL);
		EXPECT_EQ(map_page_pfn(p) % 64, 0);
		EXPECT(zero);
		EXPECT_EQ(z.free_pages, 512 - count);
		EXPECT_EQ(zone_audit(&z), 0);
		zone_free(&z, map_page_pfn(p), count);
		EXPECT_EQ(z.free_pages, 512);
		EXPECT_EQ(z.dirty_pages, count);
		EXPECT_EQ(z.area[MAX_ORDER < 9 ? 0 : 9].count, 1);
		EXPECT_EQ(zone_audit(&z), 0);
	}
}

TEST(zone_free_of_any_run)
{
	bool zero;

	PAGES_ARE_MANY();
	REQUIRE(setup_online());
	REQUIRE(zone_alloc(&z, 8, 256, ORDINARY, &zero) == map.pages);
	for (size_t pfn = 0, n = 1; pfn + n <= 256; pfn += n++)
		zone_free(&z, pfn, n); /* 1, 2, 3, ... pages */
	EXPECT_EQ(z.free_pages, 256 + 253);
	EXPECT_EQ(zone_audit(&z), 0);
	zone_free(&z, 253, 3);
	EXPECT_EQ(z.area[MAX_ORDER < 9 ? 0 : 9].count, 1);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_free_list_of_blocks)
{
	struct list blocks;
	bool zero;

	REQUIRE(setup_online());
	list_init(&blocks);
	for (unsigned o = 0; o < 5; o++) {
		struct page *p = zone_alloc(&z, o, (size_t)1 << o, ORDINARY, &zero);

		REQUIRE(p != NULL);
		p->order = (u8)o;
		map_set_dirty(map_page_pfn(p), (size_t)1 << o);
		list_add(&blocks, &p->link);
	}
	zone_free_list(&z, &blocks);
	EXPECT(list_is_empty(&blocks));
	EXPECT_EQ(z.free_pages, 512);
	EXPECT_EQ(z.dirty_pages, 31);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_zero_is_said_only_where_it_is)
{
	struct page *p;
	bool zero;

	REQUIRE(setup_online());
	p = zone_alloc(&z, 1, 2, ORDINARY, &zero);
	REQUIRE(p != NULL);
	EXPECT(zero);
	memset(address(p), 1, 2 * PAGE_SIZE);
	zone_free(&z, map_page_pfn(p), 2);
	p = zone_alloc(&z, 2, 4, ORDINARY, &zero); /* two of the four are dirty */
	REQUIRE(p != NULL);
	EXPECT_FALSE(zero);
	zone_free(&z, map_page_pfn(p), 4);
	EXPECT_EQ(zone_discard(&z, 0), 4);
	p = zone_alloc(&z, 2, 4, ORDINARY, &zero);
	REQUIRE(p != NULL);
	EXPECT(zero);
	for (size_t i = 0; i < 4 * PAGE_SIZE; i++)
		REQUIRE(address(p)[i] == 0);
}

/* ---- growth ------------------------------------------------------------------- */

TEST(zone_grow_by_steps)
{
	size_t before;

	REQUIRE(setup_online());
	EXPECT(zone_grow(&z, 0, 1));
	EXPECT_EQ(z.managed_pages, 512 + 64); /* an eighth */
	do
		before = z.managed_pages;
	while (zone_grow(&z, 0, 1));
	EXPECT_EQ(z.managed_pages, before);
	EXPECT_GE(z.managed_pages + 2 * map_grain(), map.nr_pages);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_grow_holds_an_aligned_block)
{
	bool zero;

	for (unsigned o = 0; o <= MAX_ORDER; o++) {
		REQUIRE(setup());
		REQUIRE(zone_grow(&z, 0, 64));
		take_all(ORDINARY | __GFP_MEMALLOC);
		REQUIRE(zone_grow(&z, o, (size_t)1 << o));
		EXPECT_NOT_NULL(
			zone_alloc(&z, o, (size_t)1 << o, ORDINARY | __GFP_MEMALLOC, &zero));
		EXPECT_EQ(zone_audit(&z), 0);
	}
}

TEST(zone_grow_refused_changes_nothing)
{
	REQUIRE(setup_online());
	for (uint64_t n = 1; n < 3; n++) {
		sim.fail_at = n;
		sim.fail_on = true;
		EXPECT_FALSE(zone_grow(&z, 0, 1));
		EXPECT_EQ(z.managed_pages, 512);
		EXPECT_EQ(z.online_end, 512);
		EXPECT_EQ(zone_audit(&z), 0);
	}
	sim.fail_at = 0;
	EXPECT(zone_grow(&z, 0, 1));
}

TEST(zone_grow_asks_again_for_less)
{
	PAGES_OF_4_KIB();
	REQUIRE(setup());
	REQUIRE(zone_grow(&z, 0, 4096)); /* now a step is 512 pages */
	sim.fail_at = 2;
	sim.fail_on = false;
	REQUIRE(zone_grow(&z, 0, 64));
	EXPECT_EQ(z.managed_pages, 4096 + 64);
	EXPECT_EQ(zone_audit(&z), 0);
}

static void look_at_locks(void)
{
	watched++;
	EXPECT_FALSE(lock_try(&zone_growth));
	if (EXPECT(lock_try(&z.lock)))
		lock_release(&z.lock);
}

TEST(zone_Z2_only_growing_is_held_at_the_port)
{
	REQUIRE(setup_online());
	sim.watch = look_at_locks;
	EXPECT(zone_grow(&z, 0, 128));
	sim.watch = NULL;
	EXPECT_GT(watched, 0);
	EXPECT_GT(z.managed_pages, 512);
	EXPECT_EQ(zone_audit(&z), 0);
}

/* Who may not wait gives a block back although somebody holds the lock. */
TEST(zone_Z5_what_comes_back_under_a_held_lock_is_free_later)
{
	struct page *head;
	size_t before;
	bool zero;

	REQUIRE(setup_online());
	before = z.free_pages;
	head = zone_alloc(&z, 0, 1, GFP_KERNEL, &zero);
	REQUIRE(head != NULL);
	lock_acquire_more(&z.lock);
	EXPECT_NULL(zone_alloc(&z, 0, 1, GFP_NOWAIT, &zero));
	zone_try_free(&z, map_page_pfn(head), 1);
	EXPECT_NOT_NULL(z.late);
	EXPECT_LT(z.free_pages, before);
	lock_release(&z.lock);
	EXPECT_NOT_NULL(zone_alloc(&z, 0, 1, GFP_NOWAIT, &zero));
	EXPECT_NULL(z.late);
	EXPECT_EQ(z.free_pages, before - 1);
	EXPECT_EQ(sim.waits + sim.wakes, 0);
	EXPECT_EQ(zone_audit(&z), 0);
}

/* ---- claiming the pages behind a run ------------------------------------------- */

TEST(zone_claim_takes_free_pages_only)
{
	struct page *p;
	struct page *q;
	bool zero;

	PAGES_ARE_MANY();
	REQUIRE(setup_online());
	p = zone_alloc(&z, 4, 16, ORDINARY, &zero);
	REQUIRE(p == map.pages);
	EXPECT(zone_claim(&z, 16, 5, &zero));
	EXPECT(zero);
	EXPECT_EQ(z.free_pages, 512 - 21);
	EXPECT_EQ(zone_audit(&z), 0);
	q = zone_alloc(&z, 0, 1, ORDINARY, &zero); /* the smallest block is page 21 */
	EXPECT_PTR_EQ(q, &map.pages[21]);
	EXPECT_FALSE(zone_claim(&z, 21, 1, &zero));
	zone_free(&z, 21, 1);
	EXPECT(zone_claim(&z, 21, 3, &zero));
	EXPECT_FALSE(zero); /* page 21 is dirty */
	EXPECT_EQ(map_count_dirty(21, 3), 0);
	EXPECT_EQ(zone_audit(&z), 0);
	zone_free(&z, 0, 24);
	EXPECT_EQ(z.area[MAX_ORDER < 9 ? 0 : 9].count, 1);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_claim_stops_at_used_pages_and_ends)
{
	bool zero;

	PAGES_OF_4_KIB();
	REQUIRE(setup_online());
	REQUIRE(zone_alloc(&z, 9, 512, ORDINARY | __GFP_MEMALLOC, &zero) == map.pages);
	zone_free(&z, 16, 100); /* 16 .. 115 */
	EXPECT_FALSE(zone_claim(&z, 16, 101, &zero));
	EXPECT_EQ(z.free_pages, 100);
	EXPECT_EQ(zone_audit(&z), 0);
	EXPECT_FALSE(zone_claim(&z, 16, 56, &zero)); /* the reserve is 45 */
	EXPECT(zone_claim(&z, 16, 55, &zero));
	EXPECT_FALSE(zone_claim(&z, 512, 1, &zero)); /* not online */
	zone_free(&z, 500, 12);
	EXPECT_FALSE(zone_claim(&z, 500, 13, &zero));
	EXPECT_EQ(zone_audit(&z), 0);
}

/* ---- giving memory back ----------------------------------------------------------- */

/* @n blocks of 16 pages, used and freed, 16 pages apart. */
static bool make_dirt(size_t n)
{
	bool zero;

	if (zone_alloc(&z, 8, 256, ORDINARY, &zero) != map.pages)
		return false;
	for (size_t i = 0; i < n; i++) {
		memset(map_address(i * 32), 1, 16 * PAGE_SIZE);
		zone_free(&z, i * 32, 16);
	}
	return z.dirty_pages == 16 * n;
}

TEST(zone_discard_down_to_a_limit)
{
	PAGES_ARE_MANY();
	REQUIRE(setup_online());
	REQUIRE(make_dirt(8));
	EXPECT_EQ(zone_discard(&z, 128), 0);
	EXPECT_EQ(zone_discard(&z, 40), 96);
	EXPECT_EQ(z.dirty_pages, 32);
	EXPECT_EQ(z.discarded, 96);
	EXPECT_EQ(sim.discarded, 96 * PAGE_SIZE);
	EXPECT_EQ(zone_audit(&z), 0);
	EXPECT_EQ(zone_discard(&z, 0), 32);
	EXPECT_EQ(z.dirty_pages, 0);
	EXPECT_EQ(zone_discard(&z, 0), 0);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_discard_gives_only_dirty_runs)
{
	bool zero;

	PAGES_OF_4_KIB();
	REQUIRE(setup_online());
	REQUIRE(zone_alloc(&z, 4, 16, ORDINARY, &zero) == map.pages);
	zone_free(&z, 3, 2);
	zone_free(&z, 9, 1);
	REQUIRE(zone_discard(&z, 0) == 3);
	map_set_dirty(1, 1); /* as if only these had been touched */
	map_set_dirty(6, 3);
	lock_acquire(&z.lock);
	buddy_remove(&z, buddy_find(&z, 9));
	buddy_remove(&z, buddy_find(&z, 3));
	buddy_remove(&z, buddy_find(&z, 4));
	buddy_give(&z, 0, 4);
	lock_release(&z.lock);
	sim.discarded = 0;
	EXPECT_EQ(zone_discard(&z, 0), 4);
	EXPECT_EQ(sim.discarded, 4 * PAGE_SIZE);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_discard_refused_ends)
{
	PAGES_ARE_MANY();
	REQUIRE(setup_online());
	REQUIRE(make_dirt(4));
	sim.discard_refused = true;
	EXPECT_EQ(zone_discard(&z, 0), 0);
	EXPECT_EQ(z.dirty_pages, 64);
	EXPECT_EQ(z.discarded, 0);
	EXPECT_EQ(zone_audit(&z), 0);
}

static void free_next_to_it(void)
{
	if (!watched++)
		zone_free(&z, 16, 16); /* the buddy of what is being discarded */
}

TEST(zone_discard_while_the_buddy_comes_back)
{
	bool zero;

	PAGES_ARE_MANY();
	REQUIRE(setup_online());
	REQUIRE(zone_alloc(&z, 5, 32, ORDINARY, &zero) == map.pages);
	zone_free(&z, 0, 16);
	sim.watch = free_next_to_it;
	EXPECT_EQ(zone_discard(&z, 0), 32);
	EXPECT_EQ(z.dirty_pages, 0);
	EXPECT_EQ(z.free_pages, 512);
	EXPECT_EQ(z.area[MAX_ORDER < 9 ? 0 : 9].count, 1);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_refaulted_counts_what_returns)
{
	bool zero;

	PAGES_ARE_MANY();
	REQUIRE(setup_online());
	REQUIRE(make_dirt(8));
	EXPECT_EQ(z.refaulted, 0);
	zone_discard(&z, 0);
	for (unsigned i = 0; i < 3; i++) /* discarded blocks come first: nothing is dirty */
		REQUIRE(zone_alloc(&z, 4, 16, ORDINARY, &zero));
	EXPECT_EQ(z.refaulted, 48);
	zone_free(&z, 0, 16);
	zone_discard(&z, 8);
	EXPECT_EQ(z.discarded, 144);
}

/* ---- offline --------------------------------------------------------------------------- */

TEST(zone_offline_takes_largest_blocks)
{
	bool zero;
	size_t min;

	PAGES_ARE_MANY();
	REQUIRE(setup());
	REQUIRE(zone_grow(&z, 0, 2 * LARGEST + 64));
	min = z.watermark[WATERMARK_MIN];
	EXPECT_EQ(zone_offline(&z), 2 * LARGEST);
	EXPECT_EQ(z.offline_pages, 2 * LARGEST);
	EXPECT_EQ(z.managed_pages, 64);
	EXPECT_EQ(z.free_pages, 64);
	EXPECT_LT(z.watermark[WATERMARK_MIN], min);
	EXPECT_EQ(zone_audit(&z), 0);
	EXPECT_EQ(zone_offline(&z), 0);
	EXPECT_NULL(zone_alloc(&z, 8, 256, ORDINARY, &zero));
	REQUIRE(zone_grow(&z, 0, 1));
	EXPECT_EQ(z.offline_pages, LARGEST);
	EXPECT_EQ(z.managed_pages, LARGEST + 64);
	EXPECT_EQ(z.watermark[WATERMARK_MIN] > 0, true);
	EXPECT_EQ(zone_audit(&z), 0);
	REQUIRE(zone_alloc(&z, MAX_ORDER - 1, LARGEST / 2, ORDINARY, &zero));
	EXPECT(zero);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_offline_forgets_dirt_and_contents)
{
	struct page *p;
	bool zero;

	REQUIRE(setup());
	REQUIRE(zone_grow(&z, MAX_ORDER, LARGEST));
	p = zone_alloc(&z, 6, 64, ORDINARY, &zero);
	REQUIRE(p != NULL);
	memset(address(p), 1, 64 * PAGE_SIZE);
	zone_free(&z, map_page_pfn(p), 64);
	EXPECT_GT(zone_offline(&z), 0);
	EXPECT_EQ(z.dirty_pages, 0);
	EXPECT_EQ(zone_audit(&z), 0);
	REQUIRE(zone_grow(&z, 0, 1));
	p = zone_alloc(&z, 6, 64, ORDINARY, &zero);
	REQUIRE(p != NULL);
	EXPECT(zero);
	for (size_t i = 0; i < 64 * PAGE_SIZE; i += 512)
		REQUIRE(address(p)[i] == 0);
}

TEST(zone_reonline_refused_stays_offline)
{
	REQUIRE(setup());
	REQUIRE(zone_grow(&z, MAX_ORDER, map.nr_pages & ~(LARGEST - 1)));
	while (zone_grow(&z, 0, 64))
		;
	REQUIRE(zone_offline(&z) > 0);
	EXPECT_EQ(zone_audit(&z), 0);
	sim.fail_at = 1;
	sim.fail_on = true;
	EXPECT_FALSE(zone_grow(&z, 0, 1));
	EXPECT_EQ(zone_audit(&z), 0);
	sim.fail_at = 0;
	EXPECT(zone_grow(&z, 0, 1));
	EXPECT_EQ(zone_audit(&z), 0);
}

/* ---- the audit itself --------------------------------------------------------------- */

TEST(zone_audit_sees_each_fault)
{
	struct page *p;

	PAGES_ARE_MANY();
	REQUIRE(setup_online());
	REQUIRE(make_dirt(1));
	p = buddy_find(&z, 0);
	p->order++; /* B1 */
	EXPECT_NE(zone_audit(&z), 0);
	p->order--;
	p->pages--; /* B1, B5 */
	EXPECT_NE(zone_audit(&z), 0);
	p->pages++;
	map.pages[1].kind = PAGE_BLOCK; /* B2 */
	EXPECT_NE(zone_audit(&z), 0);
	map.pages[1].kind = PAGE_TAIL;
	map.pages[16].kind = PAGE_FREE; /* B3 */
	map.pages[16].order = 4;
	EXPECT_NE(zone_audit(&z), 0);
	map.pages[16].kind = PAGE_TAIL;
	z.free_pages++; /* B4 */
	EXPECT_NE(zone_audit(&z), 0);
	z.free_pages--;
	z.dirty_pages++; /* B5 */
	EXPECT_NE(zone_audit(&z), 0);
	z.dirty_pages--;
	z.managed_pages--;
	EXPECT_NE(zone_audit(&z), 0);
	z.managed_pages++;
	EXPECT_EQ(zone_audit(&z), 0);
}

/* A machine's memory has holes: pages there are known, but never handed out. */
TEST(zone_holes_are_stepped_over)
{
	size_t pages = 0;
	struct page *head;
	bool zero;

	sim_reset();
	REQUIRE(map_init(sim.arena_bytes, PAGE_SIZE, 1));
	sim.hole = map.base + ((size_t)1 << 20) + 3 * PAGE_SIZE;
	sim.hole_bytes = (size_t)9 << 20;
	zone_init(&z, 0, 0, 0, map.nr_pages);
	REQUIRE(zone_grow(&z, 0, 1));
	EXPECT_EQ(zone_audit(&z), 0);
	for (;;) {
		head = zone_alloc(&z, 0, 1, GFP_KERNEL | __GFP_MEMALLOC, &zero);
		if (!head && !zone_grow(&z, 0, 1))
			break;
		if (!head)
			continue;
		pages++;
		REQUIRE((uintptr_t)map_page_address(head) - sim.hole >= sim.hole_bytes);
	}
	EXPECT_EQ(pages, map.nr_pages - (sim.hole_bytes >> PAGE_SHIFT));
	EXPECT_EQ(z.absent_pages, sim.hole_bytes >> PAGE_SHIFT);
	EXPECT(map_contains((void *)(sim.hole + 4096)));
	EXPECT_EQ(*map_state((void *)(sim.hole + 4096)), STATE_NONE);
	EXPECT_EQ(zone_audit(&z), 0);
}

TEST(zone_holes_at_the_end)
{
	sim_reset();
	REQUIRE(map_init(sim.arena_bytes, PAGE_SIZE, 1));
	sim.hole = map.base + ((size_t)1 << 20);
	sim.hole_bytes = map.nr_pages << PAGE_SHIFT;
	zone_init(&z, 0, 0, 0, map.nr_pages);
	REQUIRE(zone_grow(&z, 0, 1));
	while (zone_grow(&z, 0, 1))
		continue;
	EXPECT_EQ(z.managed_pages, ((size_t)1 << 20) >> PAGE_SHIFT);
	EXPECT_EQ(zone_audit(&z), 0);
}
