/* SPDX-License-Identifier: MIT */
/*
 * guard.c - see guard.h: the slots, their queue, and an object's way through one
 *
 * See     guard_fault.c for what is told, docs/decisions/58-sampled-guard-pages.md
 */
#include "cache/guard.h"
#include "base/check.h"
#include "base/lock.h"
#include "base/memory.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/dossier.h"
#include "cache/gfp.h"
#include "cache/guard_slot.h"
#include "cache/report.h"
#include "page/page.h"

/* Asked for beside its size, an object is not guarded (GU6). */
#define GUARD_GFP_NOT (__GFP_DMA | __GFP_DMA32 | __GFP_ACCOUNT | __GFP_THISNODE)
#define GUARD_FLAGS_NOT                                                              \
	(SLAB_ACCOUNT | SLAB_TYPESAFE_BY_RCU | SLAB_NO_USER_FLAGS | SLAB_CACHE_DMA | \
	 SLAB_CACHE_DMA32)

static struct {
	struct guard_pool pool; /* constant */
	struct lock lock;
	struct list queue;          /* lock: slots that are free, the longest first (GU2) */
	struct guard_slot *pending; /* atomic: a stack of those that guard_free_nolock left */
	int64_t due_in;             /* atomic: refills until the next one is guarded */
	u64 random;                 /* atomic */
	struct guard_figures figures;
} guard;

const struct guard_pool *guard_pool(void)
{
	return &guard.pool;
}

const struct guard_figures *guard_figures(void)
{
	return &guard.figures;
}

/* ---- start -------------------------------------------------------------------------------- */

static void guard_refuse(const char *option, const char *why)
{
	report_refusal(PORT_OPTIONS_NAME, option, why);
}

/* Descriptors lead to slots, all is closed (GU1, GU3). */
static void guard_lay_out(struct page *head, struct guard_slot *slots, size_t room_pages)
{
	struct guard_pool *pool = &guard.pool;
	size_t rooms = 2 * (size_t)pool->count + 1;

	pool->start = map_page_address(head);
	pool->slots = slots;
	for (size_t i = 0; i < rooms * room_pages; i++) {
		size_t room = i / room_pages;

		head[i].owner = room % 2 ? &slots[room / 2] : NULL;
		STORE_RELEASE(head[i].kind, PAGE_GUARD);
	}
	for (u32 i = 0; i < pool->count; i++) {
		slots[i].start = pool->start + (2 * (size_t)i + 1) * pool->room_bytes;
		list_add_tail(&guard.queue, &slots[i].link);
	}
	port_unmap(pool->start, rooms * pool->room_bytes);
}

/* false iff there is no memory. */
static bool guard_make(size_t room_pages)
{
	size_t table = size_align(guard.pool.count * sizeof(struct guard_slot), PAGE_SIZE);
	size_t pages = (2 * (size_t)guard.pool.count + 1) * room_pages;
	bool zero;
	struct page *head = page_alloc_exact(pages, room_pages, GFP_KERNEL, 0, &zero);
	struct page *slots;

	if (!head)
		return false;
	slots = page_alloc_exact(table >> PAGE_SHIFT, 1, GFP_KERNEL, 0, &zero);
	if (!slots) {
		page_free_exact(head, pages);
		return false;
	}
	slots->kind = PAGE_TABLE;
	if (!zero)
		memset(map_page_address(slots), 0, table);
	guard_lay_out(head, map_page_address(slots), room_pages);
	return true;
}

void guard_init(size_t page_bytes, u64 seed)
{
	size_t room_bytes = size_max(page_bytes, PAGE_SIZE);
	size_t most = ((PAGE_SIZE << MAX_ORDER) / room_bytes - 1) / 2;
	u64 slots = options.guard_slots;
	u64 rate = options.guard;

	if (!rate)
		return;
	if (!slots)
		slots = size_min(CONFIG_GUARD_SLOTS, most);
	options.guard = 0;
	list_init(&guard.queue);
	guard.pool = (struct guard_pool){ .room_bytes = room_bytes, .count = (u32)slots };
	guard.figures = (struct guard_figures){ .slots = 0 };
	guard.pending = NULL;
	guard.random = seed;
	guard.due_in = 1;
	if (!PORT_CLOSES_PAGES)
		guard_refuse("guard", "this home's memory is mapped in large pages, and no page "
				      "of them can be closed");
	else if (slots > most)
		guard_refuse("guard_slots", "from 1 to half the pages of 8 MiB, less one");
	else if (!guard_make(room_bytes >> PAGE_SHIFT))
		guard_refuse("guard", "there is no memory for the slots");
	else
		options.guard = size_min(rate, INT32_MAX);
	guard.figures.slots = options.guard ? guard.pool.count : 0;
}

/* ---- the queue ---------------------------------------------------------------------------- */

