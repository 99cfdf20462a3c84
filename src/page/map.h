/* SPDX-License-Identifier: MIT */
/*
 * map.h - from an address to what is known about it, and back
 *
 * What    The arena and its side tables: descriptors, ids, states. One line of
 *         constants, written once at start, that the fast paths read.
 *
 *           reserved:  [ids][pages][states 16][states 64][ arena ............... ]
 *
 *         An object's state is one byte. It lies in one of two tables: one byte for each 16
 *         bytes of address for small objects, one for each 64 for all others, so that the
 *         states of many objects share a cache line (decision 36). `states` says where, in one
 *         word: its low six bits are the shift, and state = *(states + (address >> shift)).
 *
 * Why     Address to pfn is a subtraction and a shift; nothing about an object
 *         lies in the object. On one node memory comes online from the bottom up, and
 *         the tables above are not mapped at all: nothing there costs a core file or a
 *         debugger anything. In several zones they read as zeros until they are online; with
 *         PORT_TABLES_ABSENT they do so in holes only, and are absent where memory may come (M5).
 * Rules   M1  map.base is aligned to map.align; pfn 0 is there
 *         M2  in a slab, the state of an object in use is the low byte of its address; of a
 *             free one, and where no object starts, it is FREE. No two objects share a byte,
 *             and a pointer into an object differs from its start in that byte or its table's
 *         M4  no object of a table of 16 starts in the last 64 bytes of 16 pages that are aligned
 *             in a slab of as many, or a multiple: their states are not FREE there, and not in use
 *         M3  the states of a slab's cache are at map_ids[id].states; of pages that are no
 *             slab's (ids 0 and MAP_DIRTY) at a byte that fits no pointer
 *         M5  of several zones with PORT_TABLES_ABSENT: no page of a table changes from zeros to
 *             memory, since other CPUs may keep the old translation. Who is asked about any
 *             address, or walks, looks at tables only where map_is_known is true
 */
#ifndef ASHLAR_PAGE_MAP_H
#define ASHLAR_PAGE_MAP_H

#include "page/page.h"

/* Beside these: in use, which is the low byte of the object's address, a multiple of 16. */
enum state {
	STATE_FREE = 1,         /* free, or not the start of anything */
	STATE_PENDING = 2,      /* freed where no lock could be taken; swept later */
	STATE_NONE = 3,         /* was a slab's once and is no object now */
	STATE_CHARGED = 5,      /* in use, and a group pays for it (cache/account.h) */
	STATE_HELD_CHARGED = 6, /* both */
	STATE_HELD = 4,         /* in use, but nobody's to free (cache/hold.h) */
};

#define MAP_LEVELS 2u
#define MAP_DIRTY 16u /* ids[] of a free page with memory behind it: an id that no cache has */

struct kmem_cache_node;

struct map {
	uintptr_t base;         /* first address of the arena */
	size_t fast_granules;   /* granules that the fast paths may look at: 0 keeps them out */
	u16 *ids;               /* ids[pfn] */
	struct page *pages;     /* pages[pfn] */
	size_t granules;        /* granules that have readable tables: addresses below are "ours" */
	size_t nr_pages;        /* of the arena, online or not */
	size_t align;           /* bytes that base is a multiple of */
	u8 *states[MAP_LEVELS]; /* the tables of states, one byte for 2^map_shift(level) */
} cacheline_aligned;

extern struct map map internal_data;

/* What an id stands for: ids[] of its pages is its offset in bytes here. */
struct map_id {
	uintptr_t states;             /* M3 */
	struct kmem_cache_node *node; /* NULL: no cache has this id */
};

STATIC_ASSERT(sizeof(struct map_id) == 16, "ids are offsets into map_ids");

extern struct map_id map_ids[CONFIG_MAX_IDS] internal_data;

/* The region that is always empty and always full: zeros that nobody can write. */
extern const u8 map_dummy[CONFIG_MAX_IDS * 16] internal_data;

/* Reserve and lay out an arena of at most @budget bytes, tables included; false iff not even
 * a small one can be had. */
bool map_init(size_t budget, size_t page_bytes, unsigned nodes);

/* Bring the tables of pages [pfn, pfn+count) in, then the pages. count and pfn are multiples
 * of map_grain(). false, with nothing usable changed, iff memory is exhausted. */
bool map_online(size_t pfn, size_t count);

/* There is no memory for pages [pfn, pfn+count), multiples of map_grain(): their tables read as
 * zeros, for who asks about a wrong pointer. false iff the port refuses. */
