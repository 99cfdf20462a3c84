/* SPDX-License-Identifier: MIT */
/*
 * nolock.c - objects in any context, and what is left of requests that may not wait
 *
 * What    A signal handler or an NMI may have interrupted whoever holds the lock that it needs. So
 *         each lock is tried, and where it is held there is another way: for an allocation the
 *         CPU's array, other nodes, a new slab, a larger size, then NULL; for a free the array,
 *         the node, then the state PENDING, which always succeeds.
 * Rules   NL1 nothing here waits, makes a system call (but to wake who sleeps for a lock that was
 *             got here meanwhile), or calls what could; nothing goes to the page floor
 *         NL2 kfree_nolock cannot fail, and a second free is caught like any
 *         NL3 what has no object's state cannot be pending: large blocks are never given and
 *             not taken back; neither is what a group pays for, whose books are under a lock
 * See     engine/slab_try.c; decision 40
 */
#include "base/memory.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/gate.h"
#include "cache/gfp.h"
#include "cache/guard.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/object.h"
#include "cache/option.h"

/* Sizes that are tried: the wanted one, and up to its double. */
#define NOLOCK_CLASSES 5u

/* ---- free ------------------------------------------------------------------------------- */

void cache_put_nolock(struct kmem_cache_node *n, void *const *objects, unsigned count)
{
	if (slab_try_put(n, objects, count))
		return;
	for (unsigned i = 0; i < count; i++)
		slab_pend(n, objects[i]);
}

void cache_free_nolock(struct kmem_cache_node *n, void *object)
{
	bool slow = n->cache->debug.slow;

	if (unlikely(slow))
		debug_free(n->cache, object);
	if (unlikely(options.init_on_free) && gate_clears(n->cache))
		memset(object, 0, n->cache->object_size);
	if (!slow && array_push_bulk(n->header_offset, &object, 1)) {
		if (unlikely(options.stats))
			cache_count(&n->cache->counts.free_hit, 1);
		return;
	}
	if (unlikely(options.stats) || slow)
		cache_count(&n->cache->counts.free_miss, 1);
	cache_put_nolock(n, &object, 1);
}

void cache_undo(struct kmem_cache *c, void *p, gfp_t gfp)
{
	if (gfp_may_wait(gfp))
		kmem_cache_free(c, p);
	else
		kfree_nolock(p);
}

void cache_undo_bulk(struct kmem_cache *c, size_t count, void **objects, gfp_t gfp)
{
	for (size_t i = 0; i < count; i++)
		cache_undo(c, objects[i], gfp);
}

void kfree_nolock(const void *p)
{
	void *object = (void *)(uintptr_t)p;
	size_t granule = object_granule(p);
	struct kmem_cache_node *n;
	struct map_id *id;

	if (ZERO_OR_NULL_PTR(p))
		return;
	if (granule >= READ_ONCE(map.granules) || !map_is_known(map_pfn(p)))
		report_nolock(p, "this is no object of a cache");
	id = map_id(object_header_offset(granule));
	n = id->node;
	if (!n) {
		if (guard_free_nolock(object))
			return;
		if (map.pages[map_pfn(p)].kind == PAGE_LARGE)
			report_nolock(p, "this is a large block"); /* NL3 */
		report_pointer("kfree_nolock", p);
	}
	if (unlikely(!object_release(id->states, object))) {
		if (*map_state(p) == STATE_CHARGED)
			report_nolock(p, "a group pays for this object"); /* NL3 */
		report_pointer("kfree_nolock", p);                        /* NL2 */
	}
	cache_free_nolock(n, object);
}

/* ---- allocation ------------------------------------------------------------------------- */

void *kmalloc_nolock(size_t size, gfp_t gfp, int wanted)
{
	unsigned class;
	void *p = NULL;

	if (size == 0)
		return ZERO_SIZE_PTR;
	if (!gfp_serves_nolock(gfp) || size > CONFIG_KMALLOC_MAX_CACHE || !init_done())
		return NULL;
	class = ashlar_kmalloc_class(size);
	for (unsigned end = class + NOLOCK_CLASSES; !p && class < end; class ++)
		if (class < CONFIG_KMALLOC_CLASSES)
			p = kmem_cache_alloc_node(ashlar_kmalloc_caches[class], gfp, wanted);
	return p;
}
