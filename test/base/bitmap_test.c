/* SPDX-License-Identifier: MIT */
/*
 * bitmap_test.c - every range of a map of five words, against a byte for each bit
 */
#include "base/bitmap.h"
#include "tap.h"

#define WORDS 5u
#define BITS (WORDS * 64)

static u64 map[WORDS];
static u8 model[BITS];

/* A pattern that differs from word to word. */
static void fill(unsigned salt)
{
	for (size_t i = 0; i < BITS; i++) {
		model[i] = (i * 7 + i / 5 + salt) % 3 == 0;
		map[i / 64] &= ~((u64)1 << i % 64);
		map[i / 64] |= (u64)model[i] << i % 64;
	}
}

static bool same(void)
{
	for (size_t i = 0; i < BITS; i++)
		if ((map[i / 64] >> i % 64 & 1) != model[i])
			return false;
	return true;
}

/* Set the range of the model; how many differed. */
static size_t model_write(size_t first, size_t count, u8 value)
{
	size_t changed = 0;

	for (size_t i = first; i < first + count; i++) {
		changed += model[i] != value;
		model[i] = value;
	}
	return changed;
}

/* Ends of ranges that matter: around word borders, and a stride between. */
static size_t next_edge(size_t i)
{
	return i % 64 < 2 || i % 64 > 61 ? i + 1 : size_min(i + 13, (i | 63) - 1);
}

TEST(bitmap_sets_a_range)
{
	for (size_t first = 0; first < BITS; first = next_edge(first)) {
		for (size_t end = first; end <= BITS; end = next_edge(end)) {
			fill(1);
			REQUIRE(bitmap_set_range(map, first, end - first) ==
				model_write(first, end - first, 1));
			REQUIRE(same());
		}
	}
}

TEST(bitmap_clears_a_range)
{
	for (size_t first = 0; first < BITS; first = next_edge(first)) {
		for (size_t end = first; end <= BITS; end = next_edge(end)) {
			fill(2);
			REQUIRE(bitmap_clear_range(map, first, end - first) ==
				model_write(first, end - first, 0));
			REQUIRE(same());
		}
	}
}

TEST(bitmap_counts_a_range)
{
	fill(0);
	for (size_t first = 0; first < BITS; first = next_edge(first)) {
		size_t n = 0;

		for (size_t end = first; end < BITS; n += model[end++])
			REQUIRE(bitmap_count_range(map, first, end - first) == n);
	}
}

static size_t model_find(size_t first, size_t end, bool value)
{
	while (first < end && model[first] != value)
		first++;
	return first;
}

TEST(bitmap_find_both_values)
{
	fill(0);
	model_write(60, 140, 1);
	bitmap_set_range(map, 60, 140);
	model_write(210, 90, 0);
	bitmap_clear_range(map, 210, 90);
	for (size_t first = 0; first < BITS; first = next_edge(first)) {
		for (size_t end = first; end <= BITS; end = next_edge(end)) {
			REQUIRE(bitmap_find(map, first, end, true) == model_find(first, end, true));
			REQUIRE(bitmap_find(map, first, end, false) ==
				model_find(first, end, false));
		}
	}
}
