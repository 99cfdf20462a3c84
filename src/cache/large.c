/* SPDX-License-Identifier: MIT */
/*
 * large.c - see large.h
 *
 * State   large: the registry of mappings, under large.lock
 */
#include "cache/large.h"
#include "base/bits.h"
#include "base/check.h"
#include "base/lock.h"
#include "base/memory.h"
#include "cache/account_object.h"
#include "cache/cache.h"
#include "cache/gfp.h"
#include "cache/option.h"
#include "cache/reclaim.h"
#include "cache/report.h"
#include "cache/scope.h"
#include "page/node.h"
#include "page/page.h"
#include "port/port.h"

#define LARGE_BUCKETS 256u
#define LARGE_TRIES 100000u /* of a report, for the lock */

/* A kept mapping serves a request of at least 3/4 of its size; the rest is not wasted long. */
#define LARGE_FIT(bytes) ((bytes) - (bytes) / 4)

struct mapping {
	struct list link; /* of its bucket, or of kept */
	char *start;
	size_t bytes;
	struct account_owner *owner; /* who pays; NULL: nobody */
	size_t charged;              /* bytes that he pays for */
};

static struct {
	struct lock lock;
	struct kmem_cache *mappings; /* of struct mapping */
	struct list used[LARGE_BUCKETS];
	struct list kept; /* last freed first */
	struct large_figures pages;
	size_t trimmed; /* pages unmapped that were not mapped anew yet */
	size_t refaulted;
} large;

bool large_init(void)
{
	for (unsigned i = 0; i < LARGE_BUCKETS; i++)
		list_init(&large.used[i]);
	list_init(&large.kept);
	large.mappings = cache_make("ashlar-mapping", sizeof(struct mapping), 16, SLAB_OWN, NULL);
	return large.mappings != NULL;
}

static struct list *large_bucket(const void *p)
{
	return &large.used[((uintptr_t)p >> PAGE_SHIFT) * 0x9e3779b97f4a7c15u >> 56];
}

/* The mapping in use that starts at @p, or NULL. Under large.lock. */
static struct mapping *large_find(const void *p)
{
	struct list *bucket = large_bucket(p);
	struct list *node;

	if (!bucket->next)
		return NULL;
	list_for_each(node, bucket) {
		struct mapping *m = container_of(node, struct mapping, link);

		if (m->start == (const char *)p)
			return m;
	}
	return NULL;
}

/* ---- mappings ------------------------------------------------------------------ */

/* The kept mapping that fits best, off its list; NULL iff none fits. */
static struct mapping *large_reuse(size_t bytes, size_t align)
{
	struct mapping *best = NULL;
	struct list *node;

	lock_acquire(&large.lock);
	list_for_each(node, &large.kept) {
		struct mapping *m = container_of(node, struct mapping, link);

		if (m->bytes >= bytes && LARGE_FIT(m->bytes) <= bytes &&
		    ((uintptr_t)m->start & (align - 1)) == 0 && (!best || m->bytes < best->bytes))
			best = m;
	}
	if (best) {
		list_remove(&best->link);
		large.pages.kept -= best->bytes >> PAGE_SHIFT;
	}
	lock_release(&large.lock);
	return best;
}

static void large_enter(struct mapping *m)
{
	size_t pages = m->bytes >> PAGE_SHIFT;

	lock_acquire(&large.lock);
	list_add(large_bucket(m->start), &m->link);
	large.pages.used += pages;
	pages = large.pages.used;
	lock_release(&large.lock);
	page_note_mapped(pages);
}

/* May @pages more be mapped under the limit that the user set? */
static bool large_is_allowed(size_t pages)
{
	struct page_stat s;

	if (!options.limit)
		return true;
	page_stat(&s);
	return s.online_pages - s.free_pages + s.dirty_pages + large.pages.used + large.pages.kept +
		       pages <=
	       options.limit >> PAGE_SHIFT;
}

