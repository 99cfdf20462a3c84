/* SPDX-License-Identifier: MIT */
/*
 * cache.c - one object's way through the floor: kmem_cache_alloc, kmem_cache_free
 *
 * What    The fast paths are a pop and a claim, a release and a push. Behind
 *         them, one noinline function each: refill, grow, retry; flush.
 * See     cache.h for the theory, life.c for the caches themselves, docs/tour.md for the way
 */
#include "cache/cache.h"
#include "base/check.h"
#include "base/memory.h"
#include "cache/account_object.h"
#include "cache/anchor.h"
#include "cache/array.h"
#include "cache/fault.h"
#include "cache/gate.h"
#include "cache/gfp.h"
#include "cache/guard.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/object.h"
#include "cache/option.h"
#include "cache/reclaim.h"
#include "cache/scope.h"
#include "page/node.h"

/* ---- one object ----------------------------------------------------------- */

/* What an object is asked for beside itself, done after it was claimed: zeros, a charge, memory
 * that this home may not have (NULL). In tail position, so that the fast path keeps nothing on the
 * stack. */
#define CACHE_GFP_SPECIAL (__GFP_ZERO | __GFP_DMA | __GFP_DMA32 | __GFP_ACCOUNT)

/* Which memory slabs are made of is the cache's choice, not a request's. */
#define CACHE_GFP_MEMORY (__GFP_DMA | __GFP_DMA32 | __GFP_RECLAIMABLE | __GFP_MOVABLE)

static noinline void *cache_finish(struct kmem_cache *c, void *p, gfp_t gfp)
{
	if (gfp & (__GFP_DMA | __GFP_DMA32) & ~c->allocflags) {
		report_refusal("kmem_cache_alloc", c->name,
			       page_serves(gfp) ? "the cache was not made for DMA" :
						  "this home has no DMA memory");
		cache_undo(c, p, gfp);
		return NULL;
	}
	if ((gfp & __GFP_ZERO) && !c->ctor) /* constructed objects stay so */
		memset(p, 0, debug_size(c, p));
	if ((gfp & __GFP_ACCOUNT) && !account_charge(c, p, gfp)) {
		cache_undo(c, p, gfp);
		return NULL;
	}
	return p;
}

fast_door void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
	void *p;

	if (unlikely(!percpu_ready()) || unlikely(!percpu_pop(c->pop_offset, &p)))
		return cache_alloc_slow(c, gfp);
	object_claim(c->states, p);
	return unlikely(gfp & CACHE_GFP_SPECIAL) ? cache_finish(c, p, gfp) : p;
}

fast_door void *ashlar_kmalloc_constant(struct kmem_cache *c, gfp_t gfp, size_t size)
{
	void *p;

	if (unlikely(!percpu_ready()) || unlikely(!percpu_pop(c->pop_offset, &p)))
		return cache_alloc_sized(c, gfp, size);
	object_claim(c->states, p);
	return unlikely(gfp & CACHE_GFP_SPECIAL) ? cache_finish(c, p, gfp) : p;
}

void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t gfp)
{
	return kmem_cache_alloc(c, gfp | __GFP_ZERO);
}

/* The door of every free to a cache: in use -> free, or a report. Returns the object's node; NULL:
 * it was guarded, and is freed. */
static struct kmem_cache_node *cache_release(struct kmem_cache *c, void *p)
{
	size_t granule = object_granule(p);
	u32 header_offset;

	if (unlikely(granule >= READ_ONCE(map.granules)))
		report_pointer("kmem_cache_free", p);
	header_offset = (u32)object_header_offset(granule);
	if (unlikely(header_offset - c->header_offset >= node_table.count * ARRAY_CACHE_SIZE)) {
		if (guard_free(p, c, "kmem_cache_free"))
			return NULL;
		if (kmalloc_owns(p))
			report_cache(c, p);
		report_pointer("kmem_cache_free", p);
	}
	if (unlikely(!object_release(c->states, p)) &&
	    !(account_settle(p) && object_release(c->states, p)))
		report_pointer("kmem_cache_free", p);
	return &c->node[(header_offset - c->header_offset) / ARRAY_CACHE_SIZE];
}

