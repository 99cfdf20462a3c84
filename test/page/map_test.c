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

	PAGES_ARE_MANY();
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
	size_t bytes;

	REQUIRE(setup((size_t)64 << 20));
	at[1] = (uintptr_t)&map.ids[map.nr_pages];
	at[2] = (uintptr_t)&map.pages[map.nr_pages];
	bytes = map.nr_pages * PAGE_SIZE;
	at[3] = (uintptr_t)map_state_in(map_states(16), map_address(0)) + bytes / 16;
	at[4] = (uintptr_t)map_state_in(map_states(64), map_address(0)) + bytes / 64;
	EXPECT_LT(at[1], (uintptr_t)map.pages);
	EXPECT_LT(at[2], (uintptr_t)map.states[0]);
	EXPECT_LT(at[3], (uintptr_t)map.states[1]);
	EXPECT_LE(at[4], map.base);
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
	EXPECT_EQ(*map_state(map_address(last)), STATE_NONE);
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
	map.pages[3 * grain - 1].kind = PAGE_BLOCK;
	map_set_dirty(grain, 5);
	EXPECT_EQ(map_count_dirty(0, 3 * grain), 5);
	map_offline(grain, 2 * grain);
	EXPECT_EQ(map_count_dirty(0, 3 * grain), 0);
	EXPECT_EQ(map.pages[3 * grain - 1].kind, PAGE_TAIL);
	REQUIRE(map_online(grain, 2 * grain));
	EXPECT_EQ(p[0] | p[2 * grain * PAGE_SIZE - 1], 0);
}

