/* SPDX-License-Identifier: MIT */
/*
 * buddy_test.c - B1 to B5 and P3 on a zone of two blocks of the largest order
 *
 * What    Every case ends with a walk of all pages and lists that shares no code with the
 *         allocator and its audit.
 */
#include "base/bits.h"
#include "page/buddy.h"
#include "page/zone.h"
#include "sim_help.h"

#define LARGEST ((size_t)1 << MAX_ORDER)
#define PAGES (2 * LARGEST)

static struct zone z;

/* All pages are online and nobody's. */
static bool setup(void)
{
	sim_reset();
	if (!map_init(sim.arena_bytes, PAGE_SIZE, 1) || !map_online(0, PAGES))
		return false;
	zone_init(&z, 0, 0, 0, PAGES);
	z.online_end = PAGES;
	return true;
}

static bool setup_free(void)
{
	if (!setup())
		return false;
	buddy_give(&z, 0, MAX_ORDER);
	buddy_give(&z, LARGEST, MAX_ORDER);
	return true;
}

struct walk {
	size_t blocks[NR_ORDERS];
	size_t free_pages;
	size_t dirty_pages;
	size_t faults;
};

static void walk_block(struct walk *w, size_t pfn, unsigned order)
{
	size_t size = (size_t)1 << order;
	size_t buddy = pfn ^ size;
	size_t dirty = 0;

	w->faults += pfn % size != 0;
	for (size_t i = pfn; i < pfn + size; i++) {
		dirty += map.ids[i] != 0;
		w->faults += i > pfn && map.pages[i].kind != PAGE_TAIL; /* B2 */
	}
	w->faults += map.pages[pfn].pages != dirty; /* B1 */
	if (order < MAX_ORDER && buddy < PAGES)     /* B3 */
		w->faults += map.pages[buddy].kind == PAGE_FREE && map.pages[buddy].order == order;
	w->blocks[order]++;
	w->free_pages += size;
	w->dirty_pages += dirty;
}

/* B1, B2, B3 page by page, B4 and B5 from the lists. */
static size_t faults(void)
{
	struct walk w = { .faults = 0 };

	for (size_t i = 0; i < PAGES;) {
		const struct page *p = &map.pages[i];

		if (p->kind != PAGE_FREE) {
			i++;
			continue;
		}
		walk_block(&w, i, p->order);
		i += (size_t)1 << p->order;
	}
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		size_t listed = 0;

		for (unsigned side = 0; side < BUDDY_SIDES; side++) {
			struct list *node;

			list_for_each(node, &z.area[o].free[side]) {
				const struct page *p = container_of(node, struct page, link);

				w.faults += p->kind != PAGE_FREE || p->order != o;    /* B1 */
				w.faults += (p->pages != 0) != (side == BUDDY_DIRTY); /* B5 */
				listed++;
			}
		}
		w.faults += listed != w.blocks[o] || listed != z.area[o].count;
	}
	return w.faults + (w.free_pages != z.free_pages) /* B4 */
	       + (w.dirty_pages != z.dirty_pages);       /* B5 */
}

/* What the owner of a block does before it gives it back. */
static void give_dirty(size_t pfn, unsigned order)
{
	map_set_dirty(pfn, (size_t)1 << order);
	buddy_give(&z, pfn, order);
}

TEST(buddy_empty_zone_has_nothing)
{
	REQUIRE(setup());
	EXPECT_NULL(buddy_take(&z, 0));
	EXPECT_NULL(buddy_find(&z, 0));
	EXPECT_NULL(buddy_find_dirty(&z));
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_B1_head_has_kind_order_dirty)
{
	REQUIRE(setup());
	for (unsigned o = 0; o <= MAX_ORDER; o++) {
		struct page *head = &map.pages[0];

		map_clear_dirty(0, PAGES);
		map_set_dirty(0, 1);
		buddy_give(&z, 0, o);
		EXPECT_EQ(head->kind, PAGE_FREE);
		EXPECT_EQ(head->order, o);
		EXPECT_EQ(head->pages, 1);
		EXPECT_EQ(faults(), 0);
		EXPECT_PTR_EQ(buddy_take(&z, o), head);
		EXPECT_EQ(head->kind, PAGE_TAIL);
		EXPECT_EQ(z.free_pages, 0);
		EXPECT_EQ(z.dirty_pages, 0);
	}
}

TEST(buddy_B2_other_pages_are_tails)
{
	REQUIRE(setup());
	for (size_t i = 0; i < 64; i++) {
		map.pages[i].kind = PAGE_BLOCK; /* each page was a block of its own */
		buddy_give(&z, i, 0);
	}
	EXPECT_EQ(map.pages[0].order, 6);
	EXPECT_EQ(faults(), 0);
}

