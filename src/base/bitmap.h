/* SPDX-License-Identifier: MIT */
/*
 * bitmap.h - ranges of bits in an array of words
 *
 * What    Set, clear, count and find over [first, first + count). The caller
 *         holds whatever lock guards the array.
 * Cost    One step per 64 bits.
 */
#ifndef ASHLAR_BASE_BITMAP_H
#define ASHLAR_BASE_BITMAP_H

#include "base/bits.h"

/* The bits of [first, end) that fall into the word which holds bit @first. */
static inline u64 bitmap_span(size_t first, size_t end)
{
	size_t word_end = (first | 63) + 1;

	return bits_mask((unsigned)(size_min(end, word_end) - first)) << (first & 63);
}

/* Set the range; returns how many bits were clear before. */
static inline size_t bitmap_set_range(u64 *bits, size_t first, size_t count)
{
	size_t end = first + count;
	size_t changed = 0;

	for (size_t i = first; i < end; i = (i | 63) + 1) {
		u64 span = bitmap_span(i, end);

		changed += bits_count(span & ~bits[i / 64]);
		bits[i / 64] |= span;
	}
	return changed;
}

/* Clear the range; returns how many bits were set before. */
static inline size_t bitmap_clear_range(u64 *bits, size_t first, size_t count)
{
	size_t end = first + count;
	size_t changed = 0;

	for (size_t i = first; i < end; i = (i | 63) + 1) {
		u64 span = bitmap_span(i, end);
		u64 hit = span & bits[i / 64];

		if (hit) {
			changed += bits_count(hit);
			bits[i / 64] &= ~span;
		}
	}
	return changed;
}

static inline size_t bitmap_count_range(const u64 *bits, size_t first, size_t count)
{
	size_t end = first + count;
	size_t n = 0;

	for (size_t i = first; i < end; i = (i | 63) + 1)
		n += bits_count(bits[i / 64] & bitmap_span(i, end));
	return n;
}

/* First index in [first, end) whose bit equals @value; @end where there is none. */
static inline size_t bitmap_find(const u64 *bits, size_t first, size_t end, bool value)
{
	for (size_t i = first; i < end; i = (i | 63) + 1) {
		u64 word = value ? bits[i / 64] : ~bits[i / 64];
		u64 hit = word & bitmap_span(i, end);

		if (hit)
			return (i & ~(size_t)63) + bits_lowest(hit);
	}
	return end;
}

#endif
