/* SPDX-License-Identifier: MIT */
/*
 * slob_help.h - what the tests of slob share
 */
#ifndef ASHLAR_TEST_SLOB_HELP_H
#define ASHLAR_TEST_SLOB_HELP_H

#include "ashlar/heap.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "sim_help.h"

static inline bool slob_setup(void)
{
	sim_reset();
	return init_ready();
}

static inline struct page *page_of(const void *p)
{
	struct zone *z = pages_zone(p);

	return &z->pages[pages_number(z, p)];
}

/* Offset of @p's block in its page, units. */
static inline unsigned start_of(const void *p)
{
	struct slob_place place;

	slob_find(pages_zone(p), p, &place);
	return place.start;
}

static inline unsigned units_of(const void *p)
{
	struct slob_place place;

	slob_find(pages_zone(p), p, &place);
	return place.units;
}

static inline const int16_t *words_of(const void *p)
{
	return (const int16_t *)((uintptr_t)p & ~(uintptr_t)(PAGE_SIZE - 1));
}

/* A cache of objects whose blocks have @units, aligned to 2. */
static inline struct kmem_cache *cache_of_units(unsigned units)
{
	struct kmem_cache *c = kmem_cache_create("units", units * 2 - 4, 2, 0, NULL);

	if (c)
		c->align = 2;
	return c;
}

/* An object of @c whose block is of @units, from the engine: no smaller than units are. */
static inline void *object_of_units(struct kmem_cache *c, unsigned units)
{
	const struct slob_request r = {
		.units = units, .align = 2, .header = SLOB_HEADER_OBJECT, .id = c->id
	};
	const void *damaged = NULL;

	c->live++;
	return slob_alloc(pages_zones, &r, &damaged);
}

/* Pages that are not free. */
static inline size_t pages_taken(void)
{
	size_t n = 0;

	for (const struct zone *z = pages_zones; z; z = z->next)
		n += z->nr_pages - z->free_pages;
	return n;
}

#endif
