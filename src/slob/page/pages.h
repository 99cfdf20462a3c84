/* SPDX-License-Identifier: MIT */
/*
 * pages.h - pages for slob: regions, twelve bytes a page, blocks of 2^order
 *
 * What    A zone is one region of memory with what is known of it at its start: the zone, then a
 *         descriptor for each page, then the pages. Free pages are buddies; a run is
 *         any number of pages, its tail given back at once.
 * Why     Memory too small for the page map, the state map and 64-byte descriptors of
 *         src/page. There is no static table: a region brings all that describes it.
 * Nouns   zone    a region with attributes: fast, DMA-able, battery-backed, a node
 *         shard   a lock and three lists of slob pages (engine/slob.h); a page is of one shard
 * Rules   PG1 kind FREE: head of a free block of 2^order pages, on the zone's list of that order
 *         PG2 the pages of a block behind its head are of kind TAIL, as are pages never used
 *         PG3 no two free buddies exist: they would have merged
 *         PG4 sum over the lists of 2^order == free_pages
 *         PG5 dirty counts pages with memory behind them from above, up to 4,095 a block
 *         PG6 the bits of a descriptor are written as one word; who has not its lock looks at the
 *             whole word at once (page_look)
 * Locks   zone->lock guards lists, counts and descriptors of free blocks; a slob page's
 *         descriptor is guarded by its shard, a run's belongs to its owner
 * Cost    take: at most MAX_ORDER splits, and 2 * MAX_ORDER gives of MAX_ORDER merges for
 *         what is left over; give of a page: at most MAX_ORDER merges
 */
#ifndef ASHLAR_SLOB_PAGES_H
#define ASHLAR_SLOB_PAGES_H

#include "ashlar/gfp.h"
#include "page/guard.h"

typedef PORT_SLOB_INDEX page_index; /* a page's number in its zone */
#define PAGE_NONE ((page_index) ~(page_index)0)

enum page_kind { PAGE_TAIL, PAGE_FREE, PAGE_SLOB, PAGE_RUN };
enum page_run { RUN_KMALLOC, RUN_OBJECT, RUN_BLOCK, RUN_HELD };
enum slob_list { SLOB_SMALL, SLOB_MEDIUM, SLOB_LARGE, SLOB_FULL };

/* Slob pages need offsets of 12 bits. */
#define PAGE_BITS 12
#define PAGE_UNITS ((1u << PAGE_BITS) - 1)
_Static_assert(PORT_PAGE_SHIFT >= 8 && PORT_PAGE_SHIFT <= 12, "a slob page is 256 .. 4,096 bytes");

struct page {
	page_index next; /* free: list of the order; slob: shard's list; run: its length */
	page_index prev; /* free, slob: the same; run: id of the cache, 0: of kmalloc */
	union {
		struct {
			u32 kind : 2;  /* enum page_kind */
			u32 list : 2;  /* slob: enum slob_list, FULL: on none; run: enum page_run */
			u32 shard : 4; /* slob: whose lock guards this; block: with __GFP_COMP */
			u32 units : PAGE_BITS; /* slob: free units; free: dirty pages (PG5);
						* run: who pays (SL9) */
			u32 free : PAGE_BITS;  /* slob: first free unit; free, block: order */
		};
		u32 word; /* all of these (PG6) */
	};
};
_Static_assert(sizeof(struct page) <= 12, "the descriptor that the decision page promises");

/* PG6: the bits at one moment; nothing else of it. */
static always_inline struct page page_look(const struct page *pg)
{
	struct page seen = { .word = PORT_ONE_CPU ? pg->word : READ_ONCE(pg->word) };

	return seen;
}

/* PG6: the bits of *@pg become those of @as. Its lock is held, or it is the caller's. */
static always_inline void page_write(struct page *pg, struct page as)
{
	WRITE_ONCE(pg->word, as.word);
}

static always_inline void page_set_kind(struct page *pg, enum page_kind kind)
{
	struct page as = page_look(pg);

	as.kind = (unsigned)kind & 3;
	if (PORT_ONE_CPU)
		pg->kind = (unsigned)kind & 3;
	else
		page_write(pg, as);
}

static always_inline void page_set_list(struct page *pg, unsigned list)
{
	struct page as = page_look(pg);

	as.list = list & 3;
	if (PORT_ONE_CPU)
		pg->list = list & 3;
	else
		page_write(pg, as);
}

