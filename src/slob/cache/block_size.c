/* SPDX-License-Identifier: MIT */
/*
 * block_size.c - how long a block is, and what is at a pointer (see block.h)
 */
#include "cache/block.h"
#include "cache/report.h"

/* Usable bytes at @p; 0 iff no block in use starts there. *@is_object: it is a cache's. */
static size_t block_look(const void *p, bool *is_object)
{
	struct zone *z = pages_zone(p);
	struct slob_place place;
	const struct page *pg;
	struct page seen;

	if (!z)
		return 0;
	pg = &z->pages[pages_number(z, p)];
	seen = page_look(pg);
	if (seen.kind == PAGE_RUN && pages_address(z, pages_number(z, p)) == p) {
		*is_object = seen.list == RUN_OBJECT;
		if (seen.list >= RUN_BLOCK)
			return 0;
		return ((size_t)READ_ONCE(pg->next) << PAGE_SHIFT) -
		       (slob_waits(READ_ONCE(pg->prev)) ? SLOB_WAIT_BYTES : 0);
	}
	slob_find(z, p, &place);
	*is_object = place.id != 0;
	return place.found == SLOB_USED ? slob_usable(&place) : 0;
}

/* The same for a run: back to the page that begins it. */
static enum slob_found block_extent_run(struct zone *z, size_t i, const char **start, size_t *bytes,
					u16 *id)
{
	struct page seen = page_look(&z->pages[i]);
	size_t first = i;
	size_t pages;

	while (first && seen.kind == PAGE_TAIL)
		seen = page_look(&z->pages[--first]);
	pages = READ_ONCE(z->pages[first].next);
	if (seen.kind != PAGE_RUN || i - first >= pages || seen.list == RUN_HELD)
		return SLOB_UNUSED;
	*start = pages_address(z, first);
	*bytes = pages << PAGE_SHIFT;
	*id = seen.list == RUN_BLOCK ? 0 : (u16)READ_ONCE(z->pages[first].prev);
	return SLOB_INSIDE;
}

enum slob_found block_extent(const void *p, const char **start, size_t *bytes,
			     struct kmem_cache **c)
{
	struct zone *z = pages_zone(p);
	struct slob_place place;
	size_t i = pages_number(z, p);

	if (page_look(&z->pages[i]).kind == PAGE_SLOB) {
		slob_find(z, p, &place);
		*start = pages_address(z, i) + place.start * SLOB_UNIT + place.header;
		*bytes = slob_usable(&place);
	} else {
		place.found = block_extent_run(z, i, start, bytes, &place.id);
	}
	*c = place.found == SLOB_USED || place.found == SLOB_INSIDE ? cache_of(place.id) : NULL;
	return place.found;
}

bool block_is_used(const void *p)
{
	bool is_object;

	return block_look(p, &is_object) != 0;
}

size_t block_usable(const void *p, const char *function)
{
	bool is_object;
	size_t bytes = block_look(p, &is_object);

	if (unlikely(!bytes))
		report_pointer(function, p);
	return bytes;
}

size_t block_roundup(size_t size)
{
	size_t bytes = block_bytes(size);

	if (slob_fits(bytes - SLOB_HEADER_KMALLOC, BLOCK_ALIGN, SLOB_HEADER_KMALLOC))
		return bytes - SLOB_HEADER_KMALLOC;
	return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* Would a new block be as long as this one? */
static bool block_stays(struct zone *z, const void *p, size_t size, bool paid)
{
	struct slob_place place;

	if (size >= PAGE_SIZE)
		return false;
	slob_find(z, p, &place);
	return place.found == SLOB_USED && !place.id && (paid || place.payer) &&
	       block_bytes(size + (place.payer ? SLOB_UNIT : 0)) == place.units * SLOB_UNIT;
}

bool block_resize(void *p, size_t size, bool paid)
{
	struct zone *z = pages_zone(p);
	size_t i = pages_number(z, p);
	size_t pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct page seen = page_look(&z->pages[i]);
	struct slob_place place;

	if (seen.kind == PAGE_RUN) {
		size_t had = READ_ONCE(z->pages[i].next);

		if (PORT_SLOB_STEP && (paid || seen.units))
			return false;
		if (seen.list != RUN_KMALLOC ||
		    slob_fits(block_bytes(size), BLOCK_ALIGN, SLOB_HEADER_KMALLOC))
			return false;
		if (pages > had)
			return PORT_SLOB_STEP && pages_extend(z, i, pages);
		WRITE_ONCE(z->pages[i].next, (page_index)pages);
		if (pages < had)
			pages_give(z, i + pages, had - pages);
		return true;
	}
	if (!(PORT_SLOB_STEP && paid) && size < PAGE_SIZE &&
	    slob_resize(z, p, (u32)(block_bytes(size) / SLOB_UNIT), &place))
		return true;
	return PORT_SLOB_STEP && block_stays(z, p, size, paid);
}
