/* SPDX-License-Identifier: MIT */
/*
 * proof.c - how slob pages are filled, and the proof of their rules (see slob.h)
 */
#include "engine/words.h"

/* Bytes of the largest kmalloc that the free block at @at has room for: its header stands so that
 * the object is aligned, and its length is a multiple of that (SL7). */
static size_t slob_serves(const slob_word *base, unsigned at)
{
	unsigned skip = (0u - at - SLOB_HEADER_KMALLOC / SLOB_UNIT) & GRAIN_MASK;
	unsigned units = slob_units(base, at);

	units = units > skip ? (units - skip) & ~GRAIN_MASK : 0;
	return units ? units * SLOB_UNIT - SLOB_HEADER_KMALLOC : 0;
}

void slob_figures(struct zone *z, struct slob_figures *f)
{
	for (size_t i = 0; i < READ_ONCE(z->nr_pages); i++) {
		unsigned long were;
		struct shard *shard = slob_enter(z, i, &were);
		const slob_word *base = slob_words(z, i);

		if (!shard)
			continue;
		f->pages++;
		f->free_units += z->pages[i].units;
		for (unsigned at = z->pages[i].free;
		     z->pages[i].units && at != SLOB_END && slob_is_sound(base, at);
		     at = slob_next(base, at)) {
			f->free_blocks++;
			f->largest = size_max(f->largest, slob_serves(base, at));
		}
		guard_leave(&shard->lock, were);
	}
}

size_t slob_paid_units(struct zone *z)
{
	size_t sum = 0;

	for (size_t i = 0; i < z->nr_pages; i++) {
		const slob_word *base = slob_words(z, i);
		struct page seen = page_look(&z->pages[i]);
		unsigned free = seen.units ? seen.free : SLOB_END;
		struct slob_place place;

		for (unsigned at = 0; seen.kind == PAGE_SLOB && at < SLOB_END;) {
			if (at == free) {
				if (!slob_is_sound(base, at))
					break; /* slob_audit says so */
				at += slob_units(base, at);
				free = slob_next(base, free);
			} else {
				if (!slob_read_header(base, at, free, &place))
					break;
				if (PORT_SLOB_STEP && place.payer && place.payer != SLOB_NOBODY)
					sum += place.units;
				at += place.units;
			}
		}
	}
	return sum;
}

/* One page from end to end: free and used blocks tile it. */
static size_t slob_audit_page(const struct zone *z, size_t i, u16 id, size_t *objects)
{
	const slob_word *base = slob_words(z, i);
	const struct page *pg = &z->pages[i];
	unsigned free = pg->units ? pg->free : SLOB_END;
	unsigned units = 0;
	struct slob_place place;

	for (unsigned at = 0; at < SLOB_END;) {
		if (at == free) {
			if (!slob_is_sound(base, at))
				return 1; /* SL1, SL2 */
			units += slob_units(base, at);
			at += slob_units(base, at);
			free = slob_next(base, free);
		} else {
			if (!slob_read_header(base, at, free, &place))
				return 1; /* SL6 */
			*objects += place.id == id;
			at += place.units;
		}
	}
	return (size_t)(units != pg->units) + (units == SLOB_UNITS) + /* SL3, SL5 */
	       ((units == 0) != (pg->list == SLOB_FULL));             /* SL4 */
}

size_t slob_audit(struct zone *z, u16 id, size_t *objects)
{
	size_t listed = 0;
	size_t faults = 0;

	for (size_t i = 0; i < z->nr_pages; i++) {
		if (page_look(&z->pages[i]).kind != PAGE_SLOB)
			continue;
		faults += slob_audit_page(z, i, id, objects);
		listed += z->pages[i].list != SLOB_FULL;
	}
	for (unsigned s = 0; s < PORT_SLOB_SHARDS; s++) {
		for (unsigned list = 0; list < SLOB_FULL; list++) {
			page_index head = z->shard[s].head[list];
			page_index i = head;

			while (i != PAGE_NONE && listed) {
				faults += z->pages[i].kind != PAGE_SLOB ||
					  z->pages[i].list != list || z->pages[i].shard != s ||
					  z->pages[z->pages[i].next].prev != i;
				listed--;
				i = z->pages[i].next == head ? PAGE_NONE : z->pages[i].next;
			}
			faults += i != PAGE_NONE;
		}
	}
	return faults + (listed != 0); /* SL4: every one on its list */
}
