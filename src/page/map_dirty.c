/* SPDX-License-Identifier: MIT */
/*
 * map_dirty.c - which free pages have memory behind them, by their ids
 *
 * Rules   G3 of page.h
 */
#include "page/map.h"

/* Four ids of 0 or MAP_DIRTY a step, at most MAP_COUNT_MAX steps: the sums fit in their lanes. */
#define MAP_COUNT_MAX ((size_t)(UINT16_MAX / MAP_DIRTY))

static size_t map_count_words(const u16 *ids, size_t words)
{
	u64 sum = 0;

	for (size_t i = 0; i < words; i++) {
		u64 word;

		__builtin_memcpy(&word, ids + 4 * i, sizeof(word));
		sum += word;
	}
	sum = (sum & 0x0000ffff0000ffffu) + ((sum >> 16) & 0x0000ffff0000ffffu);
	return (size_t)((sum & 0xffffffffu) + (sum >> 32)) / MAP_DIRTY;
}

size_t map_count_dirty(size_t pfn, size_t count)
{
	const u16 *ids = &map.ids[pfn];
	size_t dirty = 0;

	while (count >= 4) {
		size_t words = size_min(count / 4, MAP_COUNT_MAX);

		dirty += map_count_words(ids, words);
		ids += 4 * words;
		count -= 4 * words;
	}
	for (size_t i = 0; i < count; i++)
		dirty += ids[i] != 0;
	return dirty;
}

size_t map_clear_dirty(size_t pfn, size_t count)
{
	size_t dirty;

	if (count == 1) { /* the most frequent number: no loops */
		dirty = map.ids[pfn] != 0;
		map.ids[pfn] = 0;
		return dirty;
	}
	dirty = map_count_dirty(pfn, count);
	if (dirty)
		for (size_t i = pfn; i < pfn + count; i++)
			map.ids[i] = 0;
	return dirty;
}
