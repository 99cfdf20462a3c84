/* SPDX-License-Identifier: MIT */
/*
 * map.c - see map.h
 */
#include "page/map.h"
#include "base/bits.h"
#include "base/check.h"
#include "base/memory.h"
#include "port/array_cache.h"
#include "port/port.h"

struct map map;
const u8 map_dummy[CONFIG_MAX_IDS * ARRAY_CACHE_SIZE] cacheline_aligned = { 0 };

#define MAP_GUARD_BYTES PORT_GUARD_BYTES
#define MAP_MIN_BYTES ((size_t)2 << 20)
#define MAP_STATES_PER_PAGE (PAGE_SIZE >> GRANULE_SHIFT)
#define MAP_SMALL_ARENA ((size_t)32 << 20)
#define MAP_BIG_ARENA ((size_t)256 << 20)

static size_t map_page_bytes; /* the machine's grain */
static size_t map_ids_end;    /* bytes of ids[] that are writable, from its start */
static bool map_is_open;      /* the fast paths may look */

/* Sizes of the parts for an arena of @pages pages, each rounded to the guard's size. */
struct map_layout {
	size_t ids;
	size_t pages;
	size_t state;
	size_t tables; /* all of the above and the guards */
};

static struct map_layout map_measure(size_t pages)
{
	struct map_layout l = {
		.ids = size_align(pages * sizeof(u16), MAP_GUARD_BYTES),
		.pages = size_align(pages * sizeof(struct page), MAP_GUARD_BYTES),
		.state = size_align(pages * MAP_STATES_PER_PAGE, MAP_GUARD_BYTES),
	};

	l.tables = l.ids + l.pages + l.state + 3 * MAP_GUARD_BYTES;
	return l;
}

/* Whole blocks of the largest order that fit in @budget together with their tables. */
static size_t map_fit_pages(size_t budget, size_t align)
{
	size_t overhead = 8 * MAP_GUARD_BYTES + 2 * align;

	if (budget <= overhead)
		return 0;
	return ((budget - overhead) / MAP_BYTES_PER_PAGE) & ~((align >> PAGE_SHIFT) - 1);
}

/* What the arena is aligned to; half of it is lost to that on average. */
static size_t map_align(size_t budget)
{
	if (budget >= MAP_BIG_ARENA)
		return PAGE_SIZE << MAX_ORDER;
	return budget >= MAP_SMALL_ARENA ? MAP_MIN_BYTES : CONFIG_SECTION_SIZE;
}

/* The arena begins at @start and has @pages pages; its tables begin at @table. */
static bool map_lay_out(const struct map_layout *l, char *table, char *start, size_t pages,
			size_t align, unsigned nodes)
{
	if (nodes > 1 && !port_map_zeros(table, l->tables))
		return false;
	map.ids = (u16 *)(void *)table;
	table += l->ids + MAP_GUARD_BYTES;
	map.pages = (struct page *)(void *)table;
	table += l->pages + MAP_GUARD_BYTES;
	map.state = (u8 *)table;
	map.base = (uintptr_t)start;
	map.state_at = (u8 *)((uintptr_t)map.state - (map.base >> GRANULE_SHIFT));
	map.nr_pages = pages;
	map.align = align;
	if (nodes > 1)
		map.granules = pages * MAP_STATES_PER_PAGE;
	return true;
}

/* Address space for the tables and, behind them, the arena. */
static bool map_place(size_t budget, unsigned nodes)
{
	size_t align = map_align(budget);
	size_t pages = map_fit_pages(budget, align);
	struct map_layout l = map_measure(pages);
	size_t before = size_align(l.tables, align);
	char *start;

	if (pages == 0)
		return false;
	start = port_reserve(before + (pages << PAGE_SHIFT), align);
	return start &&
	       map_lay_out(&l, start + before - l.tables, start + before, pages, align, nodes);
}

/* The arena is where the machine has its memory; the last section of it may be in part. */
static bool map_place_at(char *start, size_t bytes, unsigned nodes)
{
	size_t pages = size_align(bytes >> PAGE_SHIFT, map_grain());
	struct map_layout l = map_measure(pages);
	char *table = port_reserve(l.tables, MAP_GUARD_BYTES);

	return table && map_lay_out(&l, table, start, pages, PAGE_SIZE << MAX_ORDER, nodes);
}

bool map_init(size_t budget, size_t page_bytes, unsigned nodes)
{
	size_t bytes;
	void *start;

	map_page_bytes = size_max(page_bytes, PAGE_SIZE);
	map_ids_end = 0;
	if (port_arena(PAGE_SIZE << MAX_ORDER, &start, &bytes))
		return map_place_at(start, bytes, nodes);
	for (; budget >= MAP_MIN_BYTES; budget /= 2)
		if (map_place(budget, nodes))
			return true;
	return false;
}

size_t map_grain(void)
{
	return size_max(CONFIG_SECTION_SIZE >> PAGE_SHIFT, map_page_bytes / sizeof(struct page));
}

/* ids[] is so dense that one page of it serves several sections: it is never taken back. */
static bool map_online_ids(size_t end)
{
	size_t bytes = size_align(end * sizeof(u16), map_page_bytes);

	if (bytes <= map_ids_end)
		return true;
	if (!port_map((char *)map.ids + map_ids_end, bytes - map_ids_end))
		return false;
	map_ids_end = bytes;
	return true;
}

