/* SPDX-License-Identifier: MIT */
/*
 * map.h - from an address to what is known about it, and back
 *
 * What    The arena and its side tables: descriptors, ids, states. One line of
 *         constants, written once at start, that the fast paths read.
 *
 *           reserved:  [ids][pages][state][ arena ............... ]
 *
 * Why     Address to pfn is a subtraction and a shift; nothing about an object
 *         lies in the object. On one node memory comes online from the bottom up, and
 *         the tables above are not mapped at all: nothing there costs a core file or a
 *         debugger anything. On several nodes they read as zeros until they are online.
 * Rules   M1  map.base is aligned to map.align; pfn 0 is there
 *         M2  in a slab, state is not FREE only at the start of an object in use; in other
 *             memory it is IN_USE only at the start of a run
 */
#ifndef ASHLAR_PAGE_MAP_H
#define ASHLAR_PAGE_MAP_H

#include "page/page.h"

enum state {
	STATE_FREE = 0,    /* free, or not the start of anything */
	STATE_IN_USE = 1,  /* a user has the object that starts here */
	STATE_PENDING = 2, /* freed where no lock could be taken; swept later */
	STATE_NONE = 3,    /* was a slab's once and is no object now */
};

struct map {
	uintptr_t base;       /* first address of the arena */
	size_t fast_granules; /* granules that the fast paths may look at: 0 keeps them out */
	u8 *state;            /* state[granule of the arena] */
	u8 *state_at;         /* state_at[address >> 4]: the same, biased */
	u16 *ids;             /* ids[pfn] */
	struct page *pages;   /* pages[pfn] */
	size_t granules;      /* granules that have readable tables: addresses below are "ours" */
	size_t nr_pages;      /* of the arena, online or not */
	size_t align;         /* bytes that base is a multiple of */
} cacheline_aligned;

extern struct map map internal_data;

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

/* Pages at and after @pages, which never were online, are no part of the arena any more: their
 * address space and that of their tables goes back. */
void map_lower(size_t pages);

/* Address space that one page of the arena takes, with its part of the tables. */
#define MAP_BYTES_PER_PAGE \
	(PAGE_SIZE + sizeof(u16) + sizeof(struct page) + (PAGE_SIZE >> GRANULE_SHIFT))

/* The memory behind the tables of a free block goes back, but for its head's descriptor. */
void map_discard_tables(size_t pfn, size_t count);
size_t map_grain(void);

/* Let the fast paths look at what is online, from now on. */
void map_open(void);

/* Mark @count pages, which become free, as dirty; or clear ids, returning how many of them
 * were dirty. The zone lock of the pages is held, or they are the caller's own. */
void map_set_dirty(size_t pfn, size_t count);
size_t map_clear_dirty(size_t pfn, size_t count);
size_t map_count_dirty(size_t pfn, size_t count);

/* All states of @count pages become @state. */
void map_fill_state(size_t pfn, size_t count, enum state state);

/* Are all states of @count pages FREE? */
bool map_is_state_free(size_t pfn, size_t count);

static inline bool map_contains(const void *p)
{
	return ((uintptr_t)p - map.base) >> GRANULE_SHIFT < READ_ONCE(map.granules);
}

static inline size_t map_pfn(const void *p)
{
	return ((uintptr_t)p - map.base) >> PAGE_SHIFT;
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

static inline u8 *map_state(const void *p)
{
	return &map.state_at[(uintptr_t)p >> GRANULE_SHIFT];
}

#endif
