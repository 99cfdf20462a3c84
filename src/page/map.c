/* SPDX-License-Identifier: MIT */
/*
 * map.c - see map.h
 */
#include "page/map.h"
#include "base/bits.h"
#include "base/check.h"
#include "base/lock.h"
#include "base/memory.h"
#include "page/extents.h"
#include "port/array_cache.h"
#include "port/port.h"

struct map map;
struct map_id map_ids[CONFIG_MAX_IDS];
const u8 map_dummy[CONFIG_MAX_IDS * ARRAY_CACHE_SIZE] cacheline_aligned = { 0 };

#define MAP_GUARD_BYTES PORT_GUARD_BYTES
#define MAP_MIN_BYTES ((size_t)2 << 20)
#define MAP_GRANULES_PER_PAGE (PAGE_SIZE >> GRANULE_SHIFT)
#define MAP_SMALL_ARENA ((size_t)32 << 20)
#define MAP_BIG_ARENA ((size_t)256 << 20)

static size_t map_page_bytes; /* the machine's grain */
static bool map_reads_zeros;  /* the tables do, where they are not online: several zones */
static bool map_is_open;      /* the fast paths may look */

/* Which parts of the tables of states have memory, under the lock. A table has none before it
 * is asked for: then it follows what is online. */
static struct {
	struct lock lock; /* held while the port is called, like zone_growth, after it */
	struct extents online;
	struct extents ids; /* in pages of ids[] */
	struct extents level[MAP_LEVELS];
	u32 levels; /* asked for, a bit each; atomic */
} map_growth;

/* Where ids look that are no slab's: its low six bits are ones, so that every address is shifted
 * to 0 (or 1 where it is negative). */
static const u8 map_no_state[CACHE_LINE + 1] cacheline_aligned = {
	[CACHE_LINE - 1] = STATE_NONE,
	[CACHE_LINE] = STATE_NONE,
};

/* Sizes of the parts for an arena of @pages pages, each rounded to the guard's size. */
struct map_layout {
	size_t ids;
	size_t pages;
	size_t states[MAP_LEVELS];
	size_t tables; /* all of the above and the guards */
};

static unsigned map_shift(unsigned level)
{
	return level ? 6 : 4;
}

/* Bytes of a table of states that come before those of page @pfn. */
static size_t map_states_before(unsigned level, size_t pfn)
{
	return pfn << PAGE_SHIFT >> map_shift(level);
}

static struct map_layout map_measure(size_t pages)
{
	struct map_layout l = {
		.ids = size_align(pages * sizeof(u16), MAP_GUARD_BYTES),
		.pages = size_align(pages * sizeof(struct page), MAP_GUARD_BYTES),
	};

	l.tables = l.ids + l.pages + 2 * MAP_GUARD_BYTES;
	for (unsigned level = 0; level < MAP_LEVELS; level++) {
		l.states[level] = size_align(map_states_before(level, pages) + map_page_bytes,
					     MAP_GUARD_BYTES);
		l.tables += l.states[level] + MAP_GUARD_BYTES;
	}
	return l;
}

/* Whole blocks of the largest order that fit in @budget together with their tables. */
static size_t map_fit_pages(size_t budget, size_t align)
{
	size_t overhead = 12 * MAP_GUARD_BYTES + 2 * align;

	if (budget <= overhead)
		return 0;
	return ((budget - overhead) / MAP_BYTES_PER_PAGE) & ~((align >> PAGE_SHIFT) - 1);
}

/* What the arena is aligned to; half of it is lost to that on average. */
static size_t map_align(size_t budget)
{
	size_t least = map_grain() << PAGE_SHIFT; /* sections are whole */

	if (budget >= MAP_BIG_ARENA)
		return PAGE_SIZE << MAX_ORDER;
	return budget >= MAP_SMALL_ARENA ? size_max(MAP_MIN_BYTES, least) : least;
}

