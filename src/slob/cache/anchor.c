/* SPDX-License-Identifier: MIT */
/*
 * anchor.c - what tools see of slob (see src/cache/anchor.h)
 *
 * What    Zones, descriptors of pages and caches, as they are; and sums of them for a record. A
 *         reader finds in the descriptors which pages are shared by blocks, and how much of them is
 *         free; a kmalloc's block is not counted anywhere, so there are bytes in use, not blocks.
 * State   ashlar_anchor, in .data (see src/cache/anchor.c)
 */
#include "cache/anchor.h"
#include "cache/account.h"
#include "cache/block.h"

#define ANCHOR_POINTER(type, member)                      \
	{                                                 \
		offsetof(type, member), sizeof(uintptr_t) \
	}
#define ANCHOR_FIELD(type, member)                                  \
	{                                                           \
		offsetof(type, member), sizeof(((type *)0)->member) \
	}

/* The 32 bits of a descriptor that are bit fields. */
#define ANCHOR_BITS_AT (2 * sizeof(page_index))
_Static_assert(ANCHOR_BITS_AT + sizeof(u32) == sizeof(struct page), "two numbers, then the bits");

#define ANCHOR_UNITS_ID 1u /* the row of all slob pages; those of caches come behind it */

struct ashlar_anchor ashlar_anchor = {
	.magic = ASHLAR_ANCHOR_MAGIC,
	.version = ASHLAR_ANCHOR_VERSION,
	.bytes = sizeof(struct ashlar_anchor),
	.state = ASHLAR_STATE_IDLE,
	.page_bytes = PAGE_SIZE,
	.nodes = { .step = sizeof(void *), .count = 1 },
	.regions = { .step = sizeof(void *) },
	.zones = { .step = sizeof(void *), .count = 1 },
	.pcps = { .step = sizeof(struct page) },
	.groups = { .step = sizeof(void *) },
	.group_bytes = sizeof(struct ashlar_group),
	.header_bytes = 16,
	.node_bytes = sizeof(void *),
	.cache_bytes = sizeof(struct kmem_cache) + CACHE_NAME_MAX,
	.zone_bytes = sizeof(struct zone),
	.nr_fields = ASHLAR_FIELDS,
	.percpu = "slob",
	.why = "blocks of any size share pages; there are no arrays",
	.fields = {
		[ASHLAR_CACHE_NAME] = { offsetof(struct kmem_cache, name), CACHE_NAME_MAX },
		[ASHLAR_CACHE_OBJECT_SIZE] = ANCHOR_FIELD(struct kmem_cache, object_size),
		[ASHLAR_CACHE_ALIGN] = ANCHOR_FIELD(struct kmem_cache, align),
		[ASHLAR_CACHE_FLAGS] = ANCHOR_FIELD(struct kmem_cache, flags),
		[ASHLAR_CACHE_CTOR] = ANCHOR_FIELD(struct kmem_cache, ctor),
		[ASHLAR_CACHE_NEXT] = ANCHOR_POINTER(struct kmem_cache, next),
		[ASHLAR_CACHE_LIVE] = ANCHOR_FIELD(struct kmem_cache, live),
		[ASHLAR_ZONE_NEXT] = ANCHOR_POINTER(struct zone, next),
		[ASHLAR_ZONE_PAGES] = ANCHOR_POINTER(struct zone, pages),
		[ASHLAR_ZONE_MANAGED] = ANCHOR_FIELD(struct zone, nr_pages),
		[ASHLAR_ZONE_FREE] = ANCHOR_FIELD(struct zone, free_pages),
		[ASHLAR_ZONE_DIRTY] = ANCHOR_FIELD(struct zone, dirty_pages),
		[ASHLAR_ZONE_LEAST] = ANCHOR_FIELD(struct zone, least_pages),
		[ASHLAR_GROUP_NAME] = ANCHOR_FIELD(struct ashlar_group, name),
		[ASHLAR_GROUP_BYTES] = ANCHOR_FIELD(struct ashlar_group, bytes),
		[ASHLAR_GROUP_PEAK] = ANCHOR_FIELD(struct ashlar_group, peak),
		[ASHLAR_GROUP_LIMIT] = ANCHOR_FIELD(struct ashlar_group, limit),
		[ASHLAR_GROUP_OBJECTS] = ANCHOR_FIELD(struct ashlar_group, objects),
		[ASHLAR_GROUP_REFUSED] = ANCHOR_FIELD(struct ashlar_group, refused),
		[ASHLAR_PAGE_COUNT] = ANCHOR_FIELD(struct page, next),
		[ASHLAR_PAGE_BITS] = { ANCHOR_BITS_AT, sizeof(u32) },
	},
};

