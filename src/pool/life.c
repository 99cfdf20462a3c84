/* SPDX-License-Identifier: MIT */
/*
 * life.c - a pool's life: create, shrink, look at, destroy
 *
 * State   pools: the list of all pools, and the cache that they are objects of
 * Rules   PO5, PO6 of pool.h
 */
#include "base/bits.h"
#include "base/check.h"
#include "base/text.h"
#include "cache/above.h"
#include "cache/cache.h"
#include "cache/guard.h"
#include "cache/hold.h"
#include "cache/init.h"
#include "cache/object.h"
#include "pool/pool.h"
#include "port/port.h"

#define LIFE_LEAKS 4u /* objects named when a pool with objects is to be destroyed */

static struct {
	struct lock lock; /* guards list */
	struct list list;
	struct kmem_cache *cache; /* of struct slab; never goes away */
	u32 entered;              /* atomic: above.h knows this floor */
} pools = { .list = { &pools.list, &pools.list } };

/* ---- for the floor below: above.h ---------------------------------------------------- */

static void pools_stop(void)
{
	struct list *node;

	lock_acquire_more(&pools.lock);
	list_for_each(node, &pools.list)
		lock_acquire_more(&container_of(node, struct slab, link)->lock);
}

static void pools_resume(void)
{
	struct list *node;

	list_for_each(node, &pools.list)
		lock_release(&container_of(node, struct slab, link)->lock);
	lock_release(&pools.lock);
}

static void pools_forget(void)
{
	struct list *node;

	list_for_each(node, &pools.list) {
		container_of(node, struct slab, link)->visitors = 0;
		container_of(node, struct slab, link)->closed = false;
	}
}

/* One list of sheets: where each must be (PO1), and its own rules. */
static size_t pools_audit_sheets(const struct slab *pool, const struct list *sheets, u32 least,
				 u32 most, size_t *count)
{
	const struct list *node;
	size_t faults = 0;

	list_for_each(node, sheets) {
		const struct page *head = list_entry_const(node, struct page, link);

		faults += head->owner != pool || head->used < least || head->used > most;
		faults += sheet_audit(head, &pool->cut);
		count[0]++;
		count[1] += head->used;
	}
	return faults;
}

static size_t pools_audit(void)
{
	struct list *node;
	size_t faults = 0;

	list_for_each(node, &pools.list) {
		const struct slab *pool = container_of(node, struct slab, link);
		size_t count[2] = { 0 };
		u32 all = pool->cut.objects;

		faults += pools_audit_sheets(pool, &pool->partial, 1, all - 1, count);
		faults += pools_audit_sheets(pool, &pool->empty, 0, 0, count);
		faults += pools_audit_sheets(pool, &pool->full, all, all, count);
		faults += count[0] != pool->sheets || count[1] != pool->used; /* PO2 */
		faults += !pool_is_pool(pool);                                /* PO5 */
	}
	return faults;
}

/* PO6: the pool after @last, which is left; NULL: the first. */
static struct slab *pools_visit(struct slab *last)
{
	struct slab *next = NULL;
	struct list *node;

	lock_acquire(&pools.lock);
	node = last ? last->link.next : pools.list.next;
	while (node != &pools.list && container_of(node, struct slab, link)->closed)
		node = node->next;
	if (node != &pools.list) {
		next = container_of(node, struct slab, link);
		__atomic_fetch_add(&next->visitors, 1, __ATOMIC_RELAXED);
	}
	lock_release(&pools.lock);
	if (last)
		__atomic_fetch_sub(&last->visitors, 1, __ATOMIC_RELEASE);
	return next;
}

static size_t pools_shrink(void)
{
	size_t sheets = 0;

	for (struct slab *pool = pools_visit(NULL); pool; pool = pools_visit(pool))
		sheets += pool_shrink_sheets(pool);
	return sheets * SHEET_PAGES;
}

static struct above pools_above = {
	.stop = pools_stop,
	.resume = pools_resume,
	.forget = pools_forget,
	.audit = pools_audit,
	.shrink = pools_shrink,
};

/* ---- create -------------------------------------------------------------------------- */

/* The cache of pools; NULL iff memory is exhausted. Of two threads that make it one wins. */
static struct kmem_cache *pools_cache(void)
{
	struct kmem_cache *c = LOAD_ACQUIRE(pools.cache);
	struct kmem_cache *seen = NULL;