/* A new mapping; learn where as much was unmapped before. */
static struct mapping *large_map(size_t bytes, size_t align, gfp_t gfp)
{
	struct mapping *m =
		kmem_cache_alloc(large.mappings, gfp & ~(__GFP_ZERO | ASHLAR_GFP_TYPES));
	size_t pages = bytes >> PAGE_SHIFT;
	size_t again;

	if (!m)
		return NULL;
	m->start = large_is_allowed(pages) ? port_mapping_alloc(bytes, align) : NULL;
	if (!m->start) {
		kmem_cache_free(large.mappings, m);
		return NULL;
	}
	m->bytes = bytes;
	m->owner = NULL;
	lock_acquire(&large.lock);
	again = size_min(pages, large.trimmed);
	large.trimmed -= again;
	large.refaulted += again;
	lock_release(&large.lock);
	return m;
}

void *large_get_mapping(size_t size, size_t align, gfp_t gfp)
{
	size_t bytes = size_align(size, PAGE_SIZE);
	struct mapping *m;

	if (bytes < size || size > PTRDIFF_MAX)
		return NULL;
	m = large_reuse(bytes, align);
	if (m && ((gfp & __GFP_ZERO) || options.init_on_alloc))
		memset(m->start, 0, m->bytes);
	for (unsigned attempt = 0; !m; attempt++) {
		m = large_map(bytes, align, gfp);
		if (!m && !reclaim_retry(gfp, attempt))
			return NULL;
	}
	large_enter(m);
	reclaim_grew(gfp);
	return m->start;
}

/* A mapping goes to the kept ones; false iff none starts at @p. */
static bool large_unmap(const void *p)
{
	struct account_owner *owner = NULL;
	size_t charged = 0;
	struct mapping *m;

	lock_acquire(&large.lock);
	m = large_find(p);
	if (m) {
		list_remove(&m->link);
		large.pages.used -= m->bytes >> PAGE_SHIFT;
		list_add(&large.kept, &m->link);
		large.pages.kept += m->bytes >> PAGE_SHIFT;
		owner = m->owner;
		charged = m->charged;
		m->owner = NULL;
	}
	lock_release(&large.lock);
	account_uncharge_bytes(charged, owner);
	if (m) {
		page_note_mapped(READ_ONCE(large.pages.used));
		reclaim_check();
	}
	return m != NULL;
}

void large_trim(size_t keep)
{
	for (;;) {
		struct mapping *m = NULL;

		lock_acquire(&large.lock);
		if (large.pages.kept > keep) {
			m = list_last_entry(&large.kept, struct mapping, link);
			list_remove(&m->link);
			large.pages.kept -= m->bytes >> PAGE_SHIFT;
			large.trimmed += m->bytes >> PAGE_SHIFT;
			large_gone_add(m->start, m->bytes);
		}
		lock_release(&large.lock);
		if (!m)
			return;
		port_mapping_free(m->start, m->bytes);
		kmem_cache_free(large.mappings, m);
	}
}

static void *large_remap(const void *p, size_t size)
{
	size_t bytes = size_align(size, PAGE_SIZE);
	struct mapping *m;
	void *moved = NULL;

	if (bytes < size || bytes >> PAGE_SHIFT <= (size_t)1 << MAX_ORDER)
		return NULL;
	lock_acquire(&large.lock);
	m = large_find(p);
	if (m) {
		list_remove(&m->link);
		large.pages.used -= m->bytes >> PAGE_SHIFT;
	}
	lock_release(&large.lock);
	if (!m)
		return NULL;
	/* Its pages are not counted now. */
	if (bytes <= m->bytes || large_is_allowed(bytes >> PAGE_SHIFT))
		moved = port_mapping_resize(m->start, m->bytes, bytes);
	if (moved && moved != m->start) {
		lock_acquire(&large.lock);
		large_gone_add(m->start, m->bytes);
		lock_release(&large.lock);
	}
	if (moved) {
		m->start = moved;
		m->bytes = bytes;
	}
	large_enter(m);
	return moved;
}

