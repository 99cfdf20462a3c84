/* SPDX-License-Identifier: MIT */
/*
 * heap_slob.c - the figures of a process on the slob engine, read from outside
 *
 * What    Zones and caches are lists there, and a page's descriptor says whether blocks share it.
 *         The walk is bounded: a damaged process has lists without end.
 */
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "heap_reader.h"
#include "target.h"

#define SLOB_ZONES_MAX 64u
#define SLOB_CACHES_MAX 4096u
#define SLOB_PAGES_MAX ((uint64_t)1 << 32)
#define SLOB_DESCRIPTORS 1024u /* read at once */

/* Of ASHLAR_PAGE_BITS. */
#define SLOB_KIND(bits) ((bits)&3u)
#define SLOB_FREE_UNITS(bits) ((bits) >> 8 & 0xfffu)
enum slob_kind { SLOB_KIND_PAGE = 2, SLOB_KIND_RUN = 3 };

#define SLOB_HEADER 4u /* before an object of a cache */

bool heap_is_slob(const struct heap *h)
{
	return strcmp(h->percpu, "slob") == 0;
}

static void slob_take_page(struct heap *h, const struct heap_reader *r, struct ashlar_row *units,
			   const unsigned char *page)
{
	size_t bytes = r->a.pcps.step;
	uint32_t bits = (uint32_t)heap_field(r, page, bytes, ASHLAR_PAGE_BITS);

	if (SLOB_KIND(bits) == SLOB_KIND_RUN)
		heap_add(&h->pages.runs, heap_field(r, page, bytes, ASHLAR_PAGE_COUNT),
			 h->page_bytes);
	if (SLOB_KIND(bits) != SLOB_KIND_PAGE)
		return;
	units->slabs++;
	units->objects_free += SLOB_FREE_UNITS(bits);
	units->slabs_full += SLOB_FREE_UNITS(bits) == 0;
}

/* All descriptors of a zone; what cannot be read ends the walk. */
static void slob_take_pages(struct heap *h, const struct heap_reader *r, struct ashlar_row *units,
			    uint64_t zone)
{
	uint64_t at = heap_figure(r, zone, ASHLAR_ZONE_PAGES);
	uint64_t left = heap_figure(r, zone, ASHLAR_ZONE_MANAGED);
	size_t step = r->a.pcps.step;
	unsigned char *pages = tool_alloc(SLOB_DESCRIPTORS * step);

	if (left > SLOB_PAGES_MAX)
		left = 0;
	while (left) {
		size_t n = left < SLOB_DESCRIPTORS ? (size_t)left : SLOB_DESCRIPTORS;

		if (!target_read(r->t, at, pages, n * step))
			break;
		for (size_t i = 0; i < n; i++)
			slob_take_page(h, r, units, pages + i * step);
		at += n * step;
		left -= n;
	}
	free(pages);
}

static void slob_take_zones(struct heap *h, const struct heap_reader *r, struct ashlar_row *units)
{
	struct ashlar_pages *p = &h->pages;
	uint64_t page = h->page_bytes;
	uint64_t zone = heap_pointer(r, &r->a.zones, 0);

	for (unsigned i = 0; zone && i < SLOB_ZONES_MAX; i++) {
		uint64_t managed = heap_figure(r, zone, ASHLAR_ZONE_MANAGED);
		uint64_t least = heap_figure(r, zone, ASHLAR_ZONE_LEAST);

		heap_add(&p->online, managed, page);
		heap_add(&p->free, heap_figure(r, zone, ASHLAR_ZONE_FREE), page);
		heap_add(&p->dirty, heap_figure(r, zone, ASHLAR_ZONE_DIRTY), page);
		heap_add(&p->peak, managed > least ? managed - least : 0, page);
		slob_take_pages(h, r, units, zone);
		zone = heap_figure(r, zone, ASHLAR_ZONE_NEXT);
	}
}

/* A cache's objects are counted; where they lie is counted with the pages. */
static void slob_take_cache(const struct heap_reader *r, const unsigned char *cache,
			    struct ashlar_row *row)
{
	size_t bytes = r->a.cache_bytes;
	uint64_t live = heap_field(r, cache, bytes, ASHLAR_CACHE_LIVE);
	uint32_t size = (uint32_t)heap_field(r, cache, bytes, ASHLAR_CACHE_OBJECT_SIZE);

	*row = (struct ashlar_row){
		.slabs = live,
		.slabs_peak = live,
		.slabs_grown = 1,
		.object_size = size,
		.stride = size + SLOB_HEADER,
		.objects = 1,
		.align = (uint32_t)heap_field(r, cache, bytes, ASHLAR_CACHE_ALIGN),
		.flags = (uint32_t)heap_field(r, cache, bytes, ASHLAR_CACHE_FLAGS),
		.ctor = heap_field(r, cache, bytes, ASHLAR_CACHE_CTOR),
		.kind = ASHLAR_ROW_INSIDE,
	};
	heap_take_name(r, cache, row);
}

static void slob_take_caches(struct heap *h, const struct heap_reader *r)
{
	uint64_t at = heap_pointer(r, &r->a.nodes, 0);
	unsigned char *cache = tool_alloc(r->a.cache_bytes + 1);

	while (at && h->nr_rows < SLOB_CACHES_MAX &&
	       target_read(r->t, at, cache, r->a.cache_bytes)) {
		slob_take_cache(r, cache, &h->rows[h->nr_rows++]);
		at = heap_field(r, cache, r->a.cache_bytes, ASHLAR_CACHE_NEXT);
	}
	free(cache);
}

void heap_take_slob(struct heap *h, const struct heap_reader *r)
{
	struct ashlar_row *units;

	h->rows = tool_alloc(SLOB_CACHES_MAX * sizeof(h->rows[0]));
	units = &h->rows[h->nr_rows++];
	*units = (struct ashlar_row){ .name = "slob-pages",
				      .slabs_grown = 1,
				      .object_size = 2,
				      .stride = 2,
				      .objects = (uint32_t)(h->page_bytes / 2),
				      .align = 2,
				      .kind = ASHLAR_ROW_UNITS };
	slob_take_zones(h, r, units);
	units->slabs_peak = units->slabs;
	slob_take_caches(h, r);
}