/* The @i'th of all pages, in an order that jumps about: 1453 is coprime to PAGES. */
static size_t jump(size_t i)
{
	return i * 1453 % PAGES;
}

TEST(buddy_B3_no_free_buddies)
{
	REQUIRE(setup());
	for (size_t i = 0; i < PAGES; i++) {
		buddy_give(&z, jump(i), 0);
		if (i % 97 == 0)
			REQUIRE(faults() == 0);
	}
	EXPECT_EQ(z.area[MAX_ORDER].count, 2);
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_B3_merges_with_its_own_buddy_only)
{
	REQUIRE(setup());
	buddy_give(&z, 1, 0);
	buddy_give(&z, 2, 0); /* neighbours, not buddies */
	EXPECT_EQ(z.area[0].count, 2);
	buddy_give(&z, 4, 1);
	buddy_give(&z, 6, 0); /* the buddy of 4, but of another order */
	EXPECT_EQ(z.area[0].count, 3);
	EXPECT_EQ(faults(), 0);
	buddy_give(&z, 0, 0);
	EXPECT_EQ(map.pages[0].order, 1);
	buddy_give(&z, 3, 0);
	EXPECT_EQ(map.pages[0].order, 2);
	buddy_give(&z, 7, 0);
	EXPECT_EQ(map.pages[0].order, 3);
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_B3_never_merges_out_of_its_zone)
{
	struct zone other;

	REQUIRE(setup());
	zone_init(&other, 1, 0, 0, 8);
	other.online_end = 8;
	z.first_pfn = 8;
	buddy_give(&other, 0, 3);
	buddy_give(&z, 8, 3); /* its buddy is free, but in another zone */
	EXPECT_EQ(map.pages[0].order, 3);
	EXPECT_EQ(map.pages[8].order, 3);
	EXPECT_EQ(z.free_pages, 8);
	EXPECT_EQ(other.free_pages, 8);
}

TEST(buddy_B3_never_merges_with_what_is_not_online)
{
	REQUIRE(setup());
	z.online_end = 8 + 4;
	map.pages[12].kind = PAGE_FREE; /* garbage where nothing is online yet */
	map.pages[12].order = 2;
	buddy_give(&z, 8, 2);
	EXPECT_EQ(map.pages[8].order, 2);
	EXPECT_EQ(z.free_pages, 4);
}

