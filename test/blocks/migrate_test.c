/* SPDX-License-Identifier: MIT */
/*
 * migrate_test.c - B6, B7: pages of a kind lie together, and what that is good for
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "page/node.h"
#include "page/page.h"
#include "page/zone.h"
#include "page/zones.h"
#include "sim_help.h"

#define BLOCK ((size_t)1 << PAGEBLOCK_ORDER)
#define HELD 12000

static struct page *stays[HELD];
static struct page *goes[HELD];

static bool setup(void)
{
	sim_reset();
	node_init(1, 0);
	return page_init(sim.arena_bytes, sim.cpus, PAGE_SIZE);
}

static unsigned type_at(const struct page *p)
{
	return buddy_type(map_page_pfn(p));
}

TEST(migrate_B6_each_type_has_pageblocks_of_its_own)
{
	static const gfp_t flags[] = { 0, __GFP_RECLAIMABLE, __GFP_MOVABLE };
	bool zero;

	REQUIRE(setup());
	for (unsigned i = 0; i < 3000; i++) {
		struct page *p = page_alloc(i % 4, GFP_KERNEL | flags[i % 3], 0, &zero);

		REQUIRE(p != NULL);
		EXPECT_EQ(type_at(p), i % 3);
		if (i % 100 == 0)
			REQUIRE(page_audit() == 0);
	}
}

/* Caches choose, not their requests. */
TEST(migrate_B6_slabs_that_can_be_reclaimed)
{
	struct kmem_cache *stay;
	struct kmem_cache *go;

	sim_reset();
	REQUIRE(init_ready());
	stay = kmem_cache_create("stay", 1000, 0, 0, NULL);
	go = kmem_cache_create("go", 1000, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	for (unsigned i = 0; i < 3000; i++) {
		void *a = kmem_cache_alloc(stay, GFP_KERNEL | __GFP_RECLAIMABLE);
		void *b = kmem_cache_alloc(go, GFP_KERNEL);

		REQUIRE(a && b);
		EXPECT_EQ(buddy_type(map_pfn(a)), MIGRATE_UNMOVABLE);
		EXPECT_EQ(buddy_type(map_pfn(b)), MIGRATE_RECLAIMABLE);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(migrate_B6_both_hints_are_reclaimable)
{
	bool zero;

	REQUIRE(setup());
	EXPECT_EQ(type_at(page_alloc(0, GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_MOVABLE, 0, &zero)),
		  MIGRATE_RECLAIMABLE);
}

TEST(migrate_B6_the_audit_sees_a_wrong_list)
{
	struct page *p;
	bool zero;

	REQUIRE(setup());
	p = page_alloc(0, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(page_audit(), 0);
	buddy_types[map_page_pfn(p) / BLOCK] = MIGRATE_MOVABLE;
	buddy_typed = true;
	EXPECT_NE(page_audit(), 0);
}

TEST(migrate_B7_a_pageblock_that_is_half_free_changes)
{
	struct page *p;
	bool zero;

	REQUIRE(setup()); /* one pageblock is online */
	for (size_t i = 0; i < BLOCK / 2; i++)
		stays[i] = page_alloc(0, GFP_KERNEL, 0, &zero);
	page_drain();
	sim.fail_at = 1; /* and no other comes */
	sim.fail_on = true;
	p = page_alloc(0, GFP_KERNEL | __GFP_RECLAIMABLE, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(type_at(p), MIGRATE_RECLAIMABLE);
	EXPECT_EQ(page_audit(), 0);
	for (size_t i = 0; i < BLOCK / 2; i++)
		page_free(stays[i], 0);
	page_free(p, 0);
	EXPECT_EQ(page_audit(), 0);
}

TEST(migrate_B7_a_fuller_one_stays_what_it_is)
{
	struct page *p;
	bool zero;

	REQUIRE(setup());
	for (size_t i = 0; i < BLOCK / 2 + 1; i++)
		stays[i] = page_alloc(0, GFP_KERNEL, 0, &zero);
	page_drain();
	sim.fail_at = 1;
	sim.fail_on = true;
	p = page_alloc(0, GFP_KERNEL | __GFP_RECLAIMABLE, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(type_at(p), MIGRATE_UNMOVABLE);
	EXPECT_EQ(page_audit(), 0);
}

TEST(migrate_nothing_is_lost_for_who_needs_all)
{
	static const gfp_t flags[] = { 0, __GFP_RECLAIMABLE, __GFP_MOVABLE };

	for (unsigned type = 0; type < 3; type++) {
		size_t n = 0;
		bool zero;

		REQUIRE(setup());
		for (unsigned i = 0; i < 3; i++)
			page_free(page_alloc(5, GFP_KERNEL | flags[i], 0, &zero), 5);
		while (page_alloc(0, GFP_KERNEL | __GFP_MEMALLOC | flags[type], 0, &zero))
			n++;
		EXPECT_GE(n, map.nr_pages - 2 * map_grain());
		EXPECT_EQ(zones.of[0].free_pages, 0);
		EXPECT_EQ(page_audit(), 0);
	}
}

/* Half of the pages stay, half are freed when memory is short, as a shrinker does: blocks of
 * 2 MiB that are free afterwards. */
static size_t mixed(gfp_t hint)
{
	uint64_t seed = 1;
	size_t stay = 0;
	size_t go = 0;
	size_t blocks = 0;
	bool zero;

	if (!setup())
		return 0;
	while (stay + go < HELD) {
		bool keep = help_random(&seed) >> 20 & 1;
		struct page *p = page_alloc(0, GFP_KERNEL | (keep ? 0 : hint), 0, &zero);

		if (!p)
			break;
		if (keep)
			stays[stay++] = p;
		else
			goes[go++] = p;
	}
	while (go)
		page_free(goes[--go], 0);
	page_drain();
	EXPECT_EQ(page_audit(), 0);
	for (unsigned o = PAGEBLOCK_ORDER; o < NR_ORDERS; o++)
		blocks += zones.of[0].area[o].count << (o - PAGEBLOCK_ORDER);
	return blocks;
}

TEST(migrate_reclaiming_gives_large_blocks)
{
	size_t without = mixed(0);
	size_t with = mixed(__GFP_RECLAIMABLE);

	tap_note_number("free blocks of 2 MiB after a mixed load, without types", without);
	tap_note_number("the same, with types", with);
	EXPECT_GE(with, without + 8);
}
