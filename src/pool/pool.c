/* SPDX-License-Identifier: MIT */
/*
 * pool.c - an object's way through a pool: slab_malloc, slab_free
 *
 * What    Take and give under the pool's lock; growth, give-back and callbacks without it.
 * See     pool.h for the theory and the rules, life.c for a pool's life
 */
#include "pool/pool.h"
#include "ashlar/mm.h"
#include "base/check.h"
#include "base/memory.h"
#include "cache/gfp.h"
#include "cache/reclaim.h"
#include "cache/report.h"
#include "page/page.h"
#include "port/port.h"

/* ---- taking ---------------------------------------------------------------------- */

/* The sheet to take from; NULL iff no object is free. */
static struct page *pool_first_sheet(const struct slab *pool)
{
	if (!list_is_empty(&pool->partial))
		return list_first_entry(&pool->partial, struct page, link);
	if (!list_is_empty(&pool->empty))
		return list_first_entry(&pool->empty, struct page, link);
	return NULL;
}

/* Under the lock. */
static void *pool_take_from(struct slab *pool, struct page *head)
{
	u32 before = head->used;
	void *object = sheet_take(head, &pool->cut);

	pool->used++;
	pool->used_peak = size_max(pool->used_peak, pool->used);
	if (head->used == pool->cut.objects) { /* PO1 */
		list_remove(&head->link);
		list_add(&pool->full, &head->link);
	} else if (before == 0) {
		list_remove(&head->link);
		list_add(&pool->partial, &head->link);
	}
	if (pool->ctor)
		sheet_set_pending(head, &pool->cut, object, true);
	return object;
}

/* Wait for the lock only with leave to. */
static bool pool_lock(struct slab *pool, gfp_t gfp)
{
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return lock_try(&pool->lock);
	lock_acquire(&pool->lock);
	return true;
}

static bool pool_back(const struct page *head, bool huge)
{
	return port_huge(map_page_address(head), SHEET_BYTES, huge);
}

/* A block is everybody's who has objects in it: nobody is charged for it. */
static struct page *pool_block(gfp_t gfp)
{
	return alloc_pages(gfp & ~(gfp_t)(__GFP_ZERO | __GFP_ACCOUNT), SHEET_ORDER);
}

/* A new sheet, joined, and an object of it; the second one says that the pool is no small one, and
 * the first gets large pages, too. */
static void *pool_grow(struct slab *pool, gfp_t gfp)
{
	struct page *head = pool_block(gfp);
	struct page *first = NULL;
	bool huge = pool->flags & POOL_PAGES_HUGE;
	bool may_ask = (gfp & __GFP_DIRECT_RECLAIM) && !(pool->flags & POOL_PAGES_SMALL);
	void *object;

	if (!head)
		return NULL;
	head->huge = may_ask && (huge || READ_ONCE(pool->sheets) > 0) && pool_back(head, true);
	sheet_prepare(head, &pool->cut, pool);
	if (!pool_lock(pool, gfp)) {
		sheet_unmake(head);
		page_free(head, SHEET_ORDER);
		return NULL;
	}
	if (may_ask && pool->sheets == 1 && !list_is_empty(&pool->full)) {
		first = list_first_entry(&pool->full, struct page, link);
		if (first->huge)
			first = NULL;
		else
			first->huge = 1;
	}
	list_add(&pool->empty, &head->link);
	pool->sheets++;
	pool->grown++;
	object = pool_take_from(pool, head);
	lock_release(&pool->lock);
	if (first)
		pool_back(first, true); /* if it has left meanwhile, whoever has it loses nothing */
	return object;
}

bool pool_serves(gfp_t gfp, const char *function, const char *name)
{
	gfp_check(gfp);
	if (likely(!(gfp & (__GFP_DMA | __GFP_DMA32))))
		return true;
	report_refusal(function, name,
		       page_serves(gfp) ? "pools hold ordinary memory" :
					  "this home has no DMA memory");
	return false;
}

void *pool_take(struct slab *pool, gfp_t gfp)
{
	struct page *head;
	void *object = NULL;

	if (!pool_lock(pool, gfp))
		return NULL;
	head = pool_first_sheet(pool);
	if (head)
		object = pool_take_from(pool, head);
	lock_release(&pool->lock);
	return object ? object : pool_grow(pool, gfp); /* PO4 */
}

/* ---- giving ---------------------------------------------------------------------- */

/* Pages of sheets that have left their pool. */
static void pool_release(struct list *sheets)
{
	while (!list_is_empty(sheets)) {
		struct page *head = list_first_entry(sheets, struct page, link);

		list_remove(&head->link);
		if (head->huge)
			pool_back(head, false);
		head->huge = 0;
		page_free(head, SHEET_ORDER);
	}
	reclaim_check();
}

/* An empty sheet leaves. Under the lock. */
static void pool_part(struct slab *pool, struct page *head, struct list *out)
{
	list_remove(&head->link);
	sheet_unmake(head); /* PO7 */
	pool->sheets--;
	pool->given++;
	list_add_tail(out, &head->link);
}

