/* SPDX-License-Identifier: MIT */
/*
 * life.c - a cache's life: boot, make, visit, shrink, destroy
 *
 * What    Caches are objects of two caches that exist before all others. Making one chooses the
 *         shape and an id; destroying one goes the way back.
 * State   cache_list (cache.h), map_ids[].node (page/map.h), under boot.lock
 * Rules   K1..K4, K6 of cache.h
 * See     create.c for what is checked before
 */
#include "base/bitmap.h"
#include "base/check.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/gate.h"
#include "cache/guard.h"
#include "cache/hold.h"
#include "cache/init.h"
#include "cache/inspect.h"
#include "cache/kmalloc.h"
#include "cache/option.h"
#include "cache/rcu.h"
#include "cache/reclaim.h"
#include "cache/report.h"
#include "page/node.h"
#include "port/port.h"

struct list cache_list;

static struct {
	struct lock lock;
	u32 next_id;                      /* ids below this were given out at some time */
	u32 ids_end;                      /* all ids that caches ever had lie below */
	u64 leaving[CONFIG_MAX_IDS / 64]; /* ids whose caches go away: nobody's, not free (K1) */
	struct kmem_cache caches;         /* of struct kmem_cache */
	struct kmem_cache nodes;          /* of struct kmem_cache_node */
	struct kmem_cache_node caches_node[PORT_MAX_NODES];
	struct kmem_cache_node nodes_node[PORT_MAX_NODES];
} boot;

/* C1: small objects get long arrays; a batch is half of one. @capacity, if not 0, is asked for. */
static void cache_set_limits(struct kmem_cache *c, unsigned capacity)
{
	size_t stride = c->shape.stride;

	c->limit = 120;
	if (stride > 256)
		c->limit = 54;
	if (stride > 1024)
		c->limit = 24;
	if (stride > 4096)
		c->limit = 8;
	if (stride > 131072)
		c->limit = 1;
	if (capacity)
		c->limit = (u16)capacity;
	c->batchcount = (u16)size_max((c->limit + 1u) / 2, 1);
	c->shared_factor = stride <= 4096 ? 8 : 2;
}

/* Ids below are no cache's: 0 and MAP_DIRTY's, and what a gate leads to on any node (gate.h). */
#define CACHE_FIRST_ID ((u32)PORT_MAX_NODES)
STATIC_ASSERT(CACHE_FIRST_ID > MAP_DIRTY / 16, "a dirty page is no cache's");

/* The first of as many ids that no cache has as there are nodes: 0 when all are taken. Under
 * cache_lock. */
static u32 cache_find_id(void)
{
	u32 run = 0;

	for (u32 i = 0; i < CONFIG_MAX_IDS + node_table.count; i++) {
		u32 id = (boot.next_id + i) % CONFIG_MAX_IDS;

		if (id < CACHE_FIRST_ID || map_ids[id].node ||
		    bitmap_count_range(boot.leaving, id, 1)) {
			run = 0;
		} else if (++run == node_table.count) {
			boot.next_id = id + 1;
			WRITE_ONCE(boot.ids_end, (u32)size_max(boot.ids_end, boot.next_id));
			return id + 1 - run;
		}
	}
	return 0;
}

/* Give node @node of @c the id @id. */
static void cache_enlist_node(struct kmem_cache *c, unsigned node, u32 id)
{
	struct kmem_cache_node *n = &c->node[node];

	slab_node_init(n, c, &c->shape, node, id * 16);
	n->free_limit = (1 + array_cpus_on(node)) * (size_t)c->batchcount + c->shape.objects;
	STORE_RELEASE(map_ids[id].node, n);
}

/* Fill in a cache whose shape is chosen, give it an id, put it on the list (K1, K2). */
static bool cache_enlist(struct kmem_cache *c, struct kmem_cache_node *n)
{
	u32 id;

	lock_acquire(&boot.lock);
	id = cache_find_id();
	if (id) {
		c->header_offset = id * 16;
		c->pop_offset = gate_is_on_alloc_of(c) ? 0 : c->header_offset;
		c->node = n;
		c->states = map_states(c->shape.stride);
		list_add_tail(&cache_list, &c->link);
		for (unsigned node = 0; node < node_table.count; node++)
			cache_enlist_node(c, node, id + node);
	}
	lock_release(&boot.lock);
	return id != 0;
}