/* The readable part of the tables only grows, however many threads bring memory online. */
static void map_extend(size_t granules)
{
	size_t seen = READ_ONCE(map.granules);

	while (seen < granules &&
	       !__atomic_compare_exchange_n(&map.granules, &seen, granules, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		continue;
	if (map_is_open)
		map_open();
}

void map_open(void)
{
	size_t granules = READ_ONCE(map.granules);
	size_t seen = READ_ONCE(map.fast_granules);

	map_is_open = true;
	while (seen < granules &&
	       !__atomic_compare_exchange_n(&map.fast_granules, &seen, granules, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		continue;
}

bool map_online(size_t pfn, size_t count)
{
	size_t states = count * MAP_STATES_PER_PAGE;

	ASSERT(pfn % map_grain() == 0 && count % map_grain() == 0);
	if (!map_online_ids(pfn + count) ||
	    !port_map(&map.pages[pfn], count * sizeof(struct page)) ||
	    !port_map(&map.state[pfn * MAP_STATES_PER_PAGE], states) ||
	    !port_map(map_address(pfn), count << PAGE_SHIFT))
		return false;
	map_extend((pfn + count) * MAP_STATES_PER_PAGE);
	return true;
}

/* Whole pages of ids before @end that are of the hole alone read as zeros. */
static bool map_skip_ids(size_t end)
{
	size_t bytes = end * sizeof(u16) & ~(map_page_bytes - 1);

	if (bytes <= map_ids_end)
		return true;
	if (!port_map_zeros((char *)map.ids + map_ids_end, bytes - map_ids_end))
		return false;
	map_ids_end = bytes;
	return true;
}

bool map_skip(size_t pfn, size_t count)
{
	ASSERT(pfn % map_grain() == 0 && count % map_grain() == 0);
	if (!map_skip_ids(pfn + count) || !map_online_ids(pfn + count) ||
	    !port_map_zeros(&map.pages[pfn], count * sizeof(struct page)) ||
	    !port_map_zeros(&map.state[pfn * MAP_STATES_PER_PAGE], count * MAP_STATES_PER_PAGE))
		return false;
	map_extend((pfn + count) * MAP_STATES_PER_PAGE);
	return true;
}

/* The head's descriptor stays: it is the link by which the block is found again. Tails are
 * descriptors of zeros (G1), and states of free memory are never asked for. */
void map_discard_tables(size_t pfn, size_t count)
{
	char *pages = (char *)&map.pages[pfn];
	size_t bytes = count * sizeof(struct page);

	if (bytes > map_page_bytes)
		port_discard(pages + map_page_bytes, bytes - map_page_bytes);
	port_discard(&map.state[pfn * MAP_STATES_PER_PAGE], count * MAP_STATES_PER_PAGE);
}

void map_offline(size_t pfn, size_t count)
{
	port_unmap(map_address(pfn), count << PAGE_SHIFT);
	map_clear_dirty(pfn, count);
	map_discard_tables(pfn, count);
}

void map_set_dirty(size_t pfn, size_t count)
{
	for (size_t i = pfn; i < pfn + count; i++)
		map.ids[i] = 1;
}

/* Four ids of 0 or 1 a step; the sums of 2^16 steps fit in their lanes. */
static size_t map_count_words(const u16 *ids, size_t words)
{
	u64 sum = 0;

	for (size_t i = 0; i < words; i++) {
		u64 word;

		__builtin_memcpy(&word, ids + 4 * i, sizeof(word));
		sum += word;
	}
	sum = (sum & 0x0000ffff0000ffffu) + ((sum >> 16) & 0x0000ffff0000ffffu);
	return (size_t)((sum & 0xffffffffu) + (sum >> 32));
}

size_t map_count_dirty(size_t pfn, size_t count)
{
	const u16 *ids = &map.ids[pfn];
	size_t dirty = map_count_words(ids, count / 4);

	for (size_t i = count & ~(size_t)3; i < count; i++)
		dirty += ids[i];
	return dirty;
}

size_t map_clear_dirty(size_t pfn, size_t count)
{
	size_t dirty = map_count_dirty(pfn, count);

	if (dirty)
		for (size_t i = pfn; i < pfn + count; i++)
			map.ids[i] = 0;
	return dirty;
}

void map_fill_state(size_t pfn, size_t count, enum state state)
{
	memset(&map.state[pfn * MAP_STATES_PER_PAGE], (int)state, count * MAP_STATES_PER_PAGE);
}

bool map_is_state_free(size_t pfn, size_t count)
{
	const u8 *states = &map.state[pfn * MAP_STATES_PER_PAGE];
	u64 seen = 0;

	for (size_t i = 0; i < count * MAP_STATES_PER_PAGE; i += sizeof(u64)) {
		u64 word;

		__builtin_memcpy(&word, states + i, sizeof(word));
		seen |= word;
	}
	return seen == 0;
}

/* Release the part of a table from @keep to @bytes, but for the pages that it shares. */
static void map_release(void *table, size_t keep, size_t bytes)
{
	keep = size_align((uintptr_t)table + keep, map_page_bytes) - (uintptr_t)table;
	bytes = (((uintptr_t)table + bytes) & ~(map_page_bytes - 1)) - (uintptr_t)table;
	if (bytes > keep)
		port_release((char *)table + keep, bytes - keep);
}

void map_lower(size_t pages)
{
	size_t old = map.nr_pages;

	map.nr_pages = pages;
	map_release(map_address(0), pages << PAGE_SHIFT, old << PAGE_SHIFT);
	map_release(map.state, pages * MAP_STATES_PER_PAGE, old * MAP_STATES_PER_PAGE);
	map_release(map.pages, pages * sizeof(struct page), old * sizeof(struct page));
	map_release(map.ids, size_max(pages * sizeof(u16), map_ids_end), old * sizeof(u16));
}