void anchor_init(void)
{
	struct ashlar_anchor *a = &ashlar_anchor;
	const struct zone *z = pages_zones;

	a->arena = z ? (uintptr_t)z->base : 0;
	a->arena_bytes = z ? (u64)z->max_pages << PAGE_SHIFT : 0;
	a->zones.address = (uintptr_t)&pages_zones;
	a->nodes.address = (uintptr_t)cache_first();
	a->groups.address = (uintptr_t)account_groups;
	a->groups.count = ACCOUNT_GROUPS;
	STORE_RELEASE(a->state, ASHLAR_STATE_SERVING);
}

/* ---- for a record: nothing is locked, as the program may be at its end ---------------- */

void anchor_pages(struct ashlar_pages *pages)
{
	*pages = (struct ashlar_pages){ 0 };
	for (const struct zone *z = pages_zones; z; z = z->next) {
		size_t online = READ_ONCE(z->nr_pages);

		pages->peak += (u64)(online - READ_ONCE(z->least_pages)) << PAGE_SHIFT;
		pages->online += (u64)online << PAGE_SHIFT;
		pages->free += (u64)READ_ONCE(z->free_pages) << PAGE_SHIFT;
		pages->dirty += (u64)READ_ONCE(z->dirty_pages) << PAGE_SHIFT;
		for (size_t i = 0; i < online; i++)
			if (page_look(&z->pages[i]).kind == PAGE_RUN)
				pages->runs += (u64)READ_ONCE(z->pages[i].next) << PAGE_SHIFT;
	}
}

static void anchor_units(struct ashlar_row *row)
{
	*row = (struct ashlar_row){ .name = "slob-pages",
				    .slabs_grown = 1,
				    .object_size = SLOB_UNIT,
				    .stride = SLOB_UNIT,
				    .objects = SLOB_UNITS,
				    .align = SLOB_UNIT,
				    .kind = ASHLAR_ROW_UNITS };
	for (const struct zone *z = pages_zones; z; z = z->next) {
		for (size_t i = 0; i < READ_ONCE(z->nr_pages); i++) {
			struct page seen = page_look(&z->pages[i]);

			if (seen.kind != PAGE_SLOB)
				continue;
			row->slabs++;
			row->objects_free += seen.units;
			row->slabs_full += seen.units == 0;
		}
	}
	row->slabs_peak = row->slabs;
}

bool anchor_row(u32 id, struct ashlar_row *row)
{
	const struct kmem_cache *c = *cache_first();

	if (id == ANCHOR_UNITS_ID) {
		anchor_units(row);
		return true;
	}
	for (u32 i = ANCHOR_UNITS_ID + 1; i < id && c; i++)
		c = c->next;
	if (id == 0 || !c)
		return false;
	*row = (struct ashlar_row){ .slabs = READ_ONCE(c->live),
				    .slabs_peak = READ_ONCE(c->live),
				    .slabs_grown = 1,
				    .object_size = c->object_size,
				    .stride = c->object_size + SLOB_HEADER_OBJECT,
				    .objects = 1,
				    .align = c->align,
				    .ctor = (uintptr_t)c->ctor,
				    .flags = c->flags,
				    .kind = ASHLAR_ROW_INSIDE };
	for (size_t n = 0; c->name[n]; n++)
		row->name[n] = c->name[n];
	return true;
}
