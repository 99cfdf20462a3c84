/* SPDX-License-Identifier: MIT */
/*
 * extent.c - where an object or a block of pages begins and ends, for copies of users (slab)
 *
 * See     usercopy.c for the rules
 */
#include "cache/cache.h"
#include "cache/guard_slot.h"
#include "cache/hold.h"
#include "cache/kmalloc.h"
#include "cache/report.h"
#include "cache/usercopy.h"
#include "page/map.h"

static const char *extent_refuse_object(const struct kmem_cache_node *n, const char *p,
					size_t bytes)
{
	const struct kmem_cache *c = n->cache;
	bool whole = c->flags & SLAB_KMALLOC;
	struct usercopy_window w = { .from = whole ? 0 : c->useroffset, .whole = whole };
	struct slab_object o;

	if (!slab_find(n, p, &o))
		return "no object is there";
	if (!kmalloc_owns(o.start))
		return hold_is(o.start) ? "the object is held" : "the object is free";
	w.start = o.start;
	w.to = whole ? READ_ONCE(c->object_size) : w.from + c->usersize;
	return usercopy_refuse_window(&w, p, bytes);
}

static const char *extent_refuse_guarded(const struct guard_slot *s, const char *p, size_t bytes)
{
	const struct kmem_cache *c = s->cache; /* NULL: nobody's any more */
	struct usercopy_window w = { .start = s->object };

	if (!c || !guard_size(s->object))
		return "the object is free";
	w.whole = (c->flags & SLAB_KMALLOC) != 0;
	w.from = w.whole ? 0 : c->useroffset;
	w.to = w.whole ? s->size : w.from + c->usersize;
	return usercopy_refuse_window(&w, p, bytes);
}

/* Pages that are no slab's: of one large block, or of blocks that somebody has. */
static const char *extent_refuse_pages(const char *p, size_t bytes)
{
	size_t last = map_pfn(p + bytes - 1);
	const struct page *run = report_find_run(map_pfn(p));

	if (run && run->kind == PAGE_LARGE)
		return last >= map_page_pfn(run) + run->pages ? "it goes beyond the block" : NULL;
	for (size_t pfn = map_pfn(p); pfn <= last; pfn++)
		if (map.ids[pfn] != 0)
			return map.ids[pfn] == MAP_DIRTY ? "the memory is free" :
							   "it goes beyond the block";
	return NULL;
}

const char *usercopy_refuse_inside(const char *p, size_t bytes)
{
	u32 header_offset = map.ids[map_pfn(p)];

	if (cache_node_at(header_offset))
		return extent_refuse_object(cache_node_at(header_offset), p, bytes);
	if (map.pages[map_pfn(p)].kind == PAGE_GUARD)
		return guard_find(p) ? extent_refuse_guarded(guard_find(p), p, bytes) :
				       "no object is there";
	return extent_refuse_pages(p, bytes);
}