/* ---- runs of pages --------------------------------------------------------------- */

static void large_count_run(size_t pages)
{
	__atomic_fetch_add(&large.pages.runs, pages, __ATOMIC_RELAXED);
}

static void *large_alloc_run(size_t pages, size_t align_pages, gfp_t gfp, unsigned node)
{
	struct page *head = NULL;
	bool zero;
	char *p;

	for (unsigned attempt = 0; !head; attempt++) {
		head = page_alloc_exact(pages, align_pages, scope_gfp(gfp), node, &zero);
		if (!head && !reclaim_retry(gfp, attempt))
			return NULL;
	}
	head->kind = PAGE_LARGE;
	head->charged = 0;
	head->pages = pages;
	large_count_run(pages);
	reclaim_grew(gfp);
	p = map_page_address(head);
	if ((gfp & __GFP_ZERO) && !zero)
		memset(p, 0, pages << PAGE_SHIFT);
	return p;
}

void *large_get(size_t size, size_t align, gfp_t gfp, unsigned node)
{
	size_t pages = size_max(size_align(size, PAGE_SIZE), PAGE_SIZE) >> PAGE_SHIFT;
	size_t align_pages = size_max(align, PAGE_SIZE) >> PAGE_SHIFT;
	bool mappable = (gfp & __GFP_DIRECT_RECLAIM) && !(gfp & (__GFP_DMA | __GFP_DMA32)) &&
			(node_table.count == 1 || !(gfp & __GFP_THISNODE));
	void *p;

	if (size > PTRDIFF_MAX)
		return NULL;
	if (options.init_on_alloc)
		gfp |= __GFP_ZERO;
	if (!gfp_serves(gfp, "kmalloc", "large"))
		return NULL;
	if (pages > (size_t)1 << MAX_ORDER || align > map.align)
		return mappable ? large_get_mapping(size, align, gfp) : NULL;
	p = large_alloc_run(pages, align_pages, gfp, node);
	if (!p && mappable && pages > 1)
		p = large_get_mapping(size, align, gfp); /* the arena is full, not the system */
	return p;
}

void large_set_owner(const void *p, struct account_owner *owner, size_t bytes)
{
	struct mapping *m;

	lock_acquire(&large.lock);
	m = large_find(p);
	m->owner = owner;
	m->charged = bytes;
	lock_release(&large.lock);
}

/* The run that starts at @p, or NULL. */
static struct page *large_run(const void *p)
{
	struct page *head;

	if (!map_contains(p) || (uintptr_t)p % PAGE_SIZE != 0)
		return NULL;
	head = &map.pages[map_pfn(p)];
	return READ_ONCE(head->kind) == PAGE_LARGE ? head : NULL;
}

void large_undo(void *p, gfp_t gfp)
{
	struct page *head = large_run(p);
	size_t pages;

	if (!head) {
		large_unmap(p);
		return;
	}
	pages = head->pages;
	large_count_run(-pages);
	head->kind = PAGE_BLOCK;
	page_undo(head, pages, gfp);
}

STATIC_ASSERT(offsetof(struct page, kind) == 0, "large_end changes the word it begins");

/* LG1: the run is nobody's. Of two frees at the same time one finds it ended: that is decided in
 * one step, by the word that kind is a byte of. */