/* As good as chance for who does not know the seed (splitmix64). */
static u64 guard_random(void)
{
	u64 z = __atomic_add_fetch(&guard.random, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Is it this refill's turn? Every 1 to 2N-1 refills it is. */
static bool guard_is_due(void)
{
	if (__atomic_sub_fetch(&guard.due_in, 1, __ATOMIC_RELAXED) != 0)
		return false;
	__atomic_store_n(&guard.due_in, (int64_t)(1 + guard_random() % (2 * options.guard - 1)),
			 __ATOMIC_RELAXED);
	return true;
}

static void guard_enqueue(struct guard_slot *s, bool first)
{
	lock_acquire(&guard.lock);
	if (first)
		list_add(&guard.queue, &s->link);
	else
		list_add_tail(&guard.queue, &s->link);
	guard.figures.used--;
	lock_release(&guard.lock);
}

/* A free slot is closed, and waits. */
static void guard_close(struct guard_slot *s)
{
	port_unmap(s->start, guard.pool.room_bytes);
	guard_enqueue(s, false);
}

/* The object is freed: its cache counts one less, and may go away (GU5). */
static void guard_leave(struct guard_slot *s)
{
	struct kmem_cache *c = s->cache;

	if (options.stats)
		cache_count(&c->counts.free_miss, 1);
	s->cache = NULL;
	__atomic_fetch_sub(&c->counts.guarded, 1, __ATOMIC_RELEASE);
}

/* What guard_free_nolock left. */
static void guard_sweep(void)
{
	struct guard_slot *s;

	if (likely(!LOAD_ACQUIRE(guard.pending)))
		return;
	s = __atomic_exchange_n(&guard.pending, NULL, __ATOMIC_ACQUIRE);
	while (s) {
		struct guard_slot *next = s->next;

		STORE_RELEASE(s->state, GUARD_FREE);
		guard_close(s);
		s = next;
	}
}

static struct guard_slot *guard_take(void)
{
	struct guard_slot *s = NULL;

	guard_sweep();
	lock_acquire(&guard.lock);
	if (list_is_empty(&guard.queue)) {
		guard.figures.missed++;
	} else {
		s = list_first_entry(&guard.queue, struct guard_slot, link);
		list_remove(&s->link);
		guard.figures.used++;
	}
	lock_release(&guard.lock);
	return s;
}

/* ---- an object ---------------------------------------------------------------------------- */

/* GU6 */
static bool guard_may(const struct kmem_cache *c, gfp_t gfp, size_t size)
{
	return gfp_may_wait(gfp) && !(gfp & GUARD_GFP_NOT) && !(c->flags & GUARD_FLAGS_NOT) &&
	       !c->debug.slow && c->align <= guard.pool.room_bytes &&
	       size_align(size, c->align) <= guard.pool.room_bytes;
}

static void guard_note(struct guard_slot *s, struct kmem_cache *c, size_t size)
{
	s->cache = c;
	s->size = (u32)size;
	__builtin_memcpy(s->name, c->name, sizeof(s->name));
	s->given = (struct port_trace){ .now_ns = 0 };
	port_trace(&s->taken);
}

/* The memory is fresh: it reads as zero, which is all that __GFP_ZERO asks for. */
static void *guard_fill(struct guard_slot *s, struct kmem_cache *c, size_t size)
{
	char *end = s->start + guard.pool.room_bytes;
	char *p = guard_random() & 1 ? s->start : end - size_align(size, c->align);

	guard_note(s, c, size);
	s->object = p;
	memset(s->start, DEBUG_RED_ACTIVE, (size_t)(p - s->start));
	memset(p + size, DEBUG_RED_ACTIVE, (size_t)(end - p) - size);
	if (c->ctor)
		c->ctor(p);
	__atomic_fetch_add(&c->counts.guarded, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&guard.figures.sampled, 1, __ATOMIC_RELAXED);
	STORE_RELEASE(s->state, GUARD_IN_USE);
	return p;
}

void *guard_alloc(struct kmem_cache *c, gfp_t gfp, size_t size)
{
	struct guard_slot *s;

	if (!guard_may(c, gfp, size) || !guard_is_due())
		return NULL;
	s = guard_take();
	if (!s)
		return NULL;
	if (!port_map(s->start, guard.pool.room_bytes)) {
		guard_enqueue(s, true);
		return NULL;
	}
	return guard_fill(s, c, size);
}

void *guard_instead(struct kmem_cache *c, gfp_t gfp, size_t size, void *p, bool *guarded)
{
	void *q = !p || options.guard_each ? guard_alloc(c, gfp, size) : NULL;

	*guarded = q != NULL;
	if (q && p && !array_push(c->header_offset, p))
		cache_put(cache_node_at(map.ids[map_pfn(p)]), &p, 1);
	return q ? q : p;
}

/* The first wrong byte of [from, end), of how many. */
static bool guard_compare(struct dossier *d, const char *from, const char *end)
{
	d->wrong = 0;
	for (; from < end; from++) {
		if ((u8)*from == DEBUG_RED_ACTIVE)
			continue;
		if (d->wrong++ == 0) {
			d->at = (const u8 *)from;
			d->bits = (u8)((u8)*from ^ DEBUG_RED_ACTIVE);
		}
	}
	return d->wrong == 0;
}

/* The pattern around an object that comes back. */
static void guard_inspect(const struct guard_slot *s)
{
	struct dossier d = { .cache = s->cache,
			     .object = s->object,
			     .moment = "its free",
			     .want = DEBUG_RED_ACTIVE,
			     .active = true };

	d.kind = DOSSIER_OVERFLOW;
	if (guard_compare(&d, s->object + s->size, s->start + guard.pool.room_bytes)) {
		d.kind = DOSSIER_UNDERFLOW;
		if (guard_compare(&d, s->start, s->object))
			return;
	}
	dossier_print(&d);
	check_end();
}

/* GU4: in use becomes @state, for one of those who try. */
static bool guard_end(struct guard_slot *s, const void *p, enum guard_state state)
{
	u32 seen = GUARD_IN_USE;

	return LOAD_ACQUIRE(s->state) == GUARD_IN_USE && s->object == p &&
	       __atomic_compare_exchange_n(&s->state, &seen, state, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

bool guard_free(void *p, const struct kmem_cache *c, const char *function)
{
	struct guard_slot *s = guard_find(p);

	if (!s)
		return false;
	if (c && guard_size(p) && !guard_is_of(c, p))
		report_cache(c, p);
	if (!guard_end(s, p, GUARD_FREE))
		report_pointer(function, p);
	port_trace(&s->given);
	guard_inspect(s);
	guard_leave(s);
	guard_close(s);
	return true;
}

bool guard_free_nolock(void *p)
{
	struct guard_slot *s = guard_find(p);

	if (!s)
		return false;
	if (!guard_end(s, p, GUARD_PENDING))
		report_pointer("kfree_nolock", p);
	port_trace(&s->given);
	guard_inspect(s);
	guard_leave(s);
	s->next = LOAD_ACQUIRE(guard.pending);
	while (!__atomic_compare_exchange_n(&guard.pending, &s->next, s, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		continue;
	return true;
}

/* ---- questions ---------------------------------------------------------------------------- */

size_t guard_size(const void *p)
{
	const struct guard_slot *s = guard_find(p);

	return s && LOAD_ACQUIRE(s->state) == GUARD_IN_USE && s->object == p ? s->size : 0;
}

bool guard_is_of(const struct kmem_cache *c, const void *p)
{
	return (guard_size(p) || guard_is_held(p)) && guard_find(p)->cache == c;
}

bool guard_hold(void *p)
{
	struct guard_slot *s = guard_find(p);

	return s && guard_end(s, p, GUARD_HELD);
}

bool guard_is_held(const void *p)
{
	const struct guard_slot *s = guard_find(p);

	return s && LOAD_ACQUIRE(s->state) == GUARD_HELD && s->object == p;
}

void guard_hold_end(void *p)
{
	STORE_RELEASE(guard_find(p)->state, GUARD_IN_USE);
}

size_t guard_count(const struct kmem_cache *c)
{
	return LOAD_ACQUIRE(c->counts.guarded);
}

unsigned guard_in_use(const struct kmem_cache *c, void **objects, unsigned most)
{
	unsigned found = 0;

	for (u32 i = 0; guard_is_on() && i < guard.pool.count && found < most; i++) {
		struct guard_slot *s = &guard.pool.slots[i];

		if (!guard_is_free(s) && LOAD_ACQUIRE(s->cache) == c)
			objects[found++] = s->object;
	}
	return found;
}

/* ---- all of them --------------------------------------------------------------------------- */

void guard_lock_all(void)
{
	lock_acquire_more(&guard.lock);
}

void guard_unlock_all(void)
{
	lock_release(&guard.lock);
}

/* Slots on the queue are free and closed; no slot is there twice or more of them than there are. */
size_t guard_audit(void)
{
	const struct list *node;
	size_t free = 0;
	size_t faults = 0;

	if (!guard_is_on())
		return 0;
	list_for_each(node, &guard.queue) {
		const struct guard_slot *s = list_entry_const(node, struct guard_slot, link);

		faults += s->state != GUARD_FREE || guard_find(s->start) != s; /* GU1, GU3 */
		if (++free > guard.pool.count)
			return faults + 1;
	}
	return faults + (free + guard.figures.used != guard.pool.count); /* GU2 */
}

/* What a thread that is not here was doing with a slot comes to nothing: the slot is free. */
void guard_forget(void)
{
	guard.pending = NULL;
	for (u32 i = 0; guard_is_on() && i < guard.pool.count; i++) {
		struct guard_slot *s = &guard.pool.slots[i];

		if (!guard_is_free(s)) {
			s->cache->counts.guarded++; /* cache_forget has begun at 0 */
			continue;
		}
		s->state = GUARD_FREE;
		s->cache = NULL;
		if (!list_is_empty(&s->link))
			continue;
		port_unmap(s->start, guard.pool.room_bytes);
		list_add_tail(&guard.queue, &s->link);
		guard.figures.used--;
	}
}
