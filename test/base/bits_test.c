/* SPDX-License-Identifier: MIT */
/*
 * bits_test.c - every bit, every width, against the slow way to find out
 */
#include "base/bits.h"
#include "tap.h"

static unsigned slow_count(u64 word)
{
	unsigned n = 0;

	for (; word; word >>= 1)
		n += word & 1;
	return n;
}

/* A few words of every kind: one bit, all below a bit, noise. */
static u64 noise(u64 *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state ^ *state >> 29;
}

TEST(bits_lowest_and_highest)
{
	for (unsigned i = 0; i < 64; i++) {
		u64 one = (u64)1 << i;

		EXPECT_EQ(bits_lowest(one), i);
		EXPECT_EQ(bits_highest(one), i);
		EXPECT_EQ(bits_lowest(~(one - 1)), i);
		EXPECT_EQ(bits_highest(one | 1), i);
	}
}

TEST(bits_power_of_two)
{
	EXPECT_FALSE(bits_is_power_of_two(0));
	EXPECT_FALSE(bits_is_power_of_two(~(u64)0));
	for (unsigned i = 0; i < 64; i++) {
		EXPECT(bits_is_power_of_two((u64)1 << i));
		if (i > 1)
			EXPECT_FALSE(bits_is_power_of_two(((u64)1 << i) + 1));
	}
}

TEST(bits_log2_rounds_up)
{
	EXPECT_EQ(bits_log2_ceil(1), 0);
	EXPECT_EQ(bits_log2_ceil(2), 1);
	EXPECT_EQ(bits_log2_ceil(3), 2);
	for (unsigned i = 2; i < 64; i++) {
		EXPECT_EQ(bits_log2_ceil((u64)1 << i), i);
		EXPECT_EQ(bits_log2_ceil(((u64)1 << i) - 1), i);
		EXPECT_EQ(bits_log2_ceil(((u64)1 << (i - 1)) + 1), i);
	}
	EXPECT_EQ(bits_log2_ceil(~(u64)0), 64);
}

TEST(bits_mask_of_0_to_64)
{
	EXPECT_EQ(bits_mask(0), 0);
	EXPECT_EQ(bits_mask(64), ~(u64)0);
	EXPECT_EQ(bits_mask(1000), ~(u64)0);
	for (unsigned i = 0; i < 64; i++)
		EXPECT_EQ(bits_mask(i), slow_count(bits_mask(i)) == i ? ((u64)1 << i) - 1 : 0);
}

TEST(bits_count_equals_counting)
{
	u64 state = 1;

	EXPECT_EQ(bits_count(0), 0);
	EXPECT_EQ(bits_count(~(u64)0), 64);
	for (unsigned i = 0; i < 1000; i++) {
		u64 word = noise(&state);

		EXPECT_EQ(bits_count(word), slow_count(word));
	}
}

TEST(base_sizes_round_to_alignments)
{
	EXPECT_EQ(size_align(0, 16), 0);
	EXPECT_EQ(size_align(1, 16), 16);
	EXPECT_EQ(size_align(16, 16), 16);
	EXPECT_EQ(size_align(17, 16), 32);
	EXPECT_EQ(size_align(SIZE_MAX, 4096), 0);
	EXPECT_EQ(size_min(3, 4), 3);
	EXPECT_EQ(size_max(3, 4), 4);
	EXPECT_EQ(size_min(4, 3), 3);
	EXPECT_EQ(size_max(4, 3), 4);
}