static bool large_end(struct page *head)
{
	u32 *word = (u32 *)(void *)head;
	u32 seen = READ_ONCE(*word);
	u32 ended = seen;

	*(u8 *)&ended = PAGE_BLOCK;
	return *(u8 *)&seen == PAGE_LARGE &&
	       __atomic_compare_exchange_n(word, &seen, ended, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

bool large_free(void *p)
{
	struct page *head = large_run(p);

	if (!head)
		return !map_contains(p) && large_unmap(p);
	if (!large_end(head))
		return false;
	account_uncharge_block(head);
	large_count_run(-head->pages);
	page_free_exact(head, head->pages);
	reclaim_check();
	return true;
}

struct account_owner *large_owner(const void *p)
{
	const struct page *head = large_run(p);
	struct account_owner *owner;
	struct mapping *m;

	if (head || map_contains(p))
		return head && head->charged ? (struct account_owner *)(uintptr_t)head->bits[0] :
					       NULL;
	lock_acquire(&large.lock);
	m = large_find(p);
	owner = m ? m->owner : NULL;
	lock_release(&large.lock);
	return owner;
}

size_t large_size(const void *p)
{
	const struct page *head = large_run(p);
	struct mapping *m;
	size_t bytes;

	if (head || map_contains(p))
		return head ? head->pages << PAGE_SHIFT : 0;
	lock_acquire(&large.lock);
	m = large_find(p);
	bytes = m ? m->bytes : 0;
	lock_release(&large.lock);
	return bytes;
}

bool large_look(const void *p, struct large_place *place)
{
	unsigned tries = LARGE_TRIES;
	bool found = false;
	struct list *node;

	while (!large.mappings || !lock_try(&large.lock))
		if (--tries == 0)
			return false;
	for (unsigned i = 0; i <= LARGE_BUCKETS && !found; i++) {
		struct list *list = i < LARGE_BUCKETS ? &large.used[i] : &large.kept;

		list_for_each(node, list) {
			struct mapping *m = container_of(node, struct mapping, link);

			if ((size_t)((const char *)p - m->start) >= m->bytes)
				continue;
			*place =
				(struct large_place){ m->start, m->bytes,
						      i < LARGE_BUCKETS ? LARGE_USED : LARGE_KEPT };
			found = true;
		}
	}
	found = found || large_gone_find(p, place);
	lock_release(&large.lock);
	return found;
}

static void *large_resize_run(void *p, size_t size, gfp_t gfp)
{
	struct page *head = &map.pages[map_pfn(p)];
	size_t pages = size_align(size, PAGE_SIZE) >> PAGE_SHIFT;
	size_t old = head->pages;
	bool zero = false;

	if (pages < old) {
		head->pages = pages;
		large_count_run(pages - old);
		page_free_exact(head + pages, old - pages);
		reclaim_check();
		return p;
	}
	if (pages > old && !page_extend(head, old, pages - old, &zero))
		return NULL;
	head->pages = pages;
	large_count_run(pages - old);
	if ((gfp & __GFP_ZERO) && !zero && pages > old)
		memset((char *)p + (old << PAGE_SHIFT), 0, (pages - old) << PAGE_SHIFT);
	return p;
}

void *large_resize(void *p, size_t size, gfp_t gfp)
{
	if (!map_contains(p))
		return large_remap(p, size);
	if (size <= CONFIG_KMALLOC_MAX_CACHE || size > PAGE_SIZE << MAX_ORDER)
		return NULL;
	return large_resize_run(p, size, gfp);
}

/* ---- figures ----------------------------------------------------------------------- */

const struct large_figures *large_figures(void)
{
	return &large.pages;
}

size_t large_refaulted_pages(void)
{
	return READ_ONCE(large.refaulted);
}

size_t large_audit(void)
{
	struct list *node;
	size_t kept = 0;
	size_t used = 0;

	list_for_each(node, &large.kept)
		kept += container_of(node, struct mapping, link)->bytes >> PAGE_SHIFT;
	for (unsigned i = 0; i < LARGE_BUCKETS; i++)
		list_for_each(node, &large.used[i])
			used += container_of(node, struct mapping, link)->bytes >> PAGE_SHIFT;
	return (size_t)(kept != large.pages.kept) + (used != large.pages.used); /* LG2 */
}

void large_lock_all(void)
{
	lock_acquire_more(&large.lock);
}

void large_unlock_all(void)
{
	lock_release(&large.lock);
}
