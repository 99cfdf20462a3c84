/* SPDX-License-Identifier: MIT */
/*
 * life.c - a cache's life: boot, create, shrink, destroy
 *
 * What    Caches are objects of two caches that exist before all others. Creating one checks
 *         what was asked, chooses the shape and an id; destroying one goes the way back.
 * State   cache_list (cache.h), map_ids[].node (page/map.h), under boot.lock
 * Rules   K1..K3 of cache.h
 */
#include "base/bitmap.h"
#include "base/bits.h"
#include "base/check.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/reclaim.h"
#include "cache/report.h"
#include "page/node.h"
#include "port/port.h"

#define CACHE_SIZE_MAX ((size_t)4 << 20)

struct list cache_list;

static struct {
	struct lock lock;
	u32 next_id;                      /* ids below this were given out at some time */
	u64 leaving[CONFIG_MAX_IDS / 64]; /* ids whose caches go away: nobody's, not free (K1) */
	struct kmem_cache caches;         /* of struct kmem_cache */
	struct kmem_cache nodes;          /* of struct kmem_cache_node */
	struct kmem_cache_node caches_node[PORT_MAX_NODES];
	struct kmem_cache_node nodes_node[PORT_MAX_NODES];
} boot;

/* C1: small objects get long arrays; a batch is half of one. */
static void cache_set_limits(struct kmem_cache *c)
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
	c->batchcount = (u16)((c->limit + 1) / 2);
	c->shared_factor = stride <= 4096 ? 8 : 2;
}

/* The first of as many ids that no cache has as there are nodes: 0 when all are taken. Under
 * cache_lock. */
static u32 cache_find_id(void)
{
	u32 run = 0;

	for (u32 i = 0; i < CONFIG_MAX_IDS + node_table.count; i++) {
		u32 id = (boot.next_id + i) % CONFIG_MAX_IDS;

		if (id <= MAP_DIRTY / 16 || map_ids[id].node ||
		    bitmap_count_range(boot.leaving, id, 1)) {
			run = 0;
		} else if (++run == node_table.count) {
			boot.next_id = id + 1;
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

	cache_set_limits(c);
	lock_acquire(&boot.lock);
	id = cache_find_id();
	if (id) {
		c->header_offset = id * 16;
		c->node = n;
		c->states = map_states(c->shape.stride);
		list_add_tail(&cache_list, &c->link);
		for (unsigned node = 0; node < node_table.count; node++)
			cache_enlist_node(c, node, id + node);
	}
	lock_release(&boot.lock);
	return id != 0;
}

/* Alignment: what is asked, the cache line for SLAB_HWCACHE_ALIGN (halved while two objects
 * fit into half a line), at least a granule. */
static size_t cache_align(size_t size, size_t align, u32 flags)
{
	size_t line = CACHE_LINE;

	if (flags & SLAB_HWCACHE_ALIGN) {
		while (size <= line / 2)
			line /= 2;
		align = size_max(align, line);
	}
	return size_max(align, GRANULE_SIZE);
}

static bool cache_describe(struct kmem_cache *c, const char *name, size_t size, size_t align,
			   u32 flags, void (*ctor)(void *))
{
	size_t length = 0;

	align = cache_align(size, align, flags);
	*c = (struct kmem_cache){
		.object_size = (u32)size,
		.align = (u32)align,
		.flags = flags,
		.ctor = ctor,
	};
	for (; name[length] && length < CACHE_NAME_MAX - 1; length++)
		c->name[length] = name[length];
	return shape_choose(&c->shape, size_align(size, align), align);
}

bool cache_boot(void)
{
	bool made;

	list_init(&cache_list);
	boot.next_id = 1;
	made = cache_describe(&boot.caches, "kmem_cache", sizeof(struct kmem_cache), CACHE_LINE, 0,
			      NULL) &&
	       cache_enlist(&boot.caches, boot.caches_node) &&
	       cache_describe(&boot.nodes, "kmem_cache_node",
			      node_table.count * sizeof(struct kmem_cache_node), CACHE_LINE, 0,
			      NULL) &&
	       cache_enlist(&boot.nodes, boot.nodes_node);
	boot.caches.batchcount = 1;
	boot.nodes.batchcount = 1;
	return made;
}

void cache_boot_end(void)
{
	cache_set_limits(&boot.caches);
	cache_set_limits(&boot.nodes);
}

struct kmem_cache *cache_make(const char *name, size_t size, size_t align, u32 flags,
			      void (*ctor)(void *))
{
	struct kmem_cache *c = kmem_cache_alloc(&boot.caches, GFP_KERNEL);
	struct kmem_cache_node *n = kmem_cache_alloc(&boot.nodes, GFP_KERNEL);

	if (c && n && cache_describe(c, name, size, align, flags, ctor) && cache_enlist(c, n))
		return c;
	kmem_cache_free(&boot.nodes, n);
	kmem_cache_free(&boot.caches, c);
	return NULL;
}

/* L1: why such a cache cannot be, or NULL. */
static const char *cache_refuse(const char *name, size_t size, size_t align, unsigned long flags)
{
	const unsigned long known = SLAB_HWCACHE_ALIGN | SLAB_RECLAIM_ACCOUNT | SLAB_PANIC;

	if (!name || !*name)
		return "a cache needs a name";
	if (size == 0)
		return "the size is 0";
	if (size > CACHE_SIZE_MAX)
		return "the size is above 4 MiB";
	if (align && (!bits_is_power_of_two(align) || align > CACHE_SIZE_MAX))
		return "the alignment is not a power of two up to 4 MiB";
	if (flags & ~known)
		return "unknown flags";
	return NULL;
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned long flags, void (*ctor)(void *))
{
	const char *why = cache_refuse(name, size, align, flags);
	struct kmem_cache *c = NULL;

	if (!init_ready())
		why = "there is no memory at all";
	else if (!why && align > map.align)
		why = "this memory cannot be aligned so far";
	if (why)
		report_refusal("kmem_cache_create", name, why);
	else
		c = cache_make(name, size, align, (u32)flags, ctor);
	CHECK(c || !(flags & SLAB_PANIC), "SLAB_PANIC: the cache could not be created");
	return c;
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
	return cache_shrink(c);
}

/* ---- visits, which keep a cache from going away (K3) ------------------------ */

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

static void cache_set_closed(struct kmem_cache *c, bool closed)
{
	lock_acquire(&boot.lock);
	c->closed = closed;
	lock_release(&boot.lock);
	while (closed && LOAD_ACQUIRE(c->visitors))
		port_yield();
}

void cache_forget_visitors(void)
{
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++)
		if (map_ids[id].node)
			map_ids[id].node->cache->visitors = 0;
}

static bool cache_has_slabs(const struct kmem_cache *c)
{
	for (unsigned node = 0; node < node_table.count; node++)
		if (READ_ONCE(c->node[node].slabs))
			return true;
	return false;
}

void cache_shrink_all(void)
{
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		if (n->node == 0 && cache_has_slabs(n->cache))
			cache_shrink(n->cache);
		cache_leave(n);
	}
}

