/* SPDX-License-Identifier: MIT */
/*
 * cache.c - named objects on slob: kmem_cache_*
 *
 * What    A cache is a size, an alignment, a constructor and a count; its objects lie wherever
 *         there is room, between those of others. Their headers name it.
 * Rules   SC1 an id is one cache's from create to destroy
 *         SC2 the constructor runs at every allocation: what is between the objects keeps no
 *             state
 *         SC3 destroy finds objects in use by the count, and then the cache stays
 *         SC4 a class of kmalloc, as ashlar_kmalloc_caches has it, is a number in a pointer, and
 *             every function here knows it
 *         SC5 a descriptor is held while its cache lives: no free takes it by mistake. Not on small
 *             machines
 */
#include "cache/cache.h"
#include "base/check.h"
#include "base/memory.h"
#include "cache/block.h"
#include "cache/hold.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/nolock.h"
#include "cache/rcu.h"
#include "cache/report.h"
#include "cache/watch.h"
#include "page/page.h"
#include "port/port.h"

/* Times that a report looks for a moment when nobody changes the list: long enough for that. */
#define CACHE_TRIES 100000u

#define CACHE_SIZE_MAX ((size_t)4 << 20)

static struct {
	struct lock lock;
	struct kmem_cache *first;
	u16 last_id;
} caches;

struct kmem_cache *cache_of(u16 id)
{
	unsigned long were = guard_enter(&caches.lock);
	struct kmem_cache *c = caches.first;

	while (c && c->id != id)
		c = c->next;
	guard_leave(&caches.lock, were);
	return c;
}

struct kmem_cache *const *cache_first(void)
{
	return &caches.first;
}

/* ---- create, destroy ------------------------------------------------------------ */

static bool cache_is_power(size_t n)
{
	return n && !(n & (n - 1));
}

/* What the slab engine has and slob has not is refused by name where there is room for words. */
#define CACHE_ZONES (SLAB_CACHE_DMA | SLAB_CACHE_DMA32)
#define CACHE_MORE_FLAGS (CACHE_ZONES | SLAB_DEBUG_FLAGS | SLAB_TYPESAFE_BY_RCU)

static gfp_t cache_zone(unsigned long flags)
{
	return (flags & SLAB_CACHE_DMA ? __GFP_DMA : 0) |
	       (flags & SLAB_CACHE_DMA32 ? __GFP_DMA32 : 0);
}

static const char *cache_refuse_zones(unsigned long zones)
{
	if (zones == CACHE_ZONES)
		return "SLAB_CACHE_DMA and SLAB_CACHE_DMA32 are two different zones";
	return page_serves(cache_zone(zones)) ? NULL : "this home has no DMA memory";
}

static const char *cache_refuse_flags(unsigned long flags)
{
	if (flags & SLAB_DEBUG_FLAGS)
		return "slob cannot watch single caches: its checks are of every block";
	if ((flags & SLAB_TYPESAFE_BY_RCU) && !rcu_is_bound())
		return "SLAB_TYPESAFE_BY_RCU needs an RCU: call ashlar_rcu_bind first";
	return cache_refuse_zones(flags & CACHE_ZONES);
}

static const char *cache_refuse(const char *name, size_t size, size_t align, unsigned long flags)
{
	const unsigned long known = SLAB_HWCACHE_ALIGN | SLAB_RECLAIM_ACCOUNT | SLAB_PANIC |
				    SLAB_ACCOUNT | SLAB_NO_MERGE;

	if (!name || !*name)
		return "a cache needs a name";
	if (size == 0)
		return "the size is 0";
	if (size > CACHE_SIZE_MAX)
		return "the size is above 4 MiB";
	if (align && (!cache_is_power(align) || align > CACHE_SIZE_MAX))
		return "the alignment is not a power of two up to 4 MiB";
	if (flags & ~known & ~(PORT_SLOB_STEP ? CACHE_MORE_FLAGS : 0))
		return "unknown flags";
	return PORT_SLOB_STEP ? cache_refuse_flags(flags) : NULL;
}

/* What is asked; else what the size is a multiple of, as far as any type needs. */
static size_t cache_align(size_t size, size_t align, unsigned long flags)
{
	size_t natural = size & (0 - size);

	if (flags & SLAB_HWCACHE_ALIGN) {
		size_t line = CACHE_LINE;

		while (size <= line / 2)
			line /= 2;
		align = size_max(align, line);
	}
	if (PORT_SLOB_STEP && (flags & SLAB_TYPESAFE_BY_RCU))
		align = size_max(align, sizeof(void *)); /* of what is behind the object, too */
	return size_max(align, size_max(size_min(natural, BLOCK_ALIGN), SLOB_UNIT));
}

