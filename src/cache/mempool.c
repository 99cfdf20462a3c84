/* SPDX-License-Identifier: MIT */
/*
 * mempool.c - elements that are kept for bad times
 *
 * What    A stack of elements under a lock, refilled by what is given back before anything goes
 *         to the allocator. Who waits for one sleeps on a word that changes with each return.
 * State   the pool; an element inside is held (hold.h)
 * Rules   MP1 count <= min; an element goes to the allocator only while count == min
 *         MP2 the allocator is asked without reclaim first, then the pool, then with all that
 *             the request permits: so that a wait begins only when nothing else is left
 *         MP3 what is in a pool is nobody's: its free, or a second return, is reported
 *         MP4 a request that may not wait tries the pool's lock, which is held for a few
 *             instructions, several times; and goes without if the holder does not run meanwhile
 *         MP5 mempool_destroy alone ends a pool: it is held, so its free is reported
 * Source  Linux mm/mempool.c for the order of attempts
 */
#include "cache/mempool.h"
#include "ashlar/mm.h"
#include "base/check.h"
#include "base/list.h"
#include "base/lock.h"
#include "cache/gfp.h"
#include "cache/hold.h"
#include "cache/report.h"
#include "port/port.h"

#define MEMPOOL_EINVAL (-22)
#define MEMPOOL_ENOMEM (-12)

struct ashlar_mempool {
	struct lock lock; /* guards count, min and element */
	u32 count;        /* elements that are here */
	u32 min;          /* most that are kept */
	u32 returns;      /* atomic: changes with each element that comes in; waiters sleep on it */
	u32 waiting;      /* atomic: threads that sleep, or are about to */
	void **element;   /* the newest is the last */
	ashlar_mempool_alloc_t *alloc;
	ashlar_mempool_free_t *free;
	void *data;
	struct list link; /* pools.lock */
};

/* All pools: fork holds the locks of all. */
static struct {
	struct lock lock;
	struct list all; /* zeros until there is one */
} pools;

/* ---- elements in and out; the pool's lock is held --------------------------------- */

#define MEMPOOL_TRIES 256u

/* MP4 */
static bool mempool_lock(struct ashlar_mempool *pool, gfp_t gfp)
{
	for (unsigned i = 0; i < MEMPOOL_TRIES; i++) {
		if (lock_acquire_for(&pool->lock, gfp))
			return true;
		port_relax();
	}
	return false;
}

static void *mempool_pop(struct ashlar_mempool *pool, gfp_t gfp)
{
	void *element = NULL;

	if (!mempool_lock(pool, gfp))
		return NULL;
	if (pool->count) {
		WRITE_ONCE(pool->count, pool->count - 1);
		element = pool->element[pool->count];
		hold_end(element);
	}
	lock_release(&pool->lock);
	return element;
}

/* false iff the pool is full: then @element is still the caller's. */
static bool mempool_push(struct ashlar_mempool *pool, void *element)
{
	bool room;
	bool marked = true;

	lock_acquire(&pool->lock);
	room = pool->count < pool->min;
	if (room) {
		marked = hold(element) != HOLD_ALREADY; /* MP3; it may lie inside an object */
		if (marked) {
			pool->element[pool->count] = element;
			WRITE_ONCE(pool->count, pool->count + 1);
		}
	}
	lock_release(&pool->lock);
	if (!marked)
		report_pointer("mempool_free", element);
	if (room) {
		__atomic_fetch_add(&pool->returns, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&pool->waiting, __ATOMIC_SEQ_CST))
			port_wake(&pool->returns);
	}
	return room;
}

/* ---- life --------------------------------------------------------------------------- */

/* Allocate until @min are here. false iff one could not be had. */
static bool mempool_fill(struct ashlar_mempool *pool)
{
	while (READ_ONCE(pool->count) < pool->min) {
		void *element = pool->alloc(GFP_KERNEL, pool->data);

		if (!element)
			return false;
		if (!mempool_push(pool, element)) {
			pool->free(element, pool->data); /* somebody returned one meanwhile */
			break;
		}
	}
	return true;
}

mempool_t *mempool_create(int min, mempool_alloc_t *alloc, mempool_free_t *free, void *data)
{
	struct ashlar_mempool *pool;

	if (min < 1 || !alloc || !free) {
		report_refusal("mempool_create", NULL,
			       min < 1 ? "a pool keeps at least one element" :
					 "a pool needs both functions");
		return NULL;
	}
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return NULL;
	pool->min = (u32)min;
	pool->alloc = alloc;
	pool->free = free;
	pool->data = data;
	pool->element = kmalloc_array((size_t)min, sizeof(void *), GFP_KERNEL);
	hold(pool); /* MP5 */
	lock_acquire(&pools.lock);
	if (!pools.all.next)
		list_init(&pools.all);
	list_add(&pools.all, &pool->link);
	lock_release(&pools.lock);
	if (pool->element && mempool_fill(pool))
		return pool;
	mempool_destroy(pool);
	return NULL;
}

void mempool_destroy(mempool_t *pool)
{
	void *element;

	if (!pool)
		return;
	while ((element = mempool_pop(pool, GFP_KERNEL)))
		pool->free(element, pool->data);
	lock_acquire(&pools.lock);
	list_remove(&pool->link);
	lock_release(&pools.lock);
	kfree(pool->element);
	hold_end(pool);
	kfree(pool);
}