	if (c || !init_ready())
		return c;
	if (!__atomic_exchange_n(&pools.entered, 1, __ATOMIC_RELAXED))
		above_enter(&pools_above);
	c = cache_make("pool", sizeof(struct slab), CACHE_LINE, 0, NULL);
	if (!c)
		return NULL;
	if (__atomic_compare_exchange_n(&pools.cache, &seen, c, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return c;
	kmem_cache_destroy(c);
	return seen;
}

bool pool_is_pool(const void *p)
{
	const struct kmem_cache_node *n;

	if (object_granule(p) >= READ_ONCE(map.granules) || !map_is_known(map_pfn(p)))
		return false;
	n = cache_node_at(map.ids[map_pfn(p)]);
	if (!n)
		return guard_is_of(LOAD_ACQUIRE(pools.cache), p) && hold_is(p);
	return n->cache == LOAD_ACQUIRE(pools.cache) && (uintptr_t)p % CACHE_LINE == 0 &&
	       hold_is(p);
}

/* "pool-192" for a pool without a name. */
static void pools_name(struct slab *pool, const char *name)
{
	struct text t;
	size_t n = 0;

	if (!name || !*name) {
		text_init(&t);
		text_str(&t, "pool-");
		text_dec(&t, pool->size);
		text_char(&t, '\0');
		name = t.bytes;
	}
	for (; name[n] && n < POOL_NAME_MAX - 1; n++)
		pool->name[n] = name[n];
	pool->name[n] = '\0';
}

/* Bytes from object to object: the size rounded up to 8 and to the alignment, at least what a sheet
 * can say of an object. */
static size_t pools_stride(const struct pool_args *args)
{
	size_t least = args->ctor || args->dtor ? SHEET_CALLBACK_MIN : GRANULE_SIZE;

	return size_align(size_max(args->size, least), size_max(args->align, 8));
}

struct slab *pool_make(const struct pool_args *args)
{
	struct kmem_cache *c = pools_cache();
	struct slab *pool = c ? kmem_cache_alloc(c, GFP_KERNEL) : NULL;

	if (!pool)
		return NULL;
	*pool = (struct slab){
		.flags = args->flags,
		.size = args->size,
		.arg = args->arg,
		.ctor = args->ctor,
		.dtor = args->dtor,
	};
	cut_choose(&pool->cut, pools_stride(args), args->ctor || args->dtor);
	hold(pool); /* PO5 */
	list_init(&pool->partial);
	list_init(&pool->empty);
	list_init(&pool->full);
	pools_name(pool, args->name);
	lock_acquire(&pools.lock);
	list_add_tail(&pools.list, &pool->link);
	lock_release(&pools.lock);
	return pool;
}

/* Why such a pool cannot be, or 0. */
static int pools_refuse(const struct pool_args *args, const char **why)
{
	if (args->size == 0) {
		*why = "the size is 0";
		return -ESLAB_SIZE;
	}
	if (args->size > size_min(POOL_MAX_SIZE, SHEET_BYTES)) {
		*why = "an object does not fit a block of 2 MiB";
		return -ESLAB_SIZE;
	}
	if (args->align && (!bits_is_power_of_two(args->align) || args->align > SHEET_BYTES)) {
		*why = "the alignment is not a power of two up to 2 MiB";
		return -ESLAB_ALIGN;
	}
	if (args->flags > POOL_PAGES_SMALL) {
		*why = "unknown flags";
		return -ESLAB_FLAGS;
	}
	if (init_ready() && args->align > map.align) {
		*why = "this memory cannot be aligned so far";
		return -ESLAB_ALIGN;
	}
	return 0;
}

static struct slab *pools_create(const struct pool_args *args, const char *function, int *error)
{
	const char *why = NULL;
	struct slab *pool = NULL;

	*error = pools_refuse(args, &why);
	if (*error == 0) {
		pool = pool_make(args);
		*error = pool ? 0 : -ESLAB_NOMEM;
	} else {
		report_refusal(function, args->name, why);
	}
	return pool;
}

struct slab *pool_create(const struct pool_args *args, int *error)
{
	int unused;

	if (!error)
		error = &unused;
	if (!args) {
		report_refusal("pool_create", NULL, "args is NULL");
		*error = -ESLAB_ARGS;
		return NULL;
	}
	return pools_create(args, "pool_create", error);
}

struct slab *slab_create(unsigned long size, pool_callback ctor, pool_callback dtor,
			 unsigned long arg)
{
	struct pool_args args = { .size = size, .ctor = ctor, .dtor = dtor, .arg = arg };
	int unused;

	return pools_create(&args, "slab_create", &unused);
}

/* ---- look at, shrink, destroy --------------------------------------------------------- */

void pool_info(struct slab *pool, struct pool_info *info)
{
	if (!pool_is_pool(pool))
		fault_pool("pool_info", pool);
	CHECK(info, "pool_info has nowhere to write to");
	lock_acquire(&pool->lock);
	*info = (struct pool_info){
		.size = pool->size,
		.stride = pool->cut.stride,
		.block_objects = pool->cut.objects,
		.blocks = pool->sheets,
		.blocks_grown = pool->grown,
		.blocks_given = pool->given,
		.objects_using = pool->used,
		.objects_free = pool->sheets * pool->cut.objects - pool->used,
		.objects_peak = pool->used_peak,
	};
	lock_release(&pool->lock);
	for (unsigned i = 0; i < POOL_NAME_MAX; i++)
		info->name[i] = pool->name[i];
}

size_t pool_shrink(struct slab *pool)
{
	if (!pool_is_pool(pool))
		fault_pool("pool_shrink", pool);
	return pool_shrink_sheets(pool) * SHEET_BYTES;
}

/* The sheet of the list that is above @after and below @below (NULL: any), the lowest of these. */
static struct page *pools_lowest(const struct list *sheets, const struct page *after,
				 struct page *below)
{
	for (struct list *node = sheets->next; node && node != sheets; node = node->next) {
		struct page *head = container_of(node, struct page, link);

		if (head > after && (!below || head < below))
			below = head;
	}
	return below;
}

/* The sheet with the lowest address above @after that has objects in use. Under the lock. */
static struct page *pools_next_sheet(const struct slab *pool, const struct page *after)
{
	return pools_lowest(&pool->full, after, pools_lowest(&pool->partial, after, NULL));
}

/* Up to 64 objects in use from a place on; the place moves behind them. false: there are none. */
static bool pools_gather(struct slab *pool, struct page **sheet, unsigned *word, void **objects,
			 unsigned *count)
{
	u64 used = 0;

	lock_acquire(&pool->lock);
	if (!*sheet || *word >= sheet_words(&pool->cut) || (*sheet)->kind != PAGE_POOL ||
	    (*sheet)->owner != pool) {
		*sheet = pools_next_sheet(pool, *sheet);
		*word = 0;
	}
	if (*sheet)
		used = sheet_used_word(*sheet, &pool->cut, *word);
	for (*count = 0; used; used &= used - 1) {
		objects[*count] = sheet_object(*sheet, &pool->cut, *word * 64 + bits_lowest(used));
		++*count;
	}
	++*word;
	lock_release(&pool->lock);
	return *sheet != NULL;
}

int pool_for_each(struct slab *pool, int (*visit)(void *object, void *data), void *data)
{
	void *objects[64];
	struct page *sheet = NULL;
	unsigned word = 0;
	unsigned count;

	if (!pool_is_pool(pool))
		fault_pool("pool_for_each", pool);
	CHECK(visit, "pool_for_each has nobody to call");
	while (pools_gather(pool, &sheet, &word, objects, &count))
		for (unsigned i = 0; i < count; i++)
			if (visit(objects[i], data))
				return true;
	return false;
}

static void pools_set_closed(struct slab *pool, bool closed)
{
	lock_acquire(&pools.lock);
	pool->closed = closed;
	lock_release(&pools.lock);
	while (closed && LOAD_ACQUIRE(pool->visitors))
		port_yield();
}

struct leaks {
	void *objects[LIFE_LEAKS];
	unsigned count;
};

static int pools_note_leak(void *object, void *data)
{
	struct leaks *leaks = data;

	leaks->objects[leaks->count++] = object;
	return leaks->count == LIFE_LEAKS;
}

int slab_destroy(struct slab *pool)
{
	struct leaks leaks = { .count = 0 };
	size_t used;
	bool more;

	if (!pool)
		return 0;
	if (!pool_is_pool(pool))
		fault_pool("slab_destroy", pool);
	pools_set_closed(pool, true);
	used = READ_ONCE(pool->used);
	if (used) {
		pool_for_each(pool, pools_note_leak, &leaks);
		more = leaks.count == LIFE_LEAKS && used > LIFE_LEAKS;
		fault_leak(pool, used, leaks.objects, leaks.count, more);
		pools_set_closed(pool, false);
		return -ESLAB_NOTNULL;
	}
	pool_shrink_sheets(pool);
	lock_acquire(&pools.lock);
	list_remove(&pool->link);
	lock_release(&pools.lock);
	hold_end(pool);
	kmem_cache_free(pools.cache, pool);
	return 0;
}

const char *pool_error(int error)
{
	static const char *const names[] = {
		"ESLAB_NOTNULL", "ENOT_IN_SLAB", "ECANNOT_FREE_MEM", "ESLAB_NOMEM", "ESLAB_SIZE",
		"ESLAB_ALIGN",   "ESLAB_FLAGS",  "ESLAB_BUSY",       "ESLAB_ARGS",
	};
	unsigned i = (error < 0 ? 0u - (unsigned)error : (unsigned)error) - ESLAB_NOTNULL;

	if (error == 0)
		return "0";
	return i < ARRAY_SIZE(names) ? names[i] : "?";
}
