/* SPDX-License-Identifier: MIT */
/*
 * page.h - floor 2: pages and their descriptors
 *
 * What    Memory is an array of base pages, each with a descriptor of 1/64 of its size in an
 *         array beside it. A block is 2^order pages, aligned to its size; its
 *         first page is the head and speaks for all.
 *
 *           of 4 KiB (16 and 64 KiB: four and sixteen times of all but ids[])
 *           arena     | page 0 | page 1 | page 2 | page 3 | ...        4 KiB each
 *           pages[]   | struct page     | ...                         64 bytes each
 *           ids[]     | id*16 of the cache that owns it | ...           2 bytes each
 *           states[]  | one byte for each 16 bytes of the page, or 64 | 256 or 64 bytes each
 *
 * Nouns   pfn     index of a page in the arena
 *         node    memory near some CPUs (node.h)
 *         zone    pages of one kind on one node, with a buddy allocator (zone.h)
 *         pcp     a CPU's list of free blocks (pcp.h)
 *         dirty   a free page that has memory behind it: reading it may give
 *                 anything. A free page that is not dirty reads as zero and costs
 *                 nothing (with PORT_POPULATES it has no memory at all: Z6 of zone.h).
 * States  offline -> free (section.h) -> allocated -> free -> ... -> offline
 * Rules   G1  a descriptor of zeros is a tail: its block's head says what it is
 *         G2  kind, order and link of a free block are guarded by its zone's lock;
 *             an allocated block's descriptor belongs to whoever has the block
 *         G3  ids[] of a free page is MAP_DIRTY if it is dirty, else 0
 * Locks   pcp -> zone, one at a time; none is held while the port is called
 * See     docs/architecture.md, docs/tour.md
 */
#ifndef ASHLAR_PAGE_PAGE_H
#define ASHLAR_PAGE_PAGE_H

#include "ashlar/gfp.h"
#include "base/list.h"

enum page_kind {
	PAGE_TAIL = 0, /* part of the block whose head comes before it, or offline */
	PAGE_FREE,     /* head of a free block on a zone's list */
	PAGE_PCP,      /* head of a free block on a CPU's list */
	PAGE_ISOLATED, /* head of a free block that is being discarded */
	PAGE_OFFLINE,  /* head of a block whose memory and charge went back */
	PAGE_SLAB,     /* head of a slab */
	PAGE_LARGE,    /* head of a run of pages handed to a user of kmalloc or malloc */
	PAGE_BLOCK,    /* head of a block handed out by alloc_pages */
	PAGE_HELD,     /* head of such a run that is nobody's (cache/hold.h) */
	PAGE_TABLE,    /* head of a block that holds arrays of ours */
	PAGE_POOL,     /* head of a block that a pool cuts into objects (pool/sheet.h) */
	PAGE_GUARD,    /* each page of a run of guarded objects (cache/guard.h) */
};

/* The order of a run on a CPU's list that is no block: its length is in pages. */
#define PAGE_RUN UINT8_MAX

/* Bitmap words of a slab in each descriptor, a bit for each granule of the page; and words that
 * there is room for: of 4, 16 or 64 KiB pages 4, 28 or 124 (decision 52). */
#define PAGE_WORDS (1u << (PORT_PAGE_SHIFT - 10))
#define PAGE_ROOM ((1u << (PORT_PAGE_SHIFT - 9)) - 4)

/* A slab of one page keeps in the last of these what others have in their second page. */
#define PAGE_OWNER_WORD (PAGE_ROOM - 3) /* who pays (cache/account.h) */
#define PAGE_QUEUE_WORD (PAGE_ROOM - 2) /* struct page_queue, two words */

/* A slab's place on its node's queue (engine/engine.h E8). */
struct page_queue {
	struct page *next; /* whoever puts it there */
	u32 count;         /* atomic: what waits in this slab; not 0: it is there, or on its way */
};

/* What a slab has not, where no fault brings memory (engine/engine.h E9). */
struct page_holes {
	u64 pages;   /* bit i: page i has no memory */
	u32 objects; /* objects on these pages */
};

struct page {
	u8 kind;  /* enum page_kind */
	u8 order; /* free, slab, block: log2 of its pages; on a CPU's list also PAGE_RUN */
	union {
		u8 charged;  /* block, large: who pays is in bits (cache/account.h) */
		u8 arriving; /* slab: it is on the queue to join its node */
	};
	union {
		u8 discarded; /* slab: free pages inside were given back */
		u8 huge;      /* pool: its memory was asked for in large pages */
		u8 compound;  /* block: all of it stays until its last reference goes */
	};
	union {
		struct {
			u16 inuse; /* slab: objects that are not in the bitmap */
			u8 colour; /* slab: its offset, in units of the cache's colour_off */
			u8 hint;   /* slab: no bit is set in words before this one */
		};
		u32 used; /* pool: objects in use */
		u32 refs; /* block of alloc_pages: references, at least 1; atomic */
	};
	union {
		struct list link;        /* free: the zone's list; slab: one of its node */
		struct page_queue queue; /* the second page of a slab */
		struct page_holes holes; /* the third */
	};
	union {
		void *owner;  /* slab: its kmem_cache_node; pool: its pool; guard: its slot */
		size_t pages; /* large, PAGE_RUN: length of the run; free: dirty pages inside */
	};
	u64 bits[PAGE_ROOM]; /* slab, pool: 1 = free object; word w is in page w / PAGE_WORDS */
};

