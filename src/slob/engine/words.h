/* SPDX-License-Identifier: MIT */
/*
 * words.h - the words of a slob page: how free and used blocks are written (SL1, SL6)
 *
 * What    For slob.c and proof.c alone.
 */
#ifndef ASHLAR_SLOB_WORDS_H
#define ASHLAR_SLOB_WORDS_H

#include "engine/slob.h"

typedef int16_t slob_word;

/* A header: length, check bits above it, the bit of an id on top (SL6). */
#define LENGTH_BITS ((unsigned)PORT_PAGE_SHIFT)
#define LENGTH_MASK ((1u << LENGTH_BITS) - 1)
#define CHECK_MASK ((1u << (15 - LENGTH_BITS)) - 1)
#define HAS_ID 0x8000u

/* SL7: lowest bits of a length without an id, highest of an id: 0, but for one that says held. */
#define GRAIN_MASK ((unsigned)PORT_SLOB_ALIGN / SLOB_UNIT - 1)
#define GRAIN_HELD 1u
#define GRAIN_PAID (PORT_SLOB_STEP ? 4u : 0u) /* SL9 */
#define ID_SPARE (PORT_SLOB_STEP ? 0xe000u : 0xf000u)
#define ID_HELD 0x8000u
#define ID_PAID (PORT_SLOB_STEP ? 0x4000u : 0u)
_Static_assert((ID_SPARE & ((SLOB_IDS - 1) | SLOB_WAITS)) == 0,
	       "ids leave the bits that SL7 speaks of");
_Static_assert(!PORT_SLOB_STEP || (GRAIN_MASK & ~(GRAIN_HELD | GRAIN_PAID) & SLOB_WAITS) != 0,
	       "a bit of SL8 tells an id from a kmalloc's header");
_Static_assert((GRAIN_MASK & GRAIN_PAID) == GRAIN_PAID, "SL9 has a bit in a kmalloc's header");

static inline slob_word *slob_words(const struct zone *z, size_t i)
{
	return (slob_word *)(void *)pages_address(z, i);
}

/* ---- free blocks: SL1 ------------------------------------------------------------ */

static inline unsigned slob_units(const slob_word *base, unsigned at)
{
	return base[at] > 0 ? (unsigned)base[at] : 1;
}

static inline unsigned slob_next(const slob_word *base, unsigned at)
{
	return (unsigned)(base[at] > 0 ? base[at + 1] : -base[at]);
}

static inline void slob_set(slob_word *base, unsigned at, unsigned units, unsigned next)
{
	if (units > 1) {
		base[at] = (slob_word)units;
		base[at + 1] = (slob_word)next;
	} else {
		base[at] = (slob_word) - (int)next;
	}
}

/* Is the free block at @at what it should be (SL2)? */
static inline bool slob_is_sound(const slob_word *base, unsigned at)
{
	unsigned end, next;

	guard_step();
	if (at >= SLOB_END || (at == SLOB_END - 1 && base[at] > 0))
		return false;
	end = at + slob_units(base, at);
	next = slob_next(base, at);
	return next <= SLOB_END && (end < next || (end == SLOB_END && next == SLOB_END));
}

/* ---- headers: SL6 ----------------------------------------------------------------- */

static inline unsigned slob_check(unsigned at, unsigned units)
{
	unsigned mixed = (at ^ units * 5u) + 0x2bu;

	return (mixed ^ mixed >> 3 ^ mixed >> 7) & CHECK_MASK;
}

static inline void slob_set_header(slob_word *base, unsigned at, unsigned units, unsigned id)
{
	unsigned header = units | slob_check(at, units) << LENGTH_BITS;

	base[at] = (slob_word)(u16)(header | (id ? HAS_ID : 0));
	if (id)
		base[at + 1] = (slob_word)(u16)id;
}

/* SL9: the last unit of a block that begins at @at. */
static inline unsigned slob_payer_word(unsigned at, unsigned payer)
{
	unsigned mixed = (at * 7u ^ payer * 5u) + 0x35u;

	return payer | (((mixed ^ mixed >> 4 ^ mixed >> 8) & 0xf) << 12);
}