TEST(buddy_B4_counts_of_random_work)
{
	static size_t held[PAGES];
	static unsigned orders[PAGES];
	uint64_t seed = 7;
	size_t n = 0;
	size_t pages = 0;

	REQUIRE(setup_free());
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t r = help_random(&seed);
		unsigned order = (unsigned)(r % 7) * (unsigned)(r >> 8 & 1);
		struct page *p = r & 0x10000 ? buddy_take(&z, order) : NULL;

		if (p) {
			held[n] = map_page_pfn(p);
			orders[n++] = order;
			pages += (size_t)1 << order;
			map_clear_dirty(map_page_pfn(p), (size_t)1 << order);
		} else if (n) {
			size_t at = (r >> 20) % n;

			pages -= (size_t)1 << orders[at];
			if (r & 0x20000)
				map_set_dirty(held[at], (size_t)1 << orders[at]);
			buddy_give(&z, held[at], orders[at]);
			held[at] = held[--n];
			orders[at] = orders[n];
		}
		REQUIRE(z.free_pages + pages == PAGES);
		if (i % 501 == 0)
			REQUIRE(faults() == 0);
	}
	while (n--)
		buddy_give(&z, held[n], orders[n]);
	EXPECT_EQ(z.area[MAX_ORDER].count, 2);
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_B5_dirty_before_clean)
{
	struct page *p;

	REQUIRE(setup_free());
	EXPECT_EQ(z.dirty_pages, 0);
	p = buddy_take(&z, 3);
	REQUIRE(p != NULL);
	give_dirty(map_page_pfn(p), 3);
	EXPECT_EQ(z.dirty_pages, 8);
	EXPECT_EQ(faults(), 0);
	EXPECT_PTR_EQ(buddy_take(&z, 1),
		      p); /* from the block with dirty pages, though it is largest */
	EXPECT_EQ(p->pages, 2);
	EXPECT_EQ(z.dirty_pages, 6);
	EXPECT_EQ(map_count_dirty(map_page_pfn(p), 2), 2); /* still marked */
	EXPECT_EQ(faults(), 0);
	map_clear_dirty(map_page_pfn(p), 2);
	buddy_give(&z, map_page_pfn(p), 1);
	EXPECT_EQ(z.dirty_pages, 6);
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_B5_split_counts_each_half)
{
	REQUIRE(setup());
	map_set_dirty(5, 1); /* in the upper half of the lower half */
	map_set_dirty(9, 2);
	buddy_give(&z, 0, 4);
	EXPECT_EQ(z.dirty_pages, 3);
	EXPECT_PTR_EQ(buddy_take(&z, 0), &map.pages[0]);
	EXPECT_EQ(map.pages[0].pages, 0);
	EXPECT_EQ(map.pages[1].pages, 0);
	EXPECT_EQ(map.pages[2].pages, 0);
	EXPECT_EQ(map.pages[4].pages, 1);
	EXPECT_EQ(map.pages[8].pages, 2);
	EXPECT_EQ(z.dirty_pages, 3);
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_P3_promising_blocks_last)
{
	REQUIRE(setup());
	buddy_give(&z, 16, 0); /* nothing around it is free */
	buddy_give(&z, 2, 1);  /* free: the buddy of what page 0 would be part of */
	buddy_give(&z, 0, 0);  /* if page 1 comes back, four pages merge */
	buddy_give(&z, 32, 0);
	EXPECT_PTR_EQ(list_last_entry(&z.area[0].free[BUDDY_CLEAN], struct page, link),
		      &map.pages[0]);
	EXPECT_PTR_EQ(buddy_take(&z, 0), &map.pages[32]);
	EXPECT_PTR_EQ(buddy_take(&z, 0), &map.pages[16]);
	EXPECT_PTR_EQ(buddy_take(&z, 0), &map.pages[0]);
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_P3_a_pair_of_largest_blocks_is_no_block)
{
	REQUIRE(setup());
	buddy_give(&z, LARGEST, MAX_ORDER);
	buddy_give(&z, 0, MAX_ORDER - 1); /* its parent has no buddy: nothing to wait for */
	buddy_give(&z, LARGEST / 2 + 4, 2);
	EXPECT_PTR_EQ(list_first_entry(&z.area[MAX_ORDER - 1].free[BUDDY_CLEAN], struct page, link),
		      &map.pages[0]);
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_split_keeps_the_lowest_part)
{
	REQUIRE(setup_free());
	for (unsigned o = 0; o < MAX_ORDER; o++) {
		struct page *p = buddy_take(&z, o);

		REQUIRE(p != NULL);
		EXPECT_EQ(p->order, o);
		EXPECT_EQ(map_page_pfn(p) % ((size_t)1 << o), 0);
		EXPECT_EQ(faults(), 0);
	}
	EXPECT_EQ(z.free_pages, PAGES - (LARGEST - 1));
}

TEST(buddy_largest_order_and_no_more)
{
	struct page *a;
	struct page *b;

	REQUIRE(setup_free());
	a = buddy_take(&z, MAX_ORDER);
	b = buddy_take(&z, MAX_ORDER);
	REQUIRE(a && b);
	EXPECT_NULL(buddy_take(&z, 0));
	buddy_give(&z, map_page_pfn(a), MAX_ORDER);
	buddy_give(&z, map_page_pfn(b), MAX_ORDER);
	EXPECT_EQ(z.area[MAX_ORDER].count, 2);
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_find_any_page_of_a_block)
{
	REQUIRE(setup());
	buddy_give(&z, 8, 3);
	buddy_give(&z, 17, 0);
	for (size_t i = 0; i < 20; i++) {
		struct page *p = buddy_find(&z, i);

		if (i >= 8 && i < 16)
			EXPECT_PTR_EQ(p, &map.pages[8]);
		else
			EXPECT_PTR_EQ(p, i == 17 ? &map.pages[17] : NULL);
	}
}

TEST(buddy_find_dirty_largest_oldest)
{
	PAGES_ARE_MANY();
	REQUIRE(setup());
	give_dirty(0, 0);
	give_dirty(64, 4);
	give_dirty(128, 4);
	buddy_give(&z, 256, 6);
	EXPECT_PTR_EQ(buddy_find_dirty(&z), &map.pages[64]);
	buddy_remove(&z, &map.pages[64]);
	EXPECT_PTR_EQ(buddy_find_dirty(&z), &map.pages[128]);
	buddy_remove(&z, &map.pages[128]);
	EXPECT_PTR_EQ(buddy_find_dirty(&z), &map.pages[0]);
	EXPECT_EQ(faults(), 0);
}

TEST(buddy_touched_end_is_where_dirt_ends)
{
	PAGES_ARE_MANY();
	REQUIRE(setup());
	EXPECT_EQ(z.touched_end, 0);
	buddy_give(&z, 512, 4);
	EXPECT_EQ(z.touched_end, 0);
	give_dirty(32, 2);
	EXPECT_EQ(z.touched_end, 36);
	give_dirty(0, 2);
	EXPECT_EQ(z.touched_end, 36);
}