/* SC1; under the lock. false iff all ids are taken. */
static bool cache_number(struct kmem_cache *c)
{
	unsigned bits = PORT_SLOB_STEP && (c->flags & SLAB_TYPESAFE_BY_RCU) ? SLOB_WAITS : 0;

	for (unsigned turn = 1; turn < SLOB_IDS; turn++) {
		const struct kmem_cache *other = caches.first;

		if (++caches.last_id == SLOB_IDS)
			caches.last_id = 1;
		while (other && other->id != (caches.last_id | bits))
			other = other->next;
		if (!other) {
			c->id = (u16)(caches.last_id | bits);
			return true;
		}
	}
	return false;
}

static struct kmem_cache *cache_make(const char *name, size_t size,
				     const struct kmem_cache_args *args, unsigned long flags)
{
	unsigned long were;
	struct kmem_cache *c;
	size_t length = 0;
	bool numbered;

	while (name[length] && length < CACHE_NAME_MAX - 1)
		length++;
	c = block_alloc(sizeof(*c) + length + 1, BLOCK_ALIGN, NULL, GFP_KERNEL, -1);
	if (!c)
		return NULL;
	*c = (struct kmem_cache){ .object_size = (u32)size,
				  .align = (u32)cache_align(size, args->align, flags),
				  .flags = (u32)flags,
				  .ctor = args->ctor };
	memcpy(c->name, name, length);
	c->name[length] = '\0';
	if (PORT_SLOB_STEP)
		hold(c); /* SC5: before anybody finds it */
	were = guard_enter(&caches.lock);
	numbered = cache_number(c);
	if (numbered) {
		c->next = caches.first;
		caches.first = c;
	}
	guard_leave(&caches.lock, were);
	if (numbered)
		return c;
	if (PORT_SLOB_STEP)
		hold_end(c);
	block_free(c, NULL, "kmem_cache_create");
	return NULL;
}

void cache_create_failed(const char *name, unsigned long flags, const char *function)
{
	if (flags & SLAB_PANIC) {
		report_refusal(function, name, "it has to be (SLAB_PANIC)");
		port_abort();
	}
}

struct kmem_cache *cache_create(const char *name, size_t size, const struct kmem_cache_args *args,
				unsigned long flags, const char *function)
{
	struct kmem_cache *c = NULL;
	const char *why = "there is no memory at all";

	if (init_ready())
		why = cache_refuse(name, size, args->align, flags);
	if (why)
		report_refusal(function, name, why);
	else
		c = cache_make(name, size, args, flags);
	if (!c)
		cache_create_failed(name, flags, function);
	return c;
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned long flags, void (*ctor)(void *))
{
	const struct kmem_cache_args args = { .align = align, .ctor = ctor };

	return cache_create(name, size, &args, flags, "kmem_cache_create");
}

static bool cache_is_listed(const struct kmem_cache *c)
{
	unsigned long were = guard_enter(&caches.lock);
	const struct kmem_cache *it = caches.first;

	while (it && it != c)
		it = it->next;
	guard_leave(&caches.lock, were);
	return it != NULL;
}

const struct kmem_cache *cache_seen(u16 id, const void *p)
{
	const struct kmem_cache *c = NULL;
	unsigned tries = CACHE_TRIES;

	while (!lock_try(&caches.lock))
		if (!--tries)
			return NULL;
	for (c = caches.first; c && c != p && c->id != id; c = c->next)
		continue;
	lock_release(&caches.lock);
	return c;
}

void cache_check(const struct kmem_cache *c, const char *function)
{
	if (PORT_SLOB_STEP && !kmalloc_class_of(c) && !cache_is_listed(c))
		report_pointer(function, c);
}

/* SC3 */
bool cache_empty(struct kmem_cache *c, const char *function, const char *what)
{
	size_t live;

	if (PORT_SLOB_STEP && READ_ONCE(c->live) && rcu_is_bound())
		ashlar_rcu_barrier(); /* objects that wait for readers */
	live = READ_ONCE(c->live);
	if (live)
		report_leak(function, what, c, live);
	return !live;
}