bool map_skip(size_t pfn, size_t count);
void map_offline(size_t pfn, size_t count);

/* The reverse: memory (in homes that populate, its tables) is there again. false iff there is none;
 * then it may be asked for again. */
bool map_online_again(size_t pfn, size_t count);

/* Pages at and after @pages, which never were online, are no part of the arena any more: their
 * address space and that of their tables goes back. */
void map_lower(size_t pages);

/* Address space that one page of the arena takes, with its part of the tables. */
#define MAP_BYTES_PER_PAGE \
	(PAGE_SIZE + sizeof(u16) + sizeof(struct page) + (PAGE_SIZE >> 4) + (PAGE_SIZE >> 6))

/* The memory behind the tables of a free block goes back, but for its head's descriptor. */
void map_discard_tables(size_t pfn, size_t count);
size_t map_grain(void);

/* Let the fast paths look at what is online, from now on. */
void map_open(void);

/* Mark @count pages, which become free, as dirty; or clear ids, returning how many of them
 * were dirty. The zone lock of the pages is held, or they are the caller's own. */
static inline void map_set_dirty(size_t pfn, size_t count)
{
	u16 *ids = &map.ids[pfn];

	do
		*ids++ = MAP_DIRTY;
	while (--count);
}
size_t map_clear_dirty(size_t pfn, size_t count);
size_t map_count_dirty(size_t pfn, size_t count);

/* Where the states of objects lie that are @stride bytes apart (M3). */
uintptr_t map_states(size_t stride);

/* Is there memory behind the states already? */
bool map_has_states(uintptr_t states);

/* Memory behind the states of all that is online, now and later. false iff there is none. Waits,
 * and makes system calls, the first time that it is asked for. */
bool map_use_states(uintptr_t states);

/* A multiple of so many pages, in the table of small objects, has whole pages of states, but for
 * the last few, which lie `shift` bytes on: in the page of the next ones. No object starts there
 * (M4), so that page stays untouched for their sake. */
#define MAP_SMALL_PAGES (size_t)16
static inline size_t map_tail(size_t stride, size_t count)
{
	return stride < 64 && count % MAP_SMALL_PAGES == 0 ? 64 : 0;
}

/* All states of @count pages become @state, but for those of map_tail. */
void map_fill_state(uintptr_t states, size_t pfn, size_t count, enum state state);

/* Are all states of @count pages FREE? */
bool map_is_state_free(uintptr_t states, size_t pfn, size_t count);

/* fork: hold the lock that guards the growth of the tables; let go. */
void map_lock_all(void);
void map_unlock_all(void);

static inline size_t map_pfn(const void *p)
{
	return ((uintptr_t)p - map.base) >> PAGE_SHIFT;
}

/* M5, of a page below map.granules: are its tables there? */
bool map_is_known_slow(size_t pfn);
static inline bool map_is_known(size_t pfn)
{
	return !PORT_TABLES_ABSENT || map_is_known_slow(pfn);
}

/* Is @p below the end of what is in use? */
static inline bool map_spans(const void *p)
{
	return ((uintptr_t)p - map.base) >> GRANULE_SHIFT < READ_ONCE(map.granules);
}

/* And are there tables that can be read? */
static inline bool map_contains(const void *p)
{
	return map_spans(p) && map_is_known(map_pfn(p));
}

static inline void *map_address(size_t pfn)
{
	return (void *)(map.base + (pfn << PAGE_SHIFT));
}

static inline size_t map_page_pfn(const struct page *page)
{
	return (size_t)(page - map.pages);
}

static inline void *map_page_address(const struct page *page)
{
	return map_address(map_page_pfn(page));
}

/* The state of the object at @p, whose cache's states are at @states. */
static inline u8 *map_state_in(uintptr_t states, const void *p)
{
	return (u8 *)(states + ((uintptr_t)p >> (states & 63)));
}

static inline u8 map_state_in_use(const void *p)
{
	return (u8)(uintptr_t)p;
}

/* The id of page @pfn, as an offset: 0 or MAP_DIRTY where it is no slab's. */
static inline struct map_id *map_id(size_t header_offset)
{
	return (struct map_id *)(void *)((char *)map_ids + header_offset);
}

/* The state of the object that starts at @p, in the arena. */
static inline u8 *map_state(const void *p)
{
	return map_state_in(map_id(map.ids[map_pfn(p)])->states, p);
}

#endif
