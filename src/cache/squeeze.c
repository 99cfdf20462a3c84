/* SPDX-License-Identifier: MIT */
/*
 * squeeze.c - see squeeze.h
 *
 * State   squeeze: of the one thread that is at it
 */
#include "cache/squeeze.h"
#include "base/bitmap.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/reclaim.h"
#include "port/port.h"

STATIC_ASSERT(SQUEEZE_OBJECTS >= CONFIG_BATCH_MAX, "what one array holds is copied at once");

static struct {
	u32 busy;                       /* SQ1 */
	u64 ids[CONFIG_MAX_IDS / 64];   /* the nodes that are visited (SQ2) */
	void *objects[SQUEEZE_OBJECTS]; /* what one CPU's arrays gave */
} squeeze;

/* Objects into their slabs: what one array gave lies together. */
static void squeeze_put(unsigned count)
{
	for (unsigned i = 0; i < count;) {
		u16 id = map.ids[map_pfn(squeeze.objects[i])];
		unsigned run = 1;

		while (i + run < count && map.ids[map_pfn(squeeze.objects[i + run])] == id)
			run++;
		slab_put_home(map_id(id)->node, &squeeze.objects[i], run);
		i += run;
	}
}

/* SQ3 */
static void squeeze_cpu(unsigned cpu, bool all)
{
	if (!array_is_due(cpu, squeeze.ids, all))
		return;
	for (u32 id = 0; id < CONFIG_MAX_IDS;)
		squeeze_put(array_gather(cpu, squeeze.ids, all, squeeze.objects, &id));
}

static void squeeze_node(struct kmem_cache_node *n, bool all)
{
	struct list emptied;
	bool holes;

	list_init(&emptied);
	holes = slab_squeeze(n, all, &emptied);
	if (!list_is_empty(&emptied))
		reclaim_release(&emptied);
	if (unlikely(holes) && cache_may_discard(n->cache))
		slab_discard(n);
}

/* The first visited node with an id from *@id on, which moves behind it; NULL: there is none. */
static struct kmem_cache_node *squeeze_next(const u64 *ids, size_t *id)
{
	size_t found = bitmap_find(ids, *id, CONFIG_MAX_IDS, true);

	if (found == CONFIG_MAX_IDS)
		return NULL;
	*id = found + 1;
	return map_ids[found].node;
}

/* Every visit ends here. */
static void squeeze_nodes(bool all)
{
	struct kmem_cache_node *n;
	size_t id = 0;

	while ((n = squeeze_next(squeeze.ids, &id))) {
		squeeze_node(n, all);
		cache_leave(n);
	}
}

static bool squeeze_begin(void)
{
	return !__atomic_exchange_n(&squeeze.busy, 1, __ATOMIC_ACQUIRE);
}

/* SQ1: whoever began does this. */
static void squeeze_run(bool all)
{
	cache_visit_all(squeeze.ids);
	for (unsigned cpu = 0; cpu < array_cpu_end(); cpu++)
		squeeze_cpu(cpu, all);
	squeeze_nodes(all);
	__atomic_store_n(&squeeze.busy, 0, __ATOMIC_RELEASE);
}

void squeeze_caches(bool all)
{
	while (!squeeze_begin()) {
		if (!all)
			return;
		port_yield();
	}
	squeeze_run(all);
}

bool squeeze_try(void)
{
	if (!squeeze_begin())
		return false;
	squeeze_run(true);
	return true;
}

size_t squeeze_idle(void)
{
	u64 ids[CONFIG_MAX_IDS / 64];
	struct kmem_cache_node *n;
	size_t bytes = 0;
	size_t id = 0;

	cache_visit_all(ids);
	while ((n = squeeze_next(ids, &id))) {
		bytes += slab_ready(n) * n->shape->stride;
		cache_leave(n);
	}
	return bytes;
}

size_t squeeze_discard(bool all)
{
	size_t pages = 0;

	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		if (cache_may_discard(n->cache) && (all || slab_rests(n)))
			pages += slab_discard(n);
		cache_leave(n);
	}
	return pages;
}

void squeeze_forget(void)
{
	__atomic_store_n(&squeeze.busy, 0, __ATOMIC_RELEASE);
}