/* In lock mode, of a node other than 0, or wrong. */
static noinline void cache_free_locked(struct kmem_cache *c, void *p)
{
	struct kmem_cache_node *n = p ? cache_release(c, p) : NULL;

	if (n)
		cache_free_slow(n, p);
}

fast_door void kmem_cache_free(struct kmem_cache *c, void *p)
{
	size_t granule = object_granule(p);
	size_t header_offset;

	if (unlikely(granule >= map.fast_granules)) {
		cache_free_locked(c, p);
		return;
	}
	header_offset = object_header_offset(granule);
	if (unlikely((u32)header_offset != c->header_offset) ||
	    unlikely(!object_release(c->states, p))) {
		cache_free_locked(c, p);
		return;
	}
	if (unlikely(!percpu_push(header_offset, p)))
		cache_free_slow(c->node, p);
}

/* ---- behind the array ------------------------------------------------------ */

unsigned cache_grow(struct kmem_cache_node *n, gfp_t gfp, void **end, unsigned count)
{
	bool zero;
	gfp_t flags = (scope_gfp(gfp) & ~CACHE_GFP_MEMORY) | n->cache->allocflags | __GFP_THISNODE;
	struct page *head;
	unsigned filled;

	gfp_check(gfp);
	if (!gfp_may_wait(gfp) && !map_has_states(n->states))
		return 0;
	if (PORT_POPULATES && slab_fill(n, flags) && (filled = cache_pick(n, gfp, end, count)))
		return filled;
	head = page_alloc(n->shape->order, flags, n->node, &zero);
	if (!head)
		return 0;
	if (unlikely(options.audit) && gfp_may_wait(gfp))
		init_audit_point(false);
	if (!create_construct(n, head, gfp)) {
		page_free(head, n->shape->order);
		return 0;
	}
	account_begin_slab(head, n->shape->order);
	if (unlikely(n->cache->debug.flags))
		debug_prepare(n->cache, head);
	if (!gfp_may_wait(gfp))
		return slab_arrive(n, head, end, count);
	count = slab_adopt(n, head, end, count);
	if (options.reap && READ_ONCE(n->grown) % options.reap == 0)
		tune_tick();
	reclaim_grew(gfp);
	return count;
}

unsigned cache_pick(struct kmem_cache_node *n, gfp_t gfp, void **end, unsigned count)
{
	return lock_may_wait(gfp) ? slab_take(n, end, count) : slab_try_take(n, end, count);
}

unsigned cache_take(struct kmem_cache_node *n, gfp_t gfp, void **end, unsigned count)
{
	unsigned got = cache_pick(n, gfp, end, count);

	if (!got)
		got = cache_grow(n, gfp, end, count);
	if (!got && node_table.count > 1 && !(gfp & __GFP_THISNODE))
		got = cache_take_far(n, gfp, end);
	return got;
}

/* How many objects a refill asks for: a batch, so that there is room for those that are freed; two
 * if the last batch that moved between arrays and node went the same way. */
static unsigned cache_refill_count(const struct kmem_cache_node *n, gfp_t gfp)
{
	unsigned batch = READ_ONCE(n->cache->batchcount);

	if (unlikely(n->cache->debug.slow) || (!gfp_may_wait(gfp) && !array_has_room(n)))
		return 1;
	if (!READ_ONCE(n->taken_last) || batch == 1) /* 1: there may be no array yet (C4) */
		return batch;
	return (unsigned)size_min(2 * (size_t)batch, READ_ONCE(n->cache->limit));
}