size_t cache_align(size_t size, size_t align, u32 flags)
{
	size_t line = CACHE_LINE;

	if (flags & SLAB_HWCACHE_ALIGN) {
		while (size <= line / 2)
			line /= 2;
		align = size_max(align, line);
	}
	return size_max(align, GRANULE_SIZE);
}

/* What every request of the cache for pages says. */
static gfp_t cache_allocflags(u32 flags)
{
	gfp_t gfp = 0;

	if (flags & SLAB_CACHE_DMA)
		gfp |= __GFP_DMA;
	if (flags & SLAB_CACHE_DMA32)
		gfp |= __GFP_DMA32;
	if (flags & SLAB_RECLAIM_ACCOUNT)
		gfp |= __GFP_RECLAIMABLE;
	return gfp;
}

static bool cache_describe(struct kmem_cache *c, const char *name, size_t size, u32 flags,
			   const struct kmem_cache_args *args)
{
	size_t align = cache_align(size, args->align, flags);
	size_t length = 0;

	*c = (struct kmem_cache){
		.object_size = (u32)size,
		.align = (u32)align,
		.flags = flags,
		.refcount = 1,
		.useroffset = args->useroffset,
		.usersize = args->usersize,
		.allocflags = cache_allocflags(flags),
		.ctor = args->ctor,
	};
	list_init(&c->aliases);
	for (; name[length] && length < CACHE_NAME_MAX - 1; length++)
		c->name[length] = name[length];
	if (!debug_shape(c))
		return false;
	cache_set_limits(c, args->sheaf_capacity);
	c->counts.on = options.stats != 0;
	return true;
}

bool cache_boot(void)
{
	const struct kmem_cache_args args = { .align = CACHE_LINE };
	bool made;

	list_init(&cache_list);
	boot.next_id = 1;
	made = cache_describe(&boot.caches, "kmem_cache", sizeof(struct kmem_cache), SLAB_OWN,
			      &args) &&
	       cache_enlist(&boot.caches, boot.caches_node) &&
	       cache_describe(&boot.nodes, "kmem_cache_node",
			      node_table.count * sizeof(struct kmem_cache_node), SLAB_OWN, &args) &&
	       cache_enlist(&boot.nodes, boot.nodes_node);
	boot.caches.batchcount = 1;
	boot.nodes.batchcount = 1;
	return made;
}

void cache_boot_end(void)
{
	cache_set_limits(&boot.caches, 0);
	cache_set_limits(&boot.nodes, 0);
}

/* Both parts of a descriptor, or NULL for what is not there (K6). */
static void cache_free_parts(struct kmem_cache *c, struct kmem_cache_node *n)
{
	hold_end(n);
	hold_end(c);
	kmem_cache_free(&boot.nodes, n);
	kmem_cache_free(&boot.caches, c);
}

struct kmem_cache *cache_make_with(const char *name, size_t size, u32 flags,
				   const struct kmem_cache_args *args, gfp_t gfp)
{
	struct kmem_cache *c = kmem_cache_alloc(&boot.caches, gfp);
	struct kmem_cache_node *n = kmem_cache_alloc(&boot.nodes, gfp);

	hold_new(c); /* K6: before anybody finds it */
	hold_new(n);
	if (c && n && cache_describe(c, name, size, flags, args) && cache_enlist(c, n))
		return c;
	cache_free_parts(c, n);
	return NULL;
}

struct kmem_cache *cache_make(const char *name, size_t size, size_t align, u32 flags,
			      void (*ctor)(void *))
{
	const struct kmem_cache_args args = { .align = (unsigned)align, .ctor = ctor };

	return cache_make_with(name, size, flags, &args, GFP_KERNEL);
}

