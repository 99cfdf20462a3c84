/* SPDX-License-Identifier: MIT */
/*
 * usercopy.c - what of an object may be copied to or from somebody who is not trusted
 *
 * What    From a range of addresses to the object it lies in, to the window of its cache. A copy
 *         that leaves the window would show or overwrite what the other side must not touch.
 * Rules   UC1 a range that is not wholly inside one object in use is refused
 *         UC2 kmalloc's objects and large blocks are windows from end to end; those of
 *             other caches only where the cache was created with one
 *         UC3 memory that is not ours is not judged
 * Source  Linux mm/usercopy.c for the rules
 */
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "cache/report.h"
#include "page/map.h"

/* Why the range may not be copied, or NULL. */
static const char *usercopy_refuse_object(const struct kmem_cache_node *n, const char *p,
					  size_t bytes)
{
	const struct kmem_cache *c = n->cache;
	size_t start = c->flags & SLAB_KMALLOC ? 0 : c->useroffset;
	size_t end = c->flags & SLAB_KMALLOC ? READ_ONCE(c->object_size) : start + c->usersize;
	struct slab_object o;
	size_t offset;

	if (!slab_find(n, p, &o))
		return "no object is there";
	if (!kmalloc_owns(o.start))
		return "the object is free";
	offset = (size_t)(p - (const char *)o.start);
	if (end == start)
		return "the cache has no user window";
	if (offset < start || offset >= end || bytes > end - offset)
		return c->flags & SLAB_KMALLOC ? "it goes beyond the object" :
						 "it goes beyond the user window";
	return NULL;
}

/* Pages that are no slab's: of one large block, or of blocks that somebody has. */
static const char *usercopy_refuse_pages(const char *p, size_t bytes)
{
	size_t last = map_pfn(p + bytes - 1);
	const struct page *run = report_find_head(map_pfn(p));

	if (run && run->kind == PAGE_LARGE)
		return last >= map_page_pfn(run) + run->pages ? "it goes beyond the block" : NULL;
	for (size_t pfn = map_pfn(p); pfn <= last; pfn++)
		if (map.ids[pfn] != 0)
			return map.ids[pfn] == MAP_DIRTY ? "the memory is free" :
							   "it goes beyond the block";
	return NULL;
}

static const char *usercopy_refuse(const char *p, size_t bytes)
{
	u32 header_offset;

	if (bytes == 0)
		return NULL;
	if (bytes - 1 > UINTPTR_MAX - (uintptr_t)p)
		return "it goes round the end of memory";
	if (!map_contains(p) && !map_contains(p + bytes - 1)) /* UC3 */
		return NULL;
	if (!map_contains(p) || !map_contains(p + bytes - 1))
		return "it goes beyond the block";
	header_offset = map.ids[map_pfn(p)];
	if (cache_node_at(header_offset))
		return usercopy_refuse_object(cache_node_at(header_offset), p, bytes);
	return usercopy_refuse_pages(p, bytes);
}

bool ashlar_usercopy_allowed(const void *p, size_t bytes)
{
	return usercopy_refuse(p, bytes) == NULL;
}

void check_object_size(const void *p, size_t bytes, bool to_user)
{
	const char *why = usercopy_refuse(p, bytes);

	if (why)
		report_usercopy(p, bytes, to_user, why);
}