STATIC_ASSERT(sizeof(struct page) == PAGE_SIZE / 64, "the page map's arithmetic is by shifts");
STATIC_ASSERT(PAGE_WORDS * 64 * GRANULE_SIZE == PAGE_SIZE, "a bit for each granule");

/* A block of one page that is somebody's: one reference, nobody pays for it, no part of it may stay
 * alone. All of this lies in the descriptor's first word, so one look tells. */
#define PAGE_ONE ((u64)PAGE_BLOCK | (u64)1 << 32)

STATIC_ASSERT(offsetof(struct page, kind) == 0 && offsetof(struct page, refs) == 4 &&
		      __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "PAGE_ONE is kind and references");

static inline bool page_is_one(const struct page *p)
{
	return __atomic_load_n((const u64 *)(const void *)p, __ATOMIC_ACQUIRE) == PAGE_ONE;
}

static inline void page_set_one(struct page *p)
{
	__atomic_store_n((u64 *)(void *)p, PAGE_ONE, __ATOMIC_RELAXED);
}

/* Statistics of the floor; exact when nothing runs. */
struct page_stat {
	size_t online_pages; /* pages that have descriptors and may be allocated */
	size_t free_pages;   /* of these, on zone lists */
	size_t pcp_pages;    /* of these, on CPUs' lists */
	size_t dirty_pages;  /* free pages with memory behind them, zone lists */
	size_t refaulted;    /* pages allocated that had been given back, ever */
	size_t discarded;    /* pages given back, ever */
	size_t peak_pages;   /* most pages handed out at one time, with page_note_mapped's */
};

/* Build the floor on memory that the port gives, for the nodes that node_init has set up. false
 * iff there is none. Called once, single-threaded, before everything else here. */
bool page_init(size_t budget_bytes, unsigned cpus, size_t page_bytes);

/* A block of 2^order pages on @node or, without __GFP_THISNODE, the nearest that has one (N1 of
 * node.h); kind is PAGE_BLOCK.
 * *@zero is set iff it is known to read as zero. NULL iff there is none; waits for locks and
 * makes system calls only with __GFP_DIRECT_RECLAIM. Cost: a CPU's list, or splits. */
struct page *page_alloc(unsigned order, gfp_t gfp, unsigned node, bool *zero);
void page_free(struct page *head, unsigned order);

/* The same of a block in which some pages have no memory (bit i of @absent: page i), where no fault
 * brings it. */
void page_free_holed(struct page *head, u64 absent);

/* Up to @count single pages into @pages, as page_alloc gives them, with few locks for many; those
 * that do not read as zero are cleared with __GFP_ZERO. Returns how many. */
size_t page_alloc_bulk(struct page **pages, size_t count, gfp_t gfp, unsigned node);

/* Is there memory of the kind that @gfp asks for (zones.h)? Without DMA and DMA32: always. */
bool page_serves(gfp_t gfp);

/* The same for runs of any number of pages up to 2^MAX_ORDER, aligned to @align pages. */
struct page *page_alloc_exact(size_t count, size_t align, gfp_t gfp, unsigned node, bool *zero);
void page_free_exact(struct page *head, size_t count);

/* A block or run goes back to where it has just come from; waits only if @gfp may. */
void page_undo(struct page *head, size_t count, gfp_t gfp);

/* Take the @extra pages behind the run, if they are free, so that it grows in place.
 * *@zero tells whether the new part is known to read as zero. */
bool page_extend(struct page *head, size_t count, size_t extra, bool *zero);

/* Free pages become zero, without memory, until at most @keep are dirty. Returns how many
 * were given back. Makes system calls. */
size_t page_discard(size_t keep);

/* Large free blocks go offline: their commit charge goes back, too. */
size_t page_offline(void);

/* Return every CPU's list to its zone. */
void page_drain(void);

void page_stat(struct page_stat *stat);

/* The floors above have @pages pages mapped beside the arena: they count for the peak. */
void page_note_mapped(size_t pages);

/* Where the floor's figures lie, for tools that read them from outside. */
struct page_tables {
	const struct zone *zones;
	unsigned zone_count;
	const u32 *pcp_pages; /* the first CPU's; the next is pcp_step bytes on */
	size_t pcp_step;
	const size_t *peak_pages;
};
void page_tables(struct page_tables *tables);

/* Prove the rules of this floor; returns the number of faults, reports each. The caller
 * sees to it that nothing else runs. */
size_t page_audit(void);

/* The node whose memory a page is. */
unsigned page_node(const struct page *page);

/* The limit of the address space was lowered: of what is reserved and was never used, keep half of
 * what the limit leaves. Returns bytes of address space given back; on one node only. */
size_t page_lower(void);

/* fork: hold every lock of this floor; give them back (also in the child). */
void page_lock_all(void);
void page_unlock_all(void);

#endif