/* Fill this CPU's array with a batch of its own node; returns one object of it. */
static void *cache_refill(struct kmem_cache_node *n, gfp_t gfp)
{
	void *batch[CONFIG_BATCH_MAX];
	unsigned want = cache_refill_count(n, gfp);
	void **end = batch + want;
	unsigned got = cache_take(n, gfp, end, want);
	unsigned pushed;

	if (!got)
		return NULL;
	got--; /* end[-1], the lowest address, is for the caller */
	pushed = array_push_bulk(n->header_offset, end - 1 - got, got);
	if (unlikely(pushed < got) && !gfp_may_wait(gfp)) {
		cache_put_nolock(n, end - 1 - got + pushed, got - pushed);
		return end[-1];
	}
	if (pushed < got && array_equip(n))
		pushed += array_push_bulk(n->header_offset, end - 1 - got + pushed, got - pushed);
	if (pushed < got)
		cache_put(n, end - 1 - got + pushed, got - pushed);
	return end[-1];
}

/* Destroying a cache has emptied its arrays: whoever still uses it comes here. */
void cache_check_alive(const struct kmem_cache *c, const char *function)
{
	if (unlikely(READ_ONCE(c->closed)) && !cache_is_cache(c))
		report_pointer(function, c);
}

/* The object is its new owner's, but for a charge. Returns what is still to be done to it. */
static always_inline gfp_t cache_dress(struct kmem_cache *c, void *p, gfp_t gfp, size_t size)
{
	if (unlikely(options.stats) && page_node(&map.pages[map_pfn(p)]) != node_here())
		cache_count(&c->counts.far_allocs, 1);
	if (unlikely(c->debug.flags))
		debug_alloc(c, p, size);
	object_claim(c->states, p);
	if (unlikely(options.init_on_alloc) && gate_clears(c))
		gfp |= __GFP_ZERO;
	return gfp;
}

void *cache_hand_out(struct kmem_cache *c, void *p, gfp_t gfp, size_t size)
{
	gfp = cache_dress(c, p, gfp, size);
	if (unlikely(c->flags & SLAB_ACCOUNT))
		gfp |= __GFP_ACCOUNT;
	return unlikely(gfp & CACHE_GFP_SPECIAL) ? cache_finish(c, p, gfp) : p;
}

void *cache_alloc_slow(struct kmem_cache *c, gfp_t gfp)
{
	return cache_alloc_sized(c, gfp, 0);
}

/* An object that is not claimed yet, or NULL; *@guarded: it is one, and ready. */
static always_inline void *cache_get(struct kmem_cache *c, gfp_t gfp, size_t size, bool *guarded)
{
	void *p;

	cache_check_alive(c, "kmem_cache_alloc");
	if (unlikely(cache_fails(c, gfp, size)))
		return NULL;
	p = array_pop(c->header_offset);
	if (unlikely(options.stats))
		cache_count(p ? &c->counts.alloc_hit : &c->counts.alloc_miss, 1);
	if (guarded && unlikely(guard_is_on()))
		p = guard_instead(c, gfp, size, p, guarded);
	for (unsigned attempt = 0; !p; attempt++) {
		p = cache_refill(&c->node[node_here()], gfp);
		if (!p && !reclaim_retry(gfp, attempt)) {
			cache_count(&c->counts.errors, 1);
			return NULL;
		}
		if (!p) /* others may have freed meanwhile */
			array_pop_bulk(c->node[node_here()].header_offset, &p, 1);
	}
	if (unlikely(READ_ONCE(ashlar_anchor.request)) && (gfp & __GFP_DIRECT_RECLAIM))
		reclaim_answer();
	return p;
}

void *cache_alloc_sized(struct kmem_cache *c, gfp_t gfp, size_t size)
{
	bool guarded = false;
	void *p;

	if (unlikely(!c->node)) {
		c = kmalloc_started(c);
		if (!c)
			return NULL;
	}
	size = size ? size : c->object_size;
	p = cache_get(c, gfp, size, &guarded);
	return p && !guarded ? cache_hand_out(c, p, gfp, size) : p;
}