/* Put an object that is nobody's any more; without @out an emptied sheet stays. Under the lock. */
static void pool_put(struct slab *pool, void *object, struct list *out)
{
	struct page *head = sheet_head(object);
	bool was_full = head->used == pool->cut.objects;

	if (pool->cut.callbacks)
		sheet_set_pending(head, &pool->cut, object, false);
	sheet_put(head, &pool->cut, object);
	pool->used--;
	if (head->used == 0 && out &&
	    pool->sheets * pool->cut.objects - pool->used >= 2 * (size_t)pool->cut.objects) {
		pool_part(pool, head, out); /* PO3 */
	} else if (head->used == 0) {
		list_remove(&head->link);
		list_add(&pool->empty, &head->link); /* PO1 */
	} else if (was_full) {
		list_remove(&head->link);
		list_add_tail(&pool->partial, &head->link); /* PO1 */
	}
}

static void pool_put_alone(struct slab *pool, void *object)
{
	struct list out;

	list_init(&out);
	lock_acquire(&pool->lock);
	pool_put(pool, object, &out);
	lock_release(&pool->lock);
	if (!list_is_empty(&out))
		pool_release(&out);
}

/* What is wrong with giving @object back, or SHEET_FINE. Under the lock. */
static enum sheet_fault pool_look(const struct slab *pool, const void *object)
{
	const struct page *head = sheet_head(object);

	return head ? sheet_look(head, &pool->cut, pool, object) : SHEET_FOREIGN;
}

/* A wrong pointer: nothing has changed. */
static int pool_refuse(const char *function, const struct slab *pool, const void *object,
		       enum sheet_fault fault)
{
	if (fault != SHEET_FOREIGN)
		fault_object(function, pool, object, fault);
	fault_foreign(function, pool, object);
	return -ENOT_IN_SLAB;
}

int pool_give(struct slab *pool, void *object, unsigned long arg, const char *function)
{
	enum sheet_fault fault;
	struct list out;

	list_init(&out);
	lock_acquire(&pool->lock);
	fault = pool_look(pool, object);
	if (fault == SHEET_FINE && pool->dtor)
		sheet_set_pending(sheet_head(object), &pool->cut, object, true);
	else if (fault == SHEET_FINE)
		pool_put(pool, object, &out);
	lock_release(&pool->lock);
	if (fault != SHEET_FINE)
		return pool_refuse(function, pool, object, fault);
	if (!list_is_empty(&out))
		pool_release(&out);
	if (pool->dtor) {
		pool->dtor(object, arg ? arg : pool->arg);
		pool_put_alone(pool, object);
	}
	return 0;
}

/* ---- the doors ------------------------------------------------------------------- */

static void *pool_malloc(struct slab *pool, unsigned long arg, gfp_t gfp, const char *function)
{
	void *object;
	void *made;

	if (!pool_is_pool(pool))
		fault_pool(function, pool);
	if (!pool_serves(gfp, function, pool->name))
		return NULL;
	object = pool_take(pool, gfp);
	if (!object)
		return NULL;
	if (gfp & __GFP_ZERO)
		memset(object, 0, pool->cut.stride);
	if (!pool->ctor)
		return object;
	made = pool->ctor(object, arg ? arg : pool->arg);
	if (!made) {
		pool_put_alone(pool, object);
		return NULL;
	}
	lock_acquire(&pool->lock);
	sheet_set_pending(sheet_head(object), &pool->cut, object, false); /* SH3: it is in use */
	lock_release(&pool->lock);
	return made;
}

void *slab_malloc_gfp(struct slab *pool, unsigned long arg, gfp_t gfp)
{
	return pool_malloc(pool, arg, gfp, "slab_malloc_gfp");
}

void *slab_malloc(struct slab *pool, unsigned long arg)
{
	return pool_malloc(pool, arg, GFP_KERNEL, "slab_malloc");
}

int slab_free(struct slab *pool, void *object, unsigned long arg)
{
	if (!pool_is_pool(pool))
		fault_pool("slab_free", pool);
	return object ? pool_give(pool, object, arg, "slab_free") : 0;
}

/* A block that becomes empty stays: giving it back makes system calls. */
int slab_free_try(struct slab *pool, void *object)
{
	enum sheet_fault fault;

	if (!pool_is_pool(pool))
		fault_pool("slab_free_try", pool);
	if (!object)
		return 0;
	CHECK(!pool->dtor, "slab_free_try is for pools without a destructor");
	if (!lock_try(&pool->lock))
		return -ESLAB_BUSY;
	fault = pool_look(pool, object);
	if (fault == SHEET_FINE)
		pool_put(pool, object, NULL);
	lock_release(&pool->lock);
	return fault == SHEET_FINE ? 0 : pool_refuse("slab_free_try", pool, object, fault);
}

/* ---- for life.c ------------------------------------------------------------------- */

size_t pool_shrink_sheets(struct slab *pool)
{
	struct list out;
	size_t sheets = 0;

	list_init(&out);
	lock_acquire(&pool->lock);
	while (!list_is_empty(&pool->empty)) {
		pool_part(pool, list_first_entry(&pool->empty, struct page, link), &out);
		sheets++;
	}
	lock_release(&pool->lock);
	if (sheets)
		pool_release(&out);
	return sheets;
}

struct slab *pool_owner(const void *p)
{
	const struct page *head = sheet_head(p);

	if (!head || READ_ONCE(head->kind) != PAGE_POOL)
		return NULL;
	return READ_ONCE(head->owner);
}