struct kmem_cache *cache_join(bool (*alike)(const struct kmem_cache *c, const void *want),
			      const void *want, size_t size, struct cache_alias *alias)
{
	struct kmem_cache *found = NULL;

	lock_acquire(&boot.lock);
	for (struct list *l = cache_list.prev; l != &cache_list && !found; l = l->prev) {
		struct kmem_cache *c = container_of(l, struct kmem_cache, link);

		if (!c->closed && alike(c, want))
			found = c;
	}
	if (found) {
		found->refcount++;
		WRITE_ONCE(found->object_size, (u32)size_max(found->object_size, size));
		list_add(&found->aliases, &alias->link);
	}
	lock_release(&boot.lock);
	return found;
}

bool cache_is_cache(const struct kmem_cache *c)
{
	return map_contains(c) &&
	       map.ids[map_pfn(c)] - boot.caches.header_offset <
		       node_table.count * ARRAY_CACHE_SIZE &&
	       (uintptr_t)c % CACHE_LINE == 0 && hold_is(c); /* K6 */
}

const struct kmem_cache *cache_described(const struct kmem_cache_node *n, const void *p)
{
	if (n->cache == &boot.caches)
		return p;
	return n->cache == &boot.nodes ? ((const struct kmem_cache_node *)p)->cache : NULL;
}

void cache_check(const struct kmem_cache *c, const char *function)
{
	if (!cache_is_cache(c))
		report_pointer(function, c);
}

bool cache_shrink(struct kmem_cache *c)
{
	struct list emptied;
	bool left = false;

	list_init(&emptied);
	array_drain(c);
	for (unsigned node = 0; node < node_table.count; node++)
		left |= slab_shrink(&c->node[node], &emptied);
	if (!list_is_empty(&emptied))
		reclaim_release(&emptied);
	return left;
}

int kmem_cache_shrink(struct kmem_cache *c)
{
	cache_check(c, "kmem_cache_shrink");
	return cache_shrink(c);
}

/* ---- visits, which keep a cache from going away (K3) ------------------------ */

u32 cache_ids_end(void)
{
	return READ_ONCE(boot.ids_end);
}

struct kmem_cache_node *cache_visit(u32 id)
{
	struct kmem_cache_node *n;

	if (!LOAD_ACQUIRE(map_ids[id].node))
		return NULL;
	lock_acquire(&boot.lock);
	n = map_ids[id].node;
	if (n && n->cache->closed)
		n = NULL;
	if (n)
		__atomic_fetch_add(&n->cache->visitors, 1, __ATOMIC_RELAXED);
	lock_release(&boot.lock);
	return n;
}

void cache_leave(struct kmem_cache_node *n)
{
	__atomic_fetch_sub(&n->cache->visitors, 1, __ATOMIC_RELEASE);
}

void cache_forget(void)
{
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = map_ids[id].node;

		if (!n)
			continue;
		n->cache->visitors = 0;
		n->cache->constructing = 0;
		n->cache->counts.guarded = 0; /* guard_forget counts anew */
		if (unlikely(n->queue || n->pending))
			slab_forget(n);
	}
}

void cache_visit_all(u64 *ids)
{
	for (u32 w = 0; w < CONFIG_MAX_IDS / 64; w++)
		ids[w] = 0;
	lock_acquire(&boot.lock);
	for (u32 id = 1; id < boot.ids_end; id++) {
		struct kmem_cache_node *n = map_ids[id].node;

		if (!n || n->cache->closed || !(READ_ONCE(n->slabs) || LOAD_ACQUIRE(n->queue)))
			continue;
		__atomic_fetch_add(&n->cache->visitors, 1, __ATOMIC_RELAXED);
		ids[id / 64] |= (u64)1 << (id % 64);
	}
	lock_release(&boot.lock);
}

/* Objects that users have: all of the slabs' but those in bitmaps; the shared arrays are empty. */
static size_t cache_live(const struct kmem_cache *c)
{
	size_t live = guard_count(c);

	for (unsigned node = 0; node < node_table.count; node++)
		live += c->node[node].slabs * c->shape.objects - c->node[node].free_objects;
	return live;
}

/* K1: the id is nobody's now, but free only when no array of any CPU knows it. The chain is left
 * last. false, with the cache where it was, iff the arrays cannot be had. */
