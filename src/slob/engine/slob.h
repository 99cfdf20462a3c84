/* SPDX-License-Identifier: MIT */
/*
 * slob.h - pages become blocks of any size, two bytes a unit
 *
 * What    A slob page is cut into blocks as they are asked for. Its free blocks are a list in
 *         order of address that lies in the blocks themselves; a used block begins with a
 *         header that says how long it is. Both together tile the page, so a walk tells of any
 *         pointer whether a block starts there, and which.
 * Nouns   unit    2 bytes
 *         block   units that belong together: free, or a header and an object
 *         header  2 bytes before a kmalloc, 4 before a cache's object
 *
 *            0   1   2  ...                         units per page
 *           ┌───┬───┬────────┬───┬───┬───────┬───┬───────┐
 *           │len│id │ object │len│next       │len│ object│
 *           └───┴───┴────────┴───┴───┴───────┴───┴───────┘
 *            a cache's block  a free block    a kmalloc
 *
 * Rules   SL1 a free block of one unit is -(offset of the next); a longer one is its length, then
 *             that offset; the last one's next is the end of the page
 *         SL2 free blocks ascend, and no two touch: they would have merged
 *         SL3 units == sum of the lengths of free blocks
 *         SL4 a page is on a list of its shard iff 0 < units; on small, medium or large by what it
 *             served first, and by what was freed first when it had been full
 *         SL5 a page without a used block goes back to the zone in the call that emptied it
 *         SL6 a header is the length, check bits made of length and place, and a bit that says
 *             whether an id follows
 *         SL7 the length of a block without an id is a multiple of PORT_SLOB_ALIGN bytes, an id is
 *             below SLOB_IDS; of the bits that are free so one says that the block is held
 *             (cache/hold.h), which for a free is as if it were free; the others are 0
 *         SL8 an object that is to wait for readers (cache/grace.h) has an id from SLOB_IDS on
 *             with the bits SLOB_WAITS, one of which no kmalloc's header has; it ends with room
 *             to be queued, and slob_free wants SLOB_EVERY for it. Not on small machines
 *         SL9 a block that somebody pays for ends with a unit that says who, and check bits made of
 *             that and of its place; a bit of its header or id says so. Not on small machines
 * Search  SLOB_SEARCH pages of a list are looked at, from where the last search ended; then a page
 *         is taken. Only where there is none all lists are searched to their ends.
 * Locks   the shard's guard
 * Source  Knuth, The Art of Computer Programming 1, 2.5 (first fit, rotation, merging)
 */
#ifndef ASHLAR_SLOB_SLOB_H
#define ASHLAR_SLOB_SLOB_H

#include "page/pages.h"

#define SLOB_UNIT 2u
#define SLOB_UNITS (1u << (PORT_PAGE_SHIFT - 1)) /* of a page */
#define SLOB_END SLOB_UNITS                      /* offset behind the last */

/* Blocks below these many bytes, header included, are small and medium. */
#define SLOB_BREAK_SMALL (PAGE_SIZE / 16)
#define SLOB_BREAK_MEDIUM (PAGE_SIZE / 4)

/* Pages that a search looks at before a new page is taken. */
#define SLOB_SEARCH ((unsigned)PORT_SLOB_SEARCH)

#define SLOB_IDS 0x1000u /* ids are 1 .. this - 1, and from here on those of SL8 */
#define SLOB_WAITS (PORT_SLOB_STEP ? SLOB_IDS | 2u : 0u)
#define SLOB_WAIT_BYTES (2 * sizeof(void *))
#define SLOB_PAYERS 0xfffu /* who pays is 1 .. this - 1 (SL9), */
#define SLOB_NOBODY 0xfffu /* or nobody, though there is room to say so */
#define SLOB_HEADER_KMALLOC 2u
#define SLOB_HEADER_OBJECT 4u

/* Bytes of the shortest block in use: L of ashlar/heap.h. */
#define SLOB_LEAST                                                                 \
	(PORT_SLOB_STEP ? SLOB_HEADER_OBJECT + (unsigned)sizeof(void *) :          \
	 PORT_SLOB_ALIGN < SLOB_HEADER_OBJECT + SLOB_UNIT ? PORT_SLOB_ALIGN + 0u : \
							    SLOB_HEADER_OBJECT + SLOB_UNIT)

/* What is asked for. */
struct slob_request {
	u32 units;  /* of the block, header included */
	u32 align;  /* bytes, of the object: a power of two, at least 2 */
	u16 header; /* bytes */
	u16 id;     /* of the cache; 0: kmalloc */
	u16 payer;  /* SL9; 0: there is no room */
};

