/* SPDX-License-Identifier: MIT */
/*
 * map_test.c - addresses to what is known of them, tables that come and go
 */
#include "base/bits.h"
#include "page/map.h"
#include "port/array_cache.h"
#include "sim_help.h"

static bool setup(size_t arena_bytes)
{
	sim_reset();
	sim.arena_bytes = arena_bytes;
	return map_init(arena_bytes, PAGE_SIZE, 1);
}

TEST(map_M1_base_is_aligned)
{
	static const size_t sizes[] = { 8, 12, 31, 64, 255, 256, 300, 1024 };

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		REQUIRE(setup(sizes[i] << 20));
		EXPECT_EQ(map.base % map.align, 0);
		EXPECT(bits_is_power_of_two(map.align));
		EXPECT_EQ(map.align, sizes[i] < 32  ? CONFIG_SECTION_SIZE :
				     sizes[i] < 256 ? 2u << 20 :
						      PAGE_SIZE << MAX_ORDER);
		EXPECT_GT(map.nr_pages, 0);
		EXPECT_EQ((map.nr_pages << PAGE_SHIFT) % map.align, 0);
		EXPECT_LE(map.nr_pages << PAGE_SHIFT, sizes[i] << 20);
		EXPECT_PTR_EQ(map_address(0), (void *)map.base);
	}
}

TEST(map_address_and_pfn_are_inverse)
{
	REQUIRE(setup((size_t)64 << 20));
	for (size_t pfn = 0; pfn < map.nr_pages; pfn += 37) {
		char *p = map_address(pfn);

		EXPECT_EQ(map_pfn(p), pfn);
		EXPECT_EQ(map_pfn(p + PAGE_SIZE - 1), pfn);
		EXPECT_EQ(map_page_pfn(&map.pages[pfn]), pfn);
		EXPECT_PTR_EQ(map_page_address(&map.pages[pfn]), p);
		EXPECT_PTR_EQ(map_state(p), &map.state[pfn * (PAGE_SIZE / GRANULE_SIZE)]);
		EXPECT_PTR_EQ(map_state(p + 32), &map.state[pfn * (PAGE_SIZE / GRANULE_SIZE) + 2]);
	}
}

TEST(map_contains_what_is_online)
{
	const char *first;
	const char *last;
	size_t grain;

	EXPECT_FALSE(map_contains(NULL)); /* before anything began */
	EXPECT_FALSE(map_contains(&first));
	REQUIRE(setup((size_t)64 << 20));
	first = map_address(0);
	EXPECT_FALSE(map_contains(first));
	grain = map_grain();
	REQUIRE(map_online(0, grain));
	last = (char *)map_address(grain) - 1;
	EXPECT(map_contains(first));
	EXPECT(map_contains(last));
	EXPECT_FALSE(map_contains(first - 1));
	EXPECT_FALSE(map_contains(last + 1));
	EXPECT_FALSE(map_contains(NULL));
	EXPECT_FALSE(map_contains((void *)UINTPTR_MAX));
}

TEST(map_tables_do_not_overlap)
{
	uintptr_t at[5];

	REQUIRE(setup((size_t)64 << 20));
	at[1] = (uintptr_t)&map.ids[map.nr_pages];
	at[2] = (uintptr_t)&map.pages[map.nr_pages];
	at[3] = (uintptr_t)&map.state[map.nr_pages * (PAGE_SIZE / GRANULE_SIZE)];
	EXPECT_LT(at[1], (uintptr_t)map.pages);
	EXPECT_LT(at[2], (uintptr_t)map.state);
	EXPECT_LE(at[3], map.base);
	EXPECT_EQ((uintptr_t)map.pages % sizeof(struct page), 0);
}

TEST(map_M2_tables_read_as_zero_before_they_are_online)
{
	size_t last;

	sim_reset();
	REQUIRE(map_init((size_t)64 << 20, PAGE_SIZE, 2)); /* with nodes there are gaps to read */
	last = map.nr_pages - 1;
	EXPECT_EQ(map.ids[0] | map.ids[last], 0);
	EXPECT_EQ(map.pages[last].kind, PAGE_TAIL);
	EXPECT_EQ(*map_state(map_address(last)), STATE_FREE);
	EXPECT_EQ(((const struct array_cache *)map_dummy)[CONFIG_MAX_IDS - 1].limit, 0);
}

TEST(map_online_gives_zeros_and_offline_takes_all)
{
	size_t grain;
	char *p;

	REQUIRE(setup((size_t)64 << 20));
	grain = map_grain();
	EXPECT_EQ(grain, CONFIG_SECTION_SIZE / PAGE_SIZE);
	REQUIRE(map_online(grain, 2 * grain));
	p = map_address(grain);
	EXPECT_EQ(p[0] | p[2 * grain * PAGE_SIZE - 1], 0);
	memset(p, 1, 2 * grain * PAGE_SIZE);
	memset(map_state(p), 1, 2 * grain * (PAGE_SIZE / GRANULE_SIZE));
	map.pages[3 * grain - 1].kind = PAGE_BLOCK;
	map_set_dirty(grain, 5);
	EXPECT_EQ(map_count_dirty(0, 3 * grain), 5);
	map_offline(grain, 2 * grain);
	EXPECT_EQ(map_count_dirty(0, 3 * grain), 0);
	EXPECT_EQ(*map_state(p), 0);
	EXPECT_EQ(map.pages[3 * grain - 1].kind, PAGE_TAIL);
	REQUIRE(map_online(grain, 2 * grain));
	EXPECT_EQ(p[0] | p[2 * grain * PAGE_SIZE - 1], 0);
}