void cache_put(struct kmem_cache_node *n, void *const *objects, unsigned count)
{
	struct list emptied;
	bool holes;

	list_init(&emptied);
	holes = slab_put(n, objects, count, &emptied);
	if (!list_is_empty(&emptied))
		reclaim_release(&emptied);
	if (unlikely(holes) && cache_may_discard(n->cache))
		slab_discard(n);
}

/* The array is full: its oldest batch leaves, the rest and @object stay. All leave if nothing was
 * popped since the last flush: who only frees fills it twice as slowly then; and an alien array's
 * objects, which serve nobody here. */
static void cache_flush(struct kmem_cache_node *n, void *object)
{
	void *all[CONFIG_BATCH_MAX + 1];
	bool unused = array_is_idle(n->header_offset);
	unsigned count = array_pop_bulk(n->header_offset, all, CONFIG_BATCH_MAX);
	unsigned oldest = (unsigned)size_min(count, READ_ONCE(n->cache->batchcount));
	unsigned kept = 0;

	all[count++] = object;
	if (unused)
		oldest = count;
	if (unlikely(n->node != node_here())) {
		oldest = count;
		if (options.stats)
			cache_count(&n->cache->counts.overflows, 1);
	}
	if (oldest < count)
		kept = array_push_bulk(n->header_offset, all + oldest, count - oldest);
	array_mark_flush(n->header_offset);
	if (oldest)
		cache_put(n, all, oldest);
	if (oldest + kept < count)
		cache_put(n, all + oldest + kept, count - oldest - kept);
}

void cache_free_slow(struct kmem_cache_node *n, void *object)
{
	if (unlikely(n->cache->debug.slow))
		debug_free(n->cache, object);
	if (unlikely(options.stats) && n->node != node_here())
		cache_count(&n->cache->counts.far_frees, 1);
	if (unlikely(options.init_on_free) && gate_clears(n->cache))
		memset(object, 0, n->cache->object_size);
	if (unlikely(n->cache->debug.slow)) {
		cache_count(&n->cache->counts.free_miss, 1);
		cache_put(n, &object, 1);
		return;
	}
	if (array_push(n->header_offset, object)) {
		if (unlikely(options.stats))
			cache_count(&n->cache->counts.free_hit, 1);
		return;
	}
	if (unlikely(options.stats))
		cache_count(&n->cache->counts.free_miss, 1);
	if (n->cache->limit && array_equip(n) && array_push(n->header_offset, object))
		return;
	if (unlikely(!READ_ONCE(n->shared)) && n->cache->shared_factor)
		tune_share(n);
	cache_flush(n, object);
}

/* ---- many objects ---------------------------------------------------------- */

/* Straight from the node, after the array gave what it had; returns how many more. */
static size_t cache_alloc_rest(struct kmem_cache *c, gfp_t gfp, size_t count, void **objects)
{
	size_t done = 0;

	cache_check_alive(c, "kmem_cache_alloc_bulk");
	for (unsigned attempt = 0; done < count;) {
		unsigned want = (unsigned)size_min(count - done, CONFIG_BATCH_MAX);
		void *batch[CONFIG_BATCH_MAX];
		unsigned got = cache_take(&c->node[node_here()], gfp, batch + want, want);

		if (!got && !reclaim_retry(gfp, attempt++))
			break;
		__builtin_memcpy(objects + done, batch + want - got, got * sizeof(void *));
		done += got;
	}
	return done;
}

/* false iff a limit refuses. */
static bool cache_charge_bulk(struct kmem_cache *c, gfp_t gfp, size_t count, void **objects)
{
	if (likely(!(gfp & __GFP_ACCOUNT) && !(c->flags & SLAB_ACCOUNT)))
		return true;
	return account_charge_all(c, count, objects, gfp | __GFP_ACCOUNT);
}

