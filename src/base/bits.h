/* SPDX-License-Identifier: MIT */
/*
 * bits.h - bits of one word
 *
 * What    Lowest and highest set bit, powers of two, counts. Pure.
 * Cost    One or two instructions each.
 */
#ifndef ASHLAR_BASE_BITS_H
#define ASHLAR_BASE_BITS_H

#include "base/base.h"

/* Index of the lowest set bit; @word is not 0. */
static inline unsigned bits_lowest(u64 word)
{
	return (unsigned)__builtin_ctzll(word);
}

/* Index of the highest set bit; @word is not 0. */
static inline unsigned bits_highest(u64 word)
{
	return 63u - (unsigned)__builtin_clzll(word);
}

static inline bool bits_is_power_of_two(u64 word)
{
	return word != 0 && (word & (word - 1)) == 0;
}

/* Smallest k with 2^k >= n: bits_log2_ceil(1) is 0, of 5 is 3. @n is not 0. */
static inline unsigned bits_log2_ceil(u64 n)
{
	return n <= 1 ? 0 : bits_highest(n - 1) + 1;
}

/* Ones at positions 0 .. count-1; @count is 0..64. */
static inline u64 bits_mask(unsigned count)
{
	return count >= 64 ? ~(u64)0 : ((u64)1 << count) - 1;
}

/* The same for 1..64, without a branch. */
static inline u64 bits_mask_some(unsigned count)
{
	return ~(u64)0 >> (64 - count);
}

/* Number of set bits, without a library call where the processor has no such instruction. */
static inline unsigned bits_count(u64 word)
{
	word -= (word >> 1) & 0x5555555555555555u;
	word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (unsigned)((word * 0x0101010101010101u) >> 56);
}

#endif