static always_inline void page_set_units(struct page *pg, size_t units)
{
	struct page as = page_look(pg);

	as.units = units & PAGE_UNITS;
	if (PORT_ONE_CPU)
		pg->units = units & PAGE_UNITS;
	else
		page_write(pg, as);
}

static always_inline void page_set_free(struct page *pg, unsigned free)
{
	struct page as = page_look(pg);

	as.free = free & PAGE_UNITS;
	if (PORT_ONE_CPU)
		pg->free = free & PAGE_UNITS;
	else
		page_write(pg, as);
}

static always_inline void page_set_shard(struct page *pg, unsigned shard)
{
	struct page as = page_look(pg);

	as.shard = shard & 15;
	if (PORT_ONE_CPU)
		pg->shard = shard & 15;
	else
		page_write(pg, as);
}

struct shard {
	struct lock lock;
	page_index head[3]; /* pages with free units: small, medium, large */
};

/* Of attributes, as ASHLAR_HEAP_* has them. */
#define ZONE_DMA 0x1u
#define ZONE_DMA32 0x10u
#define ZONE_NODE(n) ((u32)(n) << 8)

struct zone {
	struct zone *next;  /* constant once it is known: zones in order of adding */
	u32 attributes;     /* constant: ASHLAR_HEAP_* */
	struct page *pages; /* constant: descriptors */
	char *base;         /* constant: address of page 0 */
	size_t nr_pages;    /* online: these have descriptors */
	size_t max_pages;   /* growing: address space reserved for */
	size_t free_pages;  /* PG4 */
	size_t dirty_pages; /* PG5, sum */
	size_t least_pages; /* fewest free pages at any time */
	struct lock lock;
	struct lock growing; /* held by the one thread that brings pages online */
	page_index head[PORT_SLOB_MAX_ORDER + 1]; /* free blocks by order; dirty ones first */
	struct shard shard[PORT_SLOB_SHARDS];
};

extern struct zone *pages_zones internal_data;

/* Zones are on more than one node. */
extern bool pages_several_nodes internal_data;

/* Make a zone of [start, start + bytes), at the end of the list of zones. Returns its pages; 0 iff
 * there is no room for a single page. @online: pages that may be used at once. */
size_t pages_add(void *start, size_t bytes, u32 attributes);

/* One zone of address space that the port gives, which grows. */
bool pages_reserve(size_t budget, size_t page_bytes);

/* Take the free pages at the end of the zone that grows offline, in whole steps of the port: the
 * system charges nobody for them any more. Returns how many had memory behind them. */
size_t pages_offline(void);

/* Unused address space of zones that grow, with that of their tables, bytes; keep @most of it, the
 * rest goes back. Returns bytes that did. */
size_t pages_unused(void);
size_t pages_lower(size_t most);

/* The zone that @p is in, NULL iff none. */
struct zone *pages_zone(const void *p);

static inline size_t pages_number(const struct zone *z, const void *p)
{
	return (size_t)((const char *)p - z->base) >> PAGE_SHIFT;
}

static inline char *pages_address(const struct zone *z, size_t i)
{
	return z->base + (i << PAGE_SHIFT);
}

/* @count pages whose address is a multiple of @align pages (a power of two): kind RUN, length
 * set. *@zero: known to read as zero. PAGE_NONE iff there are none online. */
page_index pages_take(struct zone *z, size_t count, size_t align, bool *zero);

/* The same for who has got the zone's lock by trying. */
page_index pages_take_held(struct zone *z, size_t count, bool *zero);
void pages_give_held(struct zone *z, size_t first, size_t count);

/* Let the run at page @first have @count pages, more than it has, where it is; false iff those
 * behind it are not free. */
bool pages_extend(struct zone *z, size_t first, size_t count);

/* Give pages [first, first + count) back; their kinds are TAIL but for the first's. */
void pages_give(struct zone *z, size_t first, size_t count);

/* Bring more online, enough for @count pages at @align; false iff that cannot be had. Makes system
 * calls. */
bool pages_grow(struct zone *z, size_t count, size_t align);

/* The memory of free pages goes back to the system until at most @keep pages are dirty. Returns
 * pages. Makes system calls. */
size_t pages_discard(struct zone *z, size_t keep);

/* Is page @i in a free block? For reports: nothing is locked. */
bool pages_is_free(const struct zone *z, size_t i);

/* The largest run that pages_take could give, pages: a block, or what is free at the end where a
 * zone grows. */
size_t pages_largest(struct zone *z);

size_t pages_audit(const struct zone *z);

#endif