/* Fewer: what is too much goes to the allocator. */
static void mempool_lower(struct ashlar_mempool *pool, u32 min)
{
	void *element;

	lock_acquire(&pool->lock);
	WRITE_ONCE(pool->min, min);
	lock_release(&pool->lock);
	while (READ_ONCE(pool->count) > min && (element = mempool_pop(pool, GFP_KERNEL)))
		pool->free(element, pool->data);
}

int mempool_resize(mempool_t *pool, int min)
{
	void **larger;
	void **old;

	if (min < 1)
		return MEMPOOL_EINVAL;
	if ((u32)min <= pool->min) {
		mempool_lower(pool, (u32)min);
		return 0;
	}
	larger = kmalloc_array((size_t)min, sizeof(void *), GFP_KERNEL);
	if (!larger)
		return MEMPOOL_ENOMEM;
	lock_acquire(&pool->lock);
	__builtin_memcpy(larger, pool->element, pool->count * sizeof(void *));
	old = pool->element;
	pool->element = larger;
	WRITE_ONCE(pool->min, (u32)min);
	lock_release(&pool->lock);
	kfree(old);
	return mempool_fill(pool) ? 0 : MEMPOOL_ENOMEM;
}

int ashlar_mempool_min(const mempool_t *pool)
{
	return (int)READ_ONCE(pool->min);
}

int ashlar_mempool_available(const mempool_t *pool)
{
	return (int)READ_ONCE(pool->count);
}

/* ---- use ----------------------------------------------------------------------------- */

/* Wait until an element comes back, or one is there already. */
static void mempool_wait(struct ashlar_mempool *pool)
{
	u32 seen = LOAD_ACQUIRE(pool->returns);

	__atomic_fetch_add(&pool->waiting, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&pool->count, __ATOMIC_SEQ_CST) == 0)
		port_wait(&pool->returns, seen);
	__atomic_fetch_sub(&pool->waiting, 1, __ATOMIC_SEQ_CST);
}

void *mempool_alloc(mempool_t *pool, gfp_t gfp)
{
	gfp_t light = gfp | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC;
	void *element;

	if (gfp & __GFP_ZERO) {
		report_refusal("mempool_alloc", NULL,
			       "__GFP_ZERO: what comes out of a pool was used");
		return NULL;
	}
	light &= ~(__GFP_DIRECT_RECLAIM | __GFP_IO | __GFP_NOFAIL);
	element = pool->alloc(light, pool->data); /* MP2 */
	if (!element)
		element = mempool_pop(pool, gfp);
	if (element || !(gfp & __GFP_DIRECT_RECLAIM))
		return element;
	gfp = (gfp | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC) & ~__GFP_NOFAIL;
	for (;;) {
		element = pool->alloc(gfp, pool->data);
		if (!element)
			element = mempool_pop(pool, gfp);
		if (element)
			return element;
		mempool_wait(pool);
		element = mempool_pop(pool, gfp);
		if (element)
			return element;
	}
}

void *mempool_alloc_preallocated(mempool_t *pool)
{
	return mempool_pop(pool, GFP_ATOMIC);
}

void mempool_free(void *element, mempool_t *pool)
{
	if (!element)
		return;
	if (READ_ONCE(pool->count) < READ_ONCE(pool->min) && mempool_push(pool, element))
		return;
	pool->free(element, pool->data);
}

/* ---- the usual elements ----------------------------------------------------------------- */

void *mempool_alloc_slab(gfp_t gfp, void *data)
{
	return kmem_cache_alloc(data, gfp);
}

void mempool_free_slab(void *element, void *data)
{
	kmem_cache_free(data, element);
}

void *mempool_kmalloc(gfp_t gfp, void *data)
{
	return ashlar_kmalloc((size_t)(uintptr_t)data, gfp);
}

void mempool_kfree(void *element, void *data)
{
	(void)data;
	kfree(element);
}

void *mempool_alloc_pages(gfp_t gfp, void *data)
{
	return alloc_pages(gfp, (unsigned)(uintptr_t)data);
}

void mempool_free_pages(void *element, void *data)
{
	__free_pages(element, (unsigned)(uintptr_t)data);
}

mempool_t *mempool_create_slab_pool(int min, struct kmem_cache *cache)
{
	return mempool_create(min, mempool_alloc_slab, mempool_free_slab, cache);
}

mempool_t *mempool_create_kmalloc_pool(int min, size_t size)
{
	return mempool_create(min, mempool_kmalloc, mempool_kfree, (void *)(uintptr_t)size);
}

mempool_t *mempool_create_page_pool(int min, int order)
{
	return mempool_create(min, mempool_alloc_pages, mempool_free_pages,
			      (void *)(uintptr_t)(unsigned)order);
}

/* ---- fork ----------------------------------------------------------------------------------- */

void mempool_lock_all(void)
{
	struct list *l;

	lock_acquire_more(&pools.lock);
	if (pools.all.next)
		list_for_each(l, &pools.all)
			lock_acquire_more(&container_of(l, struct ashlar_mempool, link)->lock);
}

void mempool_unlock_all(void)
{
	struct list *l;

	if (pools.all.next)
		list_for_each(l, &pools.all)
			lock_release(&container_of(l, struct ashlar_mempool, link)->lock);
	lock_release(&pools.lock);
}