static bool cache_delist(struct kmem_cache *c)
{
	u32 id = c->header_offset / 16;
	bool done;

	lock_acquire(&boot.lock);
	bitmap_set_range(boot.leaving, id, node_table.count);
	for (unsigned node = 0; node < node_table.count; node++)
		STORE_RELEASE(map_ids[id + node].node, NULL);
	lock_release(&boot.lock);
	done = array_retire(c);
	lock_acquire(&boot.lock);
	bitmap_clear_range(boot.leaving, id, node_table.count);
	if (done)
		list_remove(&c->link);
	for (unsigned node = 0; node < node_table.count && !done; node++)
		STORE_RELEASE(map_ids[id + node].node, &c->node[node]);
	lock_release(&boot.lock);
	return done;
}

/* One user less (K4). true: that was the last, and no visits are made any more. */
static bool cache_put_user(struct kmem_cache *c)
{
	bool last;

	lock_acquire(&boot.lock);
	last = --c->refcount == 0;
	c->closed = last;
	lock_release(&boot.lock);
	while (last && LOAD_ACQUIRE(c->visitors))
		port_yield();
	return last;
}

/* It could not be destroyed: it goes on with one user. */
static void cache_reopen(struct kmem_cache *c)
{
	lock_acquire(&boot.lock);
	c->refcount = 1;
	c->closed = false;
	lock_release(&boot.lock);
}

bool cache_empty(struct kmem_cache *c, const char *function, const char *what)
{
	bool left = cache_shrink(c) || guard_count(c);

	if (left && rcu_is_bound() && ashlar_rcu_pending()) {
		ashlar_rcu_barrier(); /* kfree_rcu of its objects */
		left = cache_shrink(c) || guard_count(c);
	}
	if (!left && (c->flags & SLAB_TYPESAFE_BY_RCU))
		ashlar_rcu_barrier();
	if (left) {
		report_leak(function, what, c, cache_live(c));
		inspect_leaks(c);
	}
	return !left;
}

/* Free slabs, the CPUs' arrays, the chain: in this order (seed 004). */
static bool cache_dissolve(struct kmem_cache *c)
{
	struct kmem_cache_node *n = c->node;

	if (!cache_empty(c, "kmem_cache_destroy", "cache"))
		return false;
	if (!cache_delist(c)) {
		report_refusal("kmem_cache_destroy", c->name, "the CPUs cannot be stopped");
		return false;
	}
	for (unsigned node = 0; node < node_table.count; node++)
		if (n[node].shared)
			page_free(&map.pages[map_pfn(n[node].shared)], 0);
	while (!list_is_empty(&c->aliases)) {
		struct cache_alias *a = list_first_entry(&c->aliases, struct cache_alias, link);

		list_remove(&a->link);
		kmalloc_free(a, "kmem_cache_destroy"); /* as kfree, which clang-tidy misreads */
	}
	cache_free_parts(c, n);
	return true;
}

bool cache_unmake(struct kmem_cache *c)
{
	bool gone;

	if (!cache_put_user(c))
		return true;
	gone = cache_dissolve(c);
	if (!gone)
		cache_reopen(c);
	return gone;
}

void kmem_cache_destroy(struct kmem_cache *c)
{
	if (!c)
		return;
	cache_check(c, "kmem_cache_destroy");
	if (c->flags & SLAB_KMALLOC)
		report_refusal("kmem_cache_destroy", c->name, "kmalloc needs it");
	else
		cache_unmake(c);
}

unsigned int kmem_cache_size(struct kmem_cache *c)
{
	cache_check(c, "kmem_cache_size");
	return c->object_size;
}

size_t cache_audit(void)
{
	size_t faults = 0;

	for (u32 id = 1; id < CONFIG_MAX_IDS; id++)
		if (map_ids[id].node)
			faults += slab_audit(map_ids[id].node);
	return faults;
}

void cache_lock_all(void)
{
	lock_acquire_more(&boot.lock);
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++)
		if (map_ids[id].node)
			slab_lock_more(map_ids[id].node);
}

void cache_unlock_all(void)
{
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++)
		if (map_ids[id].node)
			lock_release(&map_ids[id].node->lock);
	lock_release(&boot.lock);
}
