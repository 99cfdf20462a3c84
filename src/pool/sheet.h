/* SPDX-License-Identifier: MIT */
/*
 * sheet.h - one 2 MiB block cut into equal objects
 *
 * What    Which objects of a block are free, as bits in the descriptors of the block's own pages,
 *         under two levels of summary: finding the lowest free object is three
 *         counts of zeros, whatever the block looks like.
 *
 *           descriptor of   page 0   kind POOL, owner, link, objects in use
 *                           page 1   top: bit m is set iff middle word m is not 0
 *                           page 2+m middle word m: bit i is set iff bit word 64m+i is not 0
 *                           page w/4 bit word w: bit i is set iff object 64w+i is free
 *
 *         That is with pages of 4 KiB; PAGE_WORDS is 4 then. Pages of 64 KiB are too few for the
 *         summaries, and their descriptors so large that page 0's has room for all of them.
 *
 *         Where objects have callbacks they are at least 32 bytes, and the upper half of the bit
 *         words says of the same objects whether a callback runs on them.
 *
 * Why     The bits of seed 001's struct slab_obj, where nothing has to be allocated for them:
 *         a smallest object of 16 bytes has one bit in the four words of its page.
 * Rules   SH1  a bit of a summary is set iff the word that it stands for is not 0
 *         SH2  bits set + used == objects; bits behind the last object are clear
 *         SH3  an object whose bit is clear is in use, or, with its pending bit set, in a callback;
 *              a pending object is not free
 * Locks   the pool's; sheet_prepare needs none, as nobody knows the block yet
 * Cost    take, put: three words each. prepare: a word for 64 objects.
 */
#ifndef ASHLAR_POOL_SHEET_H
#define ASHLAR_POOL_SHEET_H

#include "page/map.h"

/* A sheet is 2 MiB, or the largest block of a machine that has none of that size. */
#define SHEET_ORDER (PORT_MAX_ORDER < 21 - PORT_PAGE_SHIFT ? PORT_MAX_ORDER : 21 - PORT_PAGE_SHIFT)
#define SHEET_PAGES ((size_t)1 << SHEET_ORDER)
#define SHEET_BYTES (PAGE_SIZE << SHEET_ORDER)

#define SHEET_WORDS (SHEET_PAGES * PAGE_WORDS)
#define SHEET_CALLBACK_MIN (2 * GRANULE_SIZE) /* bytes */

/* The top and the middle words; do they lie in a page's descriptor each? */
#define SHEET_SUMMARIES (1 + (SHEET_WORDS + 63) / 64)
#define SHEET_SPREADS (SHEET_SUMMARIES < SHEET_PAGES)

STATIC_ASSERT(SHEET_SUMMARIES <= 65, "one word says which middle words are not 0");
STATIC_ASSERT(SHEET_SPREADS || SHEET_SUMMARIES <= PAGE_ROOM - PAGE_WORDS, "summaries fit");
STATIC_ASSERT(sizeof(size_t) == sizeof(u64), "summaries lie in the descriptors' size_t");

/* How the sheets of a pool are cut; constant. */
struct cut {
	u32 stride;     /* bytes from object to object */
	u32 objects;    /* in one sheet */
	u64 reciprocal; /* ceil(2^43 / stride): exact for every offset below 2 MiB */
	bool callbacks; /* objects may be pending; the stride is at least SHEET_CALLBACK_MIN */
};

/* What is wrong with an address that is said to be an object in use. */
enum sheet_fault {
	SHEET_FINE,
	SHEET_FOREIGN, /* in no sheet of this owner */
	SHEET_FREE,    /* an object, but free */
	SHEET_PENDING, /* an object whose constructor or destructor runs */
	SHEET_INSIDE,  /* not the start of an object */
	SHEET_BEHIND,  /* behind the last object of the sheet */
};

void cut_choose(struct cut *cut, size_t stride, bool callbacks);

/* Make a block of SHEET_ORDER a sheet of @owner with all objects free. */
void sheet_prepare(struct page *head, const struct cut *cut, void *owner);

/* The reverse, for a sheet with no object in use: it is a block of pages again. */
void sheet_unmake(struct page *head);

/* The lowest free object, which is in use now; the sheet has one. */
void *sheet_take(struct page *head, const struct cut *cut);

/* A callback begins (@pending) or ends on an object that is not free. */
void sheet_set_pending(struct page *head, const struct cut *cut, const void *object, bool pending);

/* An object that is not free becomes free. */
void sheet_put(struct page *head, const struct cut *cut, const void *object);

/* Is @p an object in use of a sheet of @owner? */
enum sheet_fault sheet_look(const struct page *head, const struct cut *cut, const void *owner,
			    const void *p);

/* Objects 64 @word .. 64 @word + 63: which of them are in use and not pending, as bits. */
u64 sheet_used_word(const struct page *head, const struct cut *cut, unsigned word);

/* Faults against SH1..SH3. */
size_t sheet_audit(const struct page *head, const struct cut *cut);

/* The block of a sheet's size that @p is in, or NULL where there is no memory of ours. */
static inline struct page *sheet_head(const void *p)
{
	return map_contains(p) ? &map.pages[map_pfn(p) & ~(SHEET_PAGES - 1)] : NULL;
}

/* Number of the object that holds the byte at @p; at least cut->objects behind the last. */
static inline u32 sheet_index(const struct page *head, const struct cut *cut, const void *p)
{
	u64 offset = (u64)((const char *)p - (const char *)map_page_address(head));

	return (u32)(offset * cut->reciprocal >> 43);
}

static inline void *sheet_object(const struct page *head, const struct cut *cut, u32 index)
{
	return (char *)map_page_address(head) + (size_t)index * cut->stride;
}

static inline unsigned sheet_words(const struct cut *cut)
{
	return (cut->objects + 63) / 64;
}

#endif