/* The block with this header says who pays for it. */
static inline void slob_set_payer(slob_word *base, unsigned at, unsigned units, unsigned payer)
{
	if ((u16)base[at] & HAS_ID)
		base[at + 1] = (slob_word)((u16)base[at + 1] | ID_PAID);
	else
		base[at] = (slob_word)((u16)base[at] | GRAIN_PAID);
	base[at + units - 1] = (slob_word)(u16)slob_payer_word(at, payer);
}

/* 0 iff the block says nothing that could have been written down. */
static inline unsigned slob_read_payer(const slob_word *base, unsigned at, unsigned units)
{
	unsigned word = (u16)base[at + units - 1];
	unsigned payer = word & SLOB_NOBODY;

	return word == slob_payer_word(at, payer) ? payer : 0;
}

/* What of a header without an id is no length. */
static inline unsigned slob_spare(unsigned header)
{
	return header & HAS_ID ? 0 : header & GRAIN_MASK;
}

/* The units of the used block at @at, which must end at or before @limit; 0 iff none can start
 * there. Whoever walks over a block looks at no more than this. */
static inline unsigned slob_used_units(const slob_word *base, unsigned at, unsigned limit)
{
	unsigned header = (u16)base[at];
	unsigned units = (header & LENGTH_MASK) - slob_spare(header);
	unsigned bytes = header & HAS_ID ? SLOB_HEADER_OBJECT : SLOB_HEADER_KMALLOC;

	guard_step();
	if (units <= bytes / SLOB_UNIT || units > limit - at ||
	    (header >> LENGTH_BITS & CHECK_MASK) != slob_check(at, units))
		return 0;
	return units;
}

/* All that the used block of @units at @at says; false iff it says what none can. */
static inline bool slob_read_block(const slob_word *base, unsigned at, unsigned units,
				   struct slob_place *place)
{
	unsigned header = (u16)base[at];
	unsigned spare = slob_spare(header);
	unsigned id = header & HAS_ID ? (u16)base[at + 1] : 0;

	if ((spare & ~(GRAIN_HELD | GRAIN_PAID)) || (id & ID_SPARE & ~(ID_HELD | ID_PAID)) ||
	    (slob_waits(id) && (id & SLOB_WAITS) != SLOB_WAITS)) /* SL7, SL8 */
		return false;
	if (PORT_SLOB_STEP) {
		bool paid = (spare & GRAIN_PAID) || (id & ID_PAID);

		place->payer = (u16)(paid ? slob_read_payer(base, at, units) : 0);
		if (paid && !place->payer) /* SL9 */
			return false;
	}
	place->start = (u16)at;
	place->units = (u16)units;
	place->header = header & HAS_ID ? SLOB_HEADER_OBJECT : SLOB_HEADER_KMALLOC;
	place->id = (u16)(id & ~ID_SPARE);
	place->held = (spare & GRAIN_HELD) || (id & ID_HELD);
	return true;
}

/* The used block at @at, which must end at or before @limit; false iff none can start there. */
static inline bool slob_read_header(const slob_word *base, unsigned at, unsigned limit,
				    struct slob_place *place)
{
	unsigned units = slob_used_units(base, at, limit);

	return units && slob_read_block(base, at, units, place);
}

/* ---- the guard of a page ----------------------------------------------------------- */

/* Whose page it may be. */
static always_inline struct shard *slob_shard(struct zone *z, size_t i)
{
	return &z->shard[page_look(&z->pages[i]).shard & (PORT_SLOB_SHARDS - 1)];
}

/* Is it a slob page of this shard, whose guard is held? Then it stays so. */
static always_inline bool slob_is_of(struct zone *z, size_t i, const struct shard *shard)
{
	struct page seen = page_look(&z->pages[i]);

	return seen.kind == PAGE_SLOB && shard == &z->shard[seen.shard];
}

/* Enter the guard of the slob page that @p is in: NULL, and no guard, iff it is in none. A user of
 * a block in it keeps the page what it is. */
static inline struct shard *slob_enter(struct zone *z, size_t i, unsigned long *were)
{
	struct shard *shard = slob_shard(z, i);

	*were = guard_enter(&shard->lock);
	if (slob_is_of(z, i, shard))
		return shard;
	guard_leave(&shard->lock, *were);
	return NULL;
}

#endif