/* The arena begins at @start and has @pages pages; its tables begin at @table. */
static bool map_lay_out(const struct map_layout *l, char *table, char *start, size_t pages,
			size_t align, unsigned nodes)
{
	if (map_reads_zeros && !port_map_zeros(table, l->tables))
		return false;
	map.ids = (u16 *)(void *)table;
	table += l->ids + MAP_GUARD_BYTES;
	map.pages = (struct page *)(void *)table;
	table += l->pages + MAP_GUARD_BYTES;
	for (unsigned level = 0; level < MAP_LEVELS; level++) {
		map.states[level] = (u8 *)table;
		table += l->states[level] + MAP_GUARD_BYTES;
	}
	map.base = (uintptr_t)start;
	map.nr_pages = pages;
	map.align = align;
	if (nodes > 1)
		map.granules = pages * MAP_GRANULES_PER_PAGE;
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
	map_reads_zeros = nodes > 1 && !PORT_TABLES_ABSENT;
	map_growth.levels = PORT_STATE_LEVELS;
	map_growth.online.count = map_growth.ids.count = 0;
	for (unsigned level = 0; level < MAP_LEVELS; level++)
		map_growth.level[level].count = 0;
	map_id(0)->states = map_id(MAP_DIRTY)->states = (uintptr_t)map_no_state + CACHE_LINE - 1;
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

/* ---- ids ------------------------------------------------------------------------ */

/* A page of ids[] serves several sections, those of a zone's end and of the next one's begin,
 * too: it is never taken back. */
static bool map_online_ids(size_t begin, size_t end)
{
	struct extents *e = &map_growth.ids;
	size_t at = begin * sizeof(u16) / map_page_bytes;
	size_t last = (end * sizeof(u16) - 1) / map_page_bytes;

	while (at <= last) {
		size_t covered = extents_end(e, at);
		size_t stop = at + 1;

		if (covered > at) {
			at = covered;
			continue;
		}
		while (stop <= last && extents_end(e, stop) <= stop && !extents_begin_at(e, stop))
			stop++;
		if (!port_map((char *)map.ids + at * map_page_bytes, (stop - at) * map_page_bytes))
			return false;
		extents_add(e, at, stop);
		at = stop;
	}
	return true;
}

/* Whole pages of ids that are of a hole alone read as zeros; what it shares is memory (M5). */
static bool map_skip_ids(size_t begin, size_t end)
{
	size_t from = size_align(begin * sizeof(u16), map_page_bytes);
	size_t to = end * sizeof(u16) & ~(map_page_bytes - 1);

	if (to > from && !port_map_zeros((char *)map.ids + from, to - from))
		return false;
	if (from != begin * sizeof(u16) && !map_online_ids(begin, begin + 1))
		return false;
	return to == end * sizeof(u16) || map_online_ids(end - 1, end);
}

/* ---- states --------------------------------------------------------------------- */

/* Memory for the states of pages [begin, end). They lie map_shift bytes on in their table, so
 * those of a run's last objects are in the table's next page: the run behind has it already. */
static bool map_online_states(unsigned level, size_t begin, size_t end)
{
	struct extents *e = &map_growth.level[level];
	size_t covered = extents_end(e, begin);
	size_t from;
	size_t to;

	begin = size_max(begin, covered);
	if (begin >= end)
		return true;
	from = map_states_before(level, begin) + (covered ? map_page_bytes : 0);
	to = map_states_before(level, end) + (extents_begin_at(e, end) ? 0 : map_page_bytes);
	if (to > from && !port_map(map.states[level] + from, to - from))
		return false;
	extents_add(e, begin, end);
	return true;
}

/* The states of what came online, in all tables that are in use; under map_growth.lock. */
static bool map_follow(size_t begin, size_t end)
{
	for (unsigned level = 0; level < MAP_LEVELS; level++)
		if ((map_growth.levels >> level & 1) && !map_online_states(level, begin, end))
			return false;
	return true;
}

/* A table is asked for: all of what is online gets its states. */
static bool map_use_level(unsigned level)
{
	const struct extents *online = &map_growth.online;
	bool done = true;

	lock_acquire(&map_growth.lock);
	if (!(map_growth.levels >> level & 1)) {
		for (size_t i = 0; i < online->count && done; i++)
			done = map_online_states(level, online->of[i].begin, online->of[i].end);
		if (done)
			STORE_RELEASE(map_growth.levels, map_growth.levels | 1u << level);
	}
	lock_release(&map_growth.lock);
	return done;
}

bool map_has_states(uintptr_t states)
{
	unsigned level = (states & 63) == map_shift(1);

	return LOAD_ACQUIRE(map_growth.levels) >> level & 1;
}

bool map_use_states(uintptr_t states)
{
	return map_has_states(states) || map_use_level((states & 63) == map_shift(1));
}

uintptr_t map_states(size_t stride)
{
	unsigned level = stride >= (size_t)1 << map_shift(1);
	unsigned shift = map_shift(level);

	return (uintptr_t)map.states[level] - (map.base >> shift) + shift;
}

/* How many states @count pages have, without M4's. */
static size_t map_states_of(uintptr_t states, size_t count)
{
	unsigned shift = states & 63;

	return ((count << PAGE_SHIFT) - map_tail((size_t)1 << shift, count)) >> shift;
}

void map_fill_state(uintptr_t states, size_t pfn, size_t count, enum state state)
{
	memset(map_state_in(states, map_address(pfn)), (int)state, map_states_of(states, count));
}

/* Tables begin at no multiple of eight (M3), and not every processor may load words there. */
bool map_is_state_free(uintptr_t states, size_t pfn, size_t count)
{
	const u8 *at = map_state_in(states, map_address(pfn));
	const u8 *end = at + map_states_of(states, count);
	const u64 *word;
	u64 any = (u64)-1 / UINT8_MAX * STATE_FREE;
	u64 all = any;
	bool differ = false;

	for (; at < end && ((uintptr_t)at & 7); at++)
		differ |= *at != STATE_FREE;
	for (word = (const u64 *)(const void *)at; end - (const u8 *)word >= 32; word += 4) {
		any |= word[0] | word[1] | word[2] | word[3]; /* two instructions a word */
		all &= word[0] & word[1] & word[2] & word[3];
	}
	for (at = (const u8 *)word; at < end; at++)
		differ |= *at != STATE_FREE;
	return !differ && any == all;
}

void map_lock_all(void)
{
	lock_acquire_more(&map_growth.lock);
}

void map_unlock_all(void)
{
	lock_release(&map_growth.lock);
}

/* ---- on and off ------------------------------------------------------------------ */

bool map_online(size_t pfn, size_t count)
{
	bool done;

	ASSERT(pfn % map_grain() == 0 && count % map_grain() == 0);
	lock_acquire(&map_growth.lock);
	done = map_online_ids(pfn, pfn + count) &&
	       port_map(&map.pages[pfn], count * sizeof(struct page)) &&
	       map_follow(pfn, pfn + count) &&
	       (PORT_POPULATES || port_map(map_address(pfn), count << PAGE_SHIFT));
	if (done)
		extents_add(&map_growth.online, pfn, pfn + count);
	lock_release(&map_growth.lock);
	if (done)
		map_extend((pfn + count) * MAP_GRANULES_PER_PAGE);
	return done;
}

/* No page of it is a slab's, so nobody asks for states there. */
bool map_skip(size_t pfn, size_t count)
{
	ASSERT(pfn % map_grain() == 0 && count % map_grain() == 0);
	if (map_reads_zeros)
		return true;
	if (!map_skip_ids(pfn, pfn + count) ||
	    !port_map_zeros(&map.pages[pfn], count * sizeof(struct page)))
		return false;
	map_extend((pfn + count) * MAP_GRANULES_PER_PAGE);
	return true;
}

/* A part of a table that says nothing any more, but for its first page. */
static void map_discard_table(void *start, size_t bytes)
{
	if (bytes <= map_page_bytes)
		return;
	if (PORT_POPULATES)
		port_map_zeros((char *)start + map_page_bytes, bytes - map_page_bytes);
	else
		port_discard((char *)start + map_page_bytes, bytes - map_page_bytes);
}

/* The reverse, before it is written to again. */
static bool map_restore_table(void *start, size_t bytes)
{
	return bytes <= map_page_bytes ||
	       port_map((char *)start + map_page_bytes, bytes - map_page_bytes);
}

/* The head's descriptor stays: it is the link by which the block is found again. Tails are
 * descriptors of zeros (G1), and states of free memory are never asked for; the first of them
 * lie in a page with the last ones of the block before. */
void map_discard_tables(size_t pfn, size_t count)
{
	map_discard_table(&map.pages[pfn], count * sizeof(struct page));
	for (unsigned level = 0; level < MAP_LEVELS; level++)
		if (READ_ONCE(map_growth.levels) >> level & 1)
			map_discard_table(map.states[level] + map_states_before(level, pfn),
					  map_states_before(level, count));
}

void map_offline(size_t pfn, size_t count)
{
	port_unmap(map_address(pfn), count << PAGE_SHIFT);
	map_clear_dirty(pfn, count);
	map_discard_tables(pfn, count);
}

bool map_online_again(size_t pfn, size_t count)
{
	bool done;

	if (!PORT_POPULATES)
		return port_map(map_address(pfn), count << PAGE_SHIFT);
	done = map_restore_table(&map.pages[pfn], count * sizeof(struct page));
	for (unsigned level = 0; level < MAP_LEVELS && done; level++)
		if (READ_ONCE(map_growth.levels) >> level & 1)
			done = map_restore_table(map.states[level] + map_states_before(level, pfn),
						 map_states_before(level, count));
	return done;
}

/* Bytes of ids[], from its start, that are written or may be. */
static size_t map_ids_end(void)
{
	size_t end = 0;

	for (size_t i = 0; i < map_growth.ids.count; i++)
		end = size_max(end, map_growth.ids.of[i].end);
	return end * map_page_bytes;
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
	for (unsigned level = 0; level < MAP_LEVELS; level++)
		map_release(map.states[level], map_states_before(level, pages) + map_page_bytes,
			    map_states_before(level, old));
	map_release(map.pages, pages * sizeof(struct page), old * sizeof(struct page));
	map_release(map.ids, size_max(pages * sizeof(u16), map_ids_end()), old * sizeof(u16));
}