void kmem_cache_destroy(struct kmem_cache *c)
{
	unsigned long were;

	if (!c)
		return;
	if (kmalloc_class_of(c)) {
		report_refusal("kmem_cache_destroy", "kmalloc", "this cache is Ashlar's own");
		return;
	}
	cache_check(c, "kmem_cache_destroy");
	nolock_check();
	if (!cache_empty(c, "kmem_cache_destroy", "cache"))
		return;
	were = guard_enter(&caches.lock);
	for (struct kmem_cache **at = &caches.first; *at; at = &(*at)->next) {
		if (*at == c) {
			*at = c->next;
			break;
		}
	}
	guard_leave(&caches.lock, were);
	if (PORT_SLOB_STEP) {
		c->id = CACHE_GONE;
		hold_end(c);
	}
	block_free(c, NULL, "kmem_cache_destroy");
}

/* ---- objects ----------------------------------------------------------------------- */

void *kmem_cache_alloc_node(struct kmem_cache *c, gfp_t gfp, int node)
{
	size_t class = kmalloc_class_of(c);
	void *p;

	ASSERT(c);
	if (class)
		return kmalloc_node(class, gfp, node);
	if (PORT_SLOB_STEP && unlikely(c->id == CACHE_GONE))
		report_pointer("kmem_cache_alloc", c);
	if (PORT_SLOB_STEP && unlikely(c->flags & (CACHE_ZONES | SLAB_ACCOUNT)))
		gfp |= cache_zone(c->flags) | (c->flags & SLAB_ACCOUNT ? __GFP_ACCOUNT : 0);
	if (watch_fails(c, c->object_size, gfp))
		return NULL;
	p = block_alloc(c->object_size, c->align, c, c->ctor ? gfp & ~__GFP_ZERO : watch_gfp(gfp),
			node);
	if (p && c->ctor)
		c->ctor(p); /* SC2 */
	return p;
}

void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
	return kmem_cache_alloc_node(c, gfp, -1);
}

void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t gfp)
{
	return kmem_cache_alloc_node(c, gfp | __GFP_ZERO, -1);
}

void kmem_cache_free(struct kmem_cache *c, void *object)
{
	if (object)
		block_free(object, kmalloc_class_of(c) ? NULL : c, "kmem_cache_free");
}

int kmem_cache_alloc_bulk(struct kmem_cache *c, gfp_t gfp, size_t count, void **objects)
{
	if (count > INT32_MAX)
		return 0; /* a number that cannot be told */
	for (size_t i = 0; i < count; i++) {
		objects[i] = kmem_cache_alloc(c, gfp);
		if (!objects[i]) {
			kmem_cache_free_bulk(c, i, objects);
			return 0;
		}
	}
	return (int)count;
}

void kmem_cache_free_bulk(struct kmem_cache *c, size_t count, void **objects)
{
	for (size_t i = 0; i < count; i++) {
		if (c)
			kmem_cache_free(c, objects[i]);
		else if (objects[i])
			block_free(objects[i], NULL, "kmem_cache_free_bulk");
	}
}

/* Nothing lies idle in a cache: what is free is everybody's. */
int kmem_cache_shrink(struct kmem_cache *c)
{
	cache_check(c, "kmem_cache_shrink");
	return !kmalloc_class_of(c) && READ_ONCE(c->live) != 0;
}

unsigned int kmem_cache_size(struct kmem_cache *c)
{
	size_t class = kmalloc_class_of(c);

	cache_check(c, "kmem_cache_size");
	return class ? (unsigned int)class : c->object_size;
}

void cache_guard(bool take)
{
	if (take)
		lock_acquire_more(&caches.lock);
	else
		lock_release(&caches.lock);
}

/* ---- proof ---------------------------------------------------------------------------- */

/* Is the page the beginning of a run that is an object of the cache @id? */
static inline bool cache_has_run(const struct page *pg, u16 id)
{
	struct page seen = page_look(pg);

	return seen.kind == PAGE_RUN && (seen.list == RUN_OBJECT || seen.list == RUN_HELD) &&
	       READ_ONCE(pg->prev) == id;
}

/* BL3: a cache has as many objects as headers and runs name it; with threads, some that come or go
 * may be counted already, or still. */
size_t cache_audit(void)
{
	size_t faults = 0;

	for (const struct kmem_cache *c = caches.first; c; c = c->next) {
		size_t objects = 0;

		for (struct zone *z = pages_zones; z; z = z->next) {
			slob_audit(z, c->id, &objects);
			for (size_t i = 0; i < z->nr_pages; i++)
				objects += cache_has_run(&z->pages[i], c->id);
		}
		faults += PORT_ONE_CPU ? objects != c->live : objects > READ_ONCE(c->live);
	}
	return faults;
}