size_t cache_discard_all(void)
{
	size_t pages = 0;

	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		if (!n->cache->ctor)
			pages += slab_discard(n);
		cache_leave(n);
	}
	return pages;
}

/* Objects that users have: all of the slabs' but those in bitmaps; the shared arrays are empty. */
static size_t cache_live(const struct kmem_cache *c)
{
	size_t live = 0;

	for (unsigned node = 0; node < node_table.count; node++)
		live += c->node[node].slabs * c->shape.objects - c->node[node].free_objects;
	return live;
}

/* K1: the id is nobody's now, but free only when no array of any CPU knows it. false, with the
 * cache where it was, iff that cannot be had. */
static bool cache_delist(struct kmem_cache *c)
{
	u32 id = c->header_offset / 16;
	bool done;

	lock_acquire(&boot.lock);
	list_remove(&c->link);
	bitmap_set_range(boot.leaving, id, node_table.count);
	for (unsigned node = 0; node < node_table.count; node++)
		STORE_RELEASE(map_ids[id + node].node, NULL);
	lock_release(&boot.lock);
	done = array_retire(c);
	lock_acquire(&boot.lock);
	bitmap_clear_range(boot.leaving, id, node_table.count);
	if (!done) {
		list_add_tail(&cache_list, &c->link);
		for (unsigned node = 0; node < node_table.count; node++)
			STORE_RELEASE(map_ids[id + node].node, &c->node[node]);
	}
	lock_release(&boot.lock);
	return done;
}

void kmem_cache_destroy(struct kmem_cache *c)
{
	struct kmem_cache_node *n;

	if (!c)
		return;
	n = c->node;
	cache_set_closed(c, true);
	if (cache_shrink(c)) {
		report_leak(c, cache_live(c));
		cache_set_closed(c, false);
		return;
	}
	if (!cache_delist(c)) {
		report_refusal("kmem_cache_destroy", c->name, "the CPUs cannot be stopped");
		cache_set_closed(c, false);
		return;
	}
	for (unsigned node = 0; node < node_table.count; node++)
		if (n[node].shared)
			page_free(&map.pages[map_pfn(n[node].shared)], 0);
	kmem_cache_free(&boot.nodes, n);
	kmem_cache_free(&boot.caches, c);
}

unsigned int kmem_cache_size(struct kmem_cache *c)
{
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
	lock_acquire(&boot.lock);
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++)
		if (map_ids[id].node)
			lock_acquire(&map_ids[id].node->lock);
}

void cache_unlock_all(void)
{
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++)
		if (map_ids[id].node)
			lock_release(&map_ids[id].node->lock);
	lock_release(&boot.lock);
}