TEST(map_online_fails_at_each_step)
{
	REQUIRE(setup((size_t)64 << 20));
	sim.fail_at = 1; /* the ids, which then stay */
	EXPECT_FALSE(map_online(0, map_grain()));
	for (uint64_t n = 1; n <= 2; n++) {
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
	EXPECT_EQ(map.ids[5], MAP_DIRTY);
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

static void check_states(size_t stride)
{
	uintptr_t states = map_states(stride);

	map_fill_state(states, 0, map_grain(), STATE_FREE);
	EXPECT(map_is_state_free(states, 0, map_grain()));
	map_fill_state(states, 3, 2, STATE_NONE);
	EXPECT_EQ(*map_state_in(states, (char *)map_address(3) - 1), STATE_FREE);
	EXPECT_EQ(*map_state_in(states, map_address(3)), STATE_NONE);
	EXPECT_EQ(*map_state_in(states, (char *)map_address(5) - 1), STATE_NONE);
	EXPECT_EQ(*map_state_in(states, map_address(5)), STATE_FREE);
	EXPECT(map_is_state_free(states, 0, 3));
	EXPECT_FALSE(map_is_state_free(states, 0, 4));
	EXPECT_FALSE(map_is_state_free(states, 4, 1));
	map_fill_state(states, 3, 2, STATE_FREE);
	for (size_t i = 0; i < PAGE_SIZE; i += stride) { /* one byte anywhere is seen */
		char *p = (char *)map_address(6) + i;
		u8 *state = map_state_in(states, p);

		*state = map_state_in_use(p);
		EXPECT_FALSE(map_is_state_free(states, 6, 1));
		*state = STATE_FREE;
	}
}

TEST(map_M2_states_of_pages)
{
	REQUIRE(setup((size_t)64 << 20));
	REQUIRE(map_online(0, map_grain()));
	REQUIRE(map_use_states(map_states(16)));
	REQUIRE(map_use_states(map_states(80)));
	EXPECT_EQ(map_states(48), map_states(16));
	EXPECT_EQ(map_states(64), map_states(4096));
	EXPECT_NE(map_states(48), map_states(64));
	check_states(16);
	check_states(64);
}

TEST(map_M2_no_pointer_into_an_object_looks_like_its_start)
{
	static const size_t strides[] = { 16, 32, 48, 64, 80, 112, 128, 640, 4096 };

	REQUIRE(setup((size_t)64 << 20));
	REQUIRE(map_online(0, map_grain()));
	for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		uintptr_t states = map_states(strides[i]);
		char *first = (char *)map_address(1) + 64 * i;

		REQUIRE(map_use_states(states));
		map_fill_state(states, 0, map_grain(), STATE_FREE);
		for (size_t k = 0; k < 40; k++) {
			char *p = first + k * strides[i];

			EXPECT_EQ(*map_state_in(states, p), STATE_FREE);
			*map_state_in(states, p) = map_state_in_use(p);
			EXPECT_EQ(*map_state_in(states, p), map_state_in_use(p));
			for (size_t in = GRANULE_SIZE; in < strides[i]; in += GRANULE_SIZE)
				EXPECT_NE(*map_state_in(states, p + in), map_state_in_use(p + in));
		}
	}
}

TEST(map_M3_pages_of_no_slab_have_a_state_that_fits_nothing)
{
	REQUIRE(setup((size_t)64 << 20));
	REQUIRE(map_online(0, map_grain()));
	map_set_dirty(3, 1);
	for (size_t i = 0; i < 8 * PAGE_SIZE; i += GRANULE_SIZE)
		EXPECT_EQ(*map_state((char *)map_address(0) + i), STATE_NONE);
}

/* The states of a run that came online later, of both neighbours' edges, of a table that is asked
 * for late: none of them touches what is there. */
TEST(map_states_follow_what_is_online)
{
	size_t grain;
	size_t bytes;

	REQUIRE(setup((size_t)64 << 20));
	grain = map_grain();
	bytes = grain * PAGE_SIZE;
	for (unsigned round = 0; round < 2; round++) {
		uintptr_t states = map_states(round ? 16 : 64);
		size_t first = round * 8 * grain;

		REQUIRE(map_online(first, grain));
		REQUIRE(map_online(first + 2 * grain, grain));
		REQUIRE(map_use_states(states));
		map_fill_state(states, first, grain, STATE_NONE);
		map_fill_state(states, first + 2 * grain, grain, STATE_NONE);
		REQUIRE(map_online(first + grain, grain)); /* between the two */
		REQUIRE(map_online(first + 3 * grain, grain));
		map_fill_state(states, first + grain, grain, STATE_FREE);
		map_fill_state(states, first + 3 * grain, grain, STATE_FREE);
		for (size_t i = 0; i < 4 * bytes; i += 64)
			REQUIRE(*map_state_in(states, (char *)map_address(first) + i) ==
				(i / bytes % 2 ? STATE_FREE : STATE_NONE));
	}
}

TEST(map_states_that_cannot_be_had)
{
	PAGES_ARE_MANY();
	REQUIRE(setup((size_t)64 << 20));
	REQUIRE(map_online(0, map_grain()));
	sim.fail_at = 1;
	EXPECT_FALSE(map_use_states(map_states(64)));
	EXPECT(map_use_states(map_states(64)));
	map_fill_state(map_states(64), 0, map_grain(), STATE_NONE);
	for (uint64_t n = 1; n <= 3; n++) { /* descriptors, states, memory */
		sim.fail_at = n;
		EXPECT_FALSE(map_online(map_grain(), 2 * map_grain()));
		EXPECT_EQ(sim.fail_at, 0);
		REQUIRE(map_online(n * 8 * map_grain(), map_grain()));
	}
	REQUIRE(map_online(map_grain(), map_grain()));
	for (size_t i = 0; i < map_grain() * PAGE_SIZE; i += 64)
		REQUIRE(*map_state_in(map_states(64), (char *)map_address(0) + i) == STATE_NONE);
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
	PAGES_ARE_MANY();
	REQUIRE(setup((size_t)64 << 20));
	REQUIRE(map_online(0, map_grain() * 32));
	for (size_t i = 0; i < 2048; i += 1 + i % 3)
		map_set_dirty(i, 1);
	for (size_t first = 0; first < 9; first++) {
		size_t dirty = 0;

		for (size_t end = first; end < 2048; dirty += map.ids[end++] != 0)
			REQUIRE(map_count_dirty(first, end - first) == dirty);
	}
	map_set_dirty(0, 2048);
	EXPECT_EQ(map_count_dirty(0, 2048), 2048);
}