/* One by one, where each is looked at; paid for together. */
static size_t cache_alloc_each(struct kmem_cache *c, gfp_t gfp, size_t count, void **objects)
{
	size_t done = 0;

	for (; done < count && (objects[done] = cache_get(c, gfp, c->object_size, NULL)); done++) {
		gfp_t left = cache_dress(c, objects[done], gfp, c->object_size);

		if (!cache_finish(c, objects[done], left & ~__GFP_ACCOUNT))
			break;
	}
	if (done == count && cache_charge_bulk(c, gfp, count, objects))
		return count;
	cache_undo_bulk(c, done, objects, gfp);
	return 0;
}

int kmem_cache_alloc_bulk(struct kmem_cache *c, gfp_t gfp, size_t count, void **objects)
{
	size_t done = 0;

	if (count == 0 || count > INT32_MAX)
		return 0;
	if (unlikely(c->debug.slow))
		return (int)cache_alloc_each(c, gfp, count, objects);
	done = array_pop_bulk(c->node[node_here()].header_offset, objects, (unsigned)count);
	if (unlikely(options.stats)) {
		cache_count(&c->counts.alloc_hit, done);
		cache_count(&c->counts.alloc_miss, count - done);
	}
	if (done < count)
		done += cache_alloc_rest(c, gfp, count - done, objects + done);
	for (size_t i = 0; i < done; i++)
		object_claim(c->states, objects[i]);
	if (done < count || !cache_charge_bulk(c, gfp, count, objects)) {
		cache_undo_bulk(c, done, objects, gfp);
		return 0;
	}
	if (((gfp & __GFP_ZERO) && !c->ctor) || (options.init_on_alloc && gate_clears(c)))
		for (size_t i = 0; i < count; i++)
			memset(objects[i], 0, c->object_size);
	return (int)count;
}

/* Released objects of one node. */
static void cache_free_run(struct kmem_cache_node *n, size_t count, void **objects)
{
	size_t done = 0;

	while (done < count) {
		unsigned some = (unsigned)size_min(count - done, CONFIG_BATCH_MAX);
		unsigned pushed = 0;

		if (likely(!options.init_on_free)) /* else each is cleared first */
			pushed = array_push_bulk(n->header_offset, objects + done, some);
		if (unlikely(options.stats)) {
			cache_count(&n->cache->counts.free_hit, pushed);
			if (n->node != node_here())
				cache_count(&n->cache->counts.far_frees, pushed);
		}
		done += pushed;
		if (pushed < some) { /* the array is full: the object that did not fit flushes it */
			cache_free_slow(n, objects[done]);
			done++;
		}
	}
}

/* Release the first objects, as many as kmem_cache_free's fast path would take; how many? */
static size_t cache_release_plain(const struct kmem_cache *c, size_t count, void *const *objects)
{
	size_t granules = READ_ONCE(map.fast_granules);
	uintptr_t states = c->states;
	u32 header_offset = c->header_offset;
	size_t i = 0;

	for (; i < count; i++) {
		size_t granule = object_granule(objects[i]);

		if (granule >= granules || (u32)object_header_offset(granule) != header_offset ||
		    !object_release(states, objects[i]))
			break;
	}
	return i;
}

void kmem_cache_free_bulk(struct kmem_cache *c, size_t count, void **objects)
{
	struct kmem_cache_node *n = NULL;
	size_t from = c ? cache_release_plain(c, count, objects) : 0;

	if (!c) {
		for (size_t i = 0; i < count; i++)
			kfree(objects[i]);
		return;
	}
	cache_free_run(c->node, from, objects);
	for (size_t i = from; i < count; i++) {
		struct kmem_cache_node *own = cache_release(c, objects[i]);

		if (unlikely(own != n)) {
			if (n)
				cache_free_run(n, i - from, objects + from);
			from = i;
		}
		n = own;
	}
	if (n)
		cache_free_run(n, count - from, objects + from);
}