enum slob_found {
	SLOB_USED,    /* a used block's object starts here */
	SLOB_UNUSED,  /* inside a free block, held, or in a page that is no slob page any more */
	SLOB_INSIDE,  /* inside a used block */
	SLOB_DAMAGED, /* the blocks before it do not tile the page */
};

/* What is at a pointer. */
struct slob_place {
	enum slob_found found;
	u16 start;  /* of its block, units */
	u16 units;  /* of its block */
	u16 header; /* bytes */
	u16 id;     /* of the cache; 0: kmalloc */
	u16 before; /* the free block before it; SLOB_END: none */
	u16 after;  /* the free block behind it; SLOB_END: none */
	u16 payer;  /* who pays (SL9); 0: it says nothing */
	bool held;  /* SL7: @found is UNUSED then */
};

/* Does an object with this id wait for readers (SL8)? */
static inline bool slob_waits(unsigned id)
{
	return (id & SLOB_WAITS & SLOB_IDS) != 0;
}

/* Bytes that the user of a used block may use. */
static inline size_t slob_usable(const struct slob_place *place)
{
	return place->units * SLOB_UNIT - place->header -
	       (slob_waits(place->id) ? SLOB_WAIT_BYTES : 0) -
	       (PORT_SLOB_STEP && place->payer ? SLOB_UNIT : 0);
}

/* Does such an object fit into a page? */
static inline bool slob_fits(size_t bytes, size_t align, size_t header)
{
	return align < PAGE_SIZE && bytes <= PAGE_SIZE &&
	       size_align(header, align) + bytes <= PAGE_SIZE;
}

/* An object in zone @z: from a page of this CPU's shard, or a new page. NULL iff there is neither;
 * *@damaged is a page whose free blocks are not what they should be, then and only then. */
void *slob_alloc(struct zone *z, const struct slob_request *r, const void **damaged);

/* The same from any page of any shard, without bound; no new page. */
void *slob_alloc_anywhere(struct zone *z, const struct slob_request *r, const void **damaged);

/* What is at @p, which is in zone @z? */
void slob_find(struct zone *z, const void *p, struct slob_place *place);

/* Free the object at @p iff one is in use there and it is what @id says: of that cache, or of any,
 * but for those that wait (SL8), or really of any. *@place says what was found. Returns whether it
 * was freed. */
#define SLOB_ANY 0xffffu
#define SLOB_EVERY 0xfffeu
bool slob_free(struct zone *z, const void *p, u16 id, struct slob_place *place);

/* The same for who may not wait: each lock is tried. An object, also of other shards; NULL where
 * nothing is at hand. Free the kmalloc block in use at @p; false iff it is not freed: a lock was
 * held, somebody pays for it, it may not be done now (@now), or there is no such block. The last is
 * what *@found, else SLOB_USED, says: it could be seen. */
void *slob_try_alloc(struct zone *z, const struct slob_request *r);
bool slob_try_free(struct zone *z, const void *p, bool now, enum slob_found *found);

/* Let the kmalloc block at @p, which is in use, have @units: its tail becomes free, or the free
 * block behind it is used. false iff that is too short, or somebody pays for the block. */
bool slob_resize(struct zone *z, const void *p, u32 units, struct slob_place *place);

/* The block in use at @p becomes held; back iff not @held. false, with *@place told, iff there is
 * none that is not, is. */
bool slob_hold(struct zone *z, const void *p, bool held, struct slob_place *place);

/* Does a free of @id mean an object of the cache with id @of? */
static inline bool slob_means(u16 id, unsigned of)
{
	if (PORT_SLOB_STEP && unlikely(slob_waits(of)))
		return id == SLOB_EVERY;
	return id == SLOB_ANY || id == of || (PORT_SLOB_STEP && id == SLOB_EVERY);
}

/* The block at @p, whose user is about to free it or who holds it, as its header says, without a
 * lock; false where its id has not the bits SLOB_WAITS. What @p is else does no harm. */
bool slob_find_waiting(const struct zone *z, const void *p, struct slob_place *place);

/* How a zone's slob pages are filled. */
struct slob_figures {
	size_t pages;
	size_t free_units;  /* in these */
	size_t free_blocks; /* in these */
	size_t largest;     /* kmalloc that fits into one, bytes */
};
void slob_figures(struct zone *z, struct slob_figures *f);

/* Units of blocks that somebody pays for. All stands still. */
size_t slob_paid_units(struct zone *z);

/* Prove the rules; adds the objects in use of cache @id to *@objects. */
size_t slob_audit(struct zone *z, u16 id, size_t *objects);

#endif
