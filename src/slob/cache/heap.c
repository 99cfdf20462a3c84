/* SPDX-License-Identifier: MIT */
/*
 * heap.c - memory of the caller's own, how it fares, and how much is enough (ashlar/heap.h)
 */
#include "ashlar/heap.h"
#include "cache/account_object.h"
#include "cache/block.h"
#include "cache/near.h"
#include "cache/report.h"

/* What may be said of a region; kept for who asks for it, it must be good for something. */
#define HEAP_KNOWN (NEAR_KINDS | ASHLAR_HEAP_ASKED | (PORT_MAX_NODES > 1 ? ~0xffu : 0))

size_t ashlar_heap_add(void *start, size_t bytes, uint32_t attributes)
{
	if ((attributes & ~HEAP_KNOWN) || attributes >> 8 >= PORT_MAX_NODES ||
	    (attributes & 0xff) == ASHLAR_HEAP_ASKED) {
		report_refusal("ashlar_heap_add", "memory", "unknown attributes");
		return 0;
	}
	if (PORT_SLOB_STEP && (attributes & ASHLAR_HEAP_DMA))
		attributes |= ASHLAR_HEAP_DMA32;
	return pages_add(start, bytes, attributes) << PAGE_SHIFT;
}

/* Of @part in @whole, per 1,000, without a 64-bit product or division. */
static unsigned heap_per_mille(size_t part, size_t whole)
{
	while (whole > SIZE_MAX / 1024) {
		part /= 2;
		whole /= 2;
	}
	return whole ? (unsigned)(part * 1000 / whole) : 0;
}

void ashlar_heap_stat(struct ashlar_heap_stat *stat)
{
	struct slob_figures f = { 0 };
	size_t free_pages = 0, total = 0, least = 0, largest = 0;

	for (struct zone *z = pages_zones; z; z = z->next) {
		slob_figures(z, &f);
		total += READ_ONCE(z->nr_pages);
		free_pages += READ_ONCE(z->free_pages);
		least += READ_ONCE(z->least_pages);
		largest = size_max(largest, pages_largest(z));
	}
	*stat = (struct ashlar_heap_stat){
		.total_bytes = total << PAGE_SHIFT,
		.page_bytes = free_pages << PAGE_SHIFT,
		.free_bytes = (free_pages << PAGE_SHIFT) + f.free_units * SLOB_UNIT,
		.least_bytes = least << PAGE_SHIFT,
		.largest_bytes = largest ? largest << PAGE_SHIFT : f.largest,
		.blocks = f.free_blocks,
	};
	stat->used_bytes = stat->total_bytes - stat->free_bytes;
	stat->fragmented = heap_per_mille(stat->free_bytes - stat->largest_bytes, stat->free_bytes);
}

/* ---- the smallest region for a trace -------------------------------------------- */

struct heap_trace {
	const struct ashlar_heap_event *events;
	size_t count;
	void **slots;
	void *scratch;
};

/* Does it succeed in @bytes, alone? */
static bool heap_replay(const struct heap_trace *t, size_t bytes)
{
	struct zone *others = pages_zones;
	bool fits;

	pages_zones = NULL;
	fits = pages_add(t->scratch, bytes, 0) != 0;
	for (size_t i = 0; i < t->count; i++)
		t->slots[t->events[i].slot] = NULL;
	for (size_t i = 0; i < t->count && fits; i++) {
		void **slot = &t->slots[t->events[i].slot];

		if (*slot)
			block_free(*slot, NULL, "ashlar_heap_minimum");
		*slot = NULL;
		if (t->events[i].bytes) {
			*slot = block_alloc(t->events[i].bytes, BLOCK_ALIGN, NULL, GFP_NOWAIT, -1);
			fits = *slot != NULL;
		}
	}
	pages_zones = others;
	return fits;
}

/* More memory may fragment differently, so halving finds a size that is enough while the next
 * smaller one, by a pointer, is not; it is tried, not computed. */
size_t ashlar_heap_minimum(const struct ashlar_heap_event *events, size_t count, void **slots,
			   void *scratch, size_t bytes)
{
	struct heap_trace t = { events, count, slots, scratch };
	size_t enough = bytes / sizeof(void *) + 1; /* in pointers */
	size_t short_of = 0;

	if (!heap_replay(&t, bytes))
		return 0;
	while (enough - short_of > 1) {
		size_t middle = short_of + (enough - short_of) / 2;

		if (heap_replay(&t, middle * sizeof(void *)))
			enough = middle;
		else
			short_of = middle;
	}
	return size_min(enough * sizeof(void *), bytes);
}

/* ---- proof ------------------------------------------------------------------------ */

size_t ashlar_audit(void)
{
	size_t faults = 0;
	size_t objects = 0;

	if (PORT_SLOB_STEP)
		account_lock_all();
	init_guards(true);
	for (struct zone *z = pages_zones; z; z = z->next)
		faults += pages_audit(z) + slob_audit(z, 0, &objects);
	faults += cache_audit();
	if (PORT_SLOB_STEP)
		faults += account_audit() + account_audit_blocks();
	init_guards(false);
	if (PORT_SLOB_STEP)
		account_unlock_all();
	return faults;
}