TEST(map_online_fails_at_each_step)
{
	REQUIRE(setup((size_t)64 << 20));
	sim.fail_at = 1; /* the ids, which then stay */
	EXPECT_FALSE(map_online(0, map_grain()));
	for (uint64_t n = 1; n <= 3; n++) {
		sim.fail_at = n + (n == 1);
		EXPECT_FALSE(map_online(0, map_grain()));
		EXPECT_EQ(sim.fail_at, 0);
	}
	EXPECT(map_online(0, map_grain()));
}

TEST(map_dirty_pages_are_counted)
{
	REQUIRE(setup((size_t)64 << 20));
	REQUIRE(map_online(0, map_grain()));
	map_set_dirty(3, 4);
	EXPECT_EQ(map_count_dirty(0, 10), 4);
	EXPECT_EQ(map_count_dirty(4, 1), 1);
	EXPECT_EQ(map_count_dirty(7, 10), 0);
	map.ids[5] = 77 * 16; /* a slab's page that becomes free */
	map_set_dirty(5, 1);
	EXPECT_EQ(map.ids[5], 1);
	EXPECT_EQ(map_clear_dirty(0, 5), 2);
	EXPECT_EQ(map_clear_dirty(0, 10), 2);
	EXPECT_EQ(map_clear_dirty(0, 10), 0);
}

TEST(map_grain_follows_large_pages)
{
	sim_reset();
	REQUIRE(map_init(sim.arena_bytes, (size_t)64 << 10, 1));
	EXPECT_EQ(map_grain() * sizeof(struct page) % ((size_t)64 << 10), 0);
	EXPECT(map_online(0, map_grain()));
}

TEST(map_takes_a_smaller_arena_where_it_must)
{
	sim_reset();
	EXPECT(map_init((size_t)1 << 30, PAGE_SIZE, 1)); /* the machine reserves at most 96 MiB */
	EXPECT_LE(map.nr_pages << PAGE_SHIFT, (size_t)96 << 20);
	EXPECT_GE(map.nr_pages << PAGE_SHIFT, (size_t)32 << 20);
}

TEST(map_needs_some_address_space)
{
	EXPECT_FALSE(setup(0));
	EXPECT_FALSE(setup((size_t)1 << 20));
}

TEST(map_M2_states_of_pages)
{
	REQUIRE(setup((size_t)64 << 20));
	REQUIRE(map_online(0, map_grain()));
	EXPECT(map_is_state_free(0, map_grain()));
	map_fill_state(3, 2, STATE_NONE);
	EXPECT_EQ(*map_state((char *)map_address(3) - 1), STATE_FREE);
	EXPECT_EQ(*map_state(map_address(3)), STATE_NONE);
	EXPECT_EQ(*map_state((char *)map_address(5) - 1), STATE_NONE);
	EXPECT_EQ(*map_state(map_address(5)), STATE_FREE);
	EXPECT(map_is_state_free(0, 3));
	EXPECT_FALSE(map_is_state_free(0, 4));
	EXPECT_FALSE(map_is_state_free(4, 1));
	map_fill_state(3, 2, STATE_FREE);
	for (size_t i = 0; i < PAGE_SIZE; i += GRANULE_SIZE) { /* one byte anywhere is seen */
		u8 *state = map_state((char *)map_address(6) + i);

		*state = STATE_IN_USE;
		EXPECT_FALSE(map_is_state_free(6, 1));
		*state = STATE_FREE;
	}
}

TEST(map_fast_paths_see_what_is_online_once_open)
{
	size_t grain;

	REQUIRE(setup((size_t)64 << 20));
	grain = map_grain();
	REQUIRE(map_online(0, grain));
	EXPECT_EQ(map.granules, grain * (PAGE_SIZE / GRANULE_SIZE));
	EXPECT_EQ(map.fast_granules, 0);
	map_open();
	EXPECT_EQ(map.fast_granules, map.granules);
	REQUIRE(map_online(grain, grain));
	EXPECT_EQ(map.granules, 2 * grain * (PAGE_SIZE / GRANULE_SIZE));
	EXPECT_EQ(map.fast_granules, map.granules);
	map_offline(grain, grain);
	REQUIRE(map_online(0, grain)); /* it never shrinks */
	EXPECT_EQ(map.granules, 2 * grain * (PAGE_SIZE / GRANULE_SIZE));
}

TEST(map_dirty_counts_of_any_range)
{
	REQUIRE(setup((size_t)64 << 20));
	REQUIRE(map_online(0, map_grain() * 32));
	for (size_t i = 0; i < 2048; i += 1 + i % 3)
		map_set_dirty(i, 1);
	for (size_t first = 0; first < 9; first++) {
		size_t dirty = 0;

		for (size_t end = first; end < 2048; dirty += map.ids[end++])
			REQUIRE(map_count_dirty(first, end - first) == dirty);
	}
	map_set_dirty(0, 2048);
	EXPECT_EQ(map_count_dirty(0, 2048), 2048);
}
