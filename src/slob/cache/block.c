/* SPDX-License-Identifier: MIT */
/*
 * block.c - see block.h
 */
#include "cache/block.h"
#include "base/check.h"
#include "base/memory.h"
#include "cache/account_object.h"
#include "cache/gfp.h"
#include "cache/grace.h"
#include "cache/init.h"
#include "cache/near.h"
#include "cache/nolock.h"
#include "cache/option.h"
#include "cache/report.h"

#define GFP_KNOWN (ASHLAR_GFP_KNOWN | ASHLAR_GFP_FAST | ASHLAR_GFP_BATTERY)

/* What an allocation needs, worked out once. */
struct want {
	size_t size;
	size_t align;
	size_t pages; /* of a run; 0: it fits into a page */
	size_t run_align;
	struct slob_request slob;
	struct near near;
	bool zero;  /* what was got is known to be */
	bool tries; /* it may not wait */
};

/* ---- from a zone -------------------------------------------------------------------- */

static page_index block_try_run(struct zone *z, struct want *w)
{
	page_index i = PAGE_NONE;

	if (lock_try(&z->lock)) {
		i = pages_take_held(z, w->pages, &w->zero);
		lock_release(&z->lock);
	}
	return i;
}

static void *block_from_run(struct zone *z, struct want *w)
{
	page_index i = PORT_SLOB_STEP && w->tries ? block_try_run(z, w) :
						    pages_take(z, w->pages, w->run_align, &w->zero);

	if (i == PAGE_NONE)
		return NULL;
	WRITE_ONCE(z->pages[i].prev, w->slob.id);
	page_set_list(&z->pages[i], w->slob.id ? RUN_OBJECT : RUN_KMALLOC);
	if (PORT_SLOB_STEP)
		page_set_units(&z->pages[i], w->slob.payer);
	return pages_address(z, i);
}

/* @hard: from any page of the zone, without bound. */
static void *block_from(struct zone *z, struct want *w, bool hard)
{
	const void *damaged = NULL;
	void *p = NULL;

	if (w->pages)
		return hard ? NULL : block_from_run(z, w);
	if (PORT_SLOB_STEP && w->tries)
		return hard ? NULL : slob_try_alloc(z, &w->slob);
	p = hard ? slob_alloc_anywhere(z, &w->slob, &damaged) : slob_alloc(z, &w->slob, &damaged);
	if (damaged)
		report_damage(damaged);
	return p;
}

/* From the zones at one distance. */
static void *block_try_near(struct want *w, gfp_t gfp, bool hard)
{
	void *p = NULL;

	for (unsigned spill = 0; spill < 2 && !p; spill++) {
		for (struct zone *z = pages_zones; z && !p; z = z->next) {
			if (!near_suits(&w->near, z, spill))
				continue;
			p = block_from(z, w, hard);
			while (PORT_SLOB_STEP && !p && !hard && (gfp & __GFP_DIRECT_RECLAIM) &&
			       pages_grow(z, size_max(w->pages, 1), w->run_align))
				p = block_from(z, w, hard);
		}
	}
	return p;
}

/* From any zone that suits, twice: cheaply, then without bound. */
static void *block_try(struct want *w, gfp_t gfp)
{
	void *p = NULL;

	for (unsigned hard = 0; hard < 2 && !p; hard++) {
		w->near.distance = 0;
		do
			p = block_try_near(w, gfp, hard);
		while (!p && near_further(&w->near));
	}
	return p;
}

/* ---- alloc -------------------------------------------------------------------------- */

static void block_describe(struct want *w, const struct kmem_cache *c)
{
	size_t header = c ? SLOB_HEADER_OBJECT : SLOB_HEADER_KMALLOC;
	size_t bytes;

	if (PORT_SLOB_STEP && c && unlikely(slob_waits(c->id)))
		w->size = size_align(w->size, sizeof(void *)) + SLOB_WAIT_BYTES; /* SL8 */
	bytes = c ? header + w->size : block_bytes(w->size);
	if (PORT_SLOB_STEP && c)
		bytes = size_max(bytes, header + sizeof(void *)); /* NL4 */
	if (PORT_SLOB_STEP && w->slob.payer)                      /* SL9 */
		bytes = c ? size_align(bytes, SLOB_UNIT) + SLOB_UNIT :
			    block_bytes(w->size + SLOB_UNIT);
	w->slob.header = (u16)header;
	w->slob.id = c ? c->id : 0;
	w->run_align = 1;
	if (slob_fits(bytes - header, w->align, header)) {
		w->slob.units = (u32)(bytes + SLOB_UNIT - 1) / SLOB_UNIT;
		w->slob.align = (u32)size_max(w->align, SLOB_UNIT);
		return;
	}
	w->pages = (w->size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	w->run_align = size_max(w->align >> PAGE_SHIFT, 1);
}

/* Is there memory of this kind at all? It is said if not: nobody can wait for it. */
static bool block_exists(const struct want *w)
{
	for (const struct zone *z = pages_zones; z; z = z->next)
		if (!(w->near.attributes & ~z->attributes))
			return true;
	report_refusal("kmalloc", "memory", "this home has no such memory");
	return false;
}

static always_inline void block_clear(void *p, const struct want *w)
{
	if (!w->zero)
		memset(p, 0,
		       w->pages ? w->pages << PAGE_SHIFT :
				  w->slob.units * SLOB_UNIT - w->slob.header -
					  (PORT_SLOB_STEP && w->slob.payer ? SLOB_UNIT : 0));
}

/* What its group is charged. */
static size_t block_price(const struct want *w)
{
	return w->pages ? w->pages << PAGE_SHIFT : w->slob.units * SLOB_UNIT;
}

/* There is room to say who pays: who does? false iff a limit refuses. */
static bool block_begin_payment(struct want *w, gfp_t gfp)
{
	u16 payer;

	if (!account_begin(&payer, block_price(w), 1, gfp))
		return false;
	w->slob.payer = payer ? payer : SLOB_NOBODY;
	return true;
}

void *block_alloc(size_t size, size_t align, struct kmem_cache *c, gfp_t gfp, int node)
{
	struct want w = { .size = size, .align = align };
	void *p = NULL;

	if (size > SIZE_MAX / 2 || align > SIZE_MAX / 4 || !init_ready() ||
	    !near_begin(&w.near, gfp, node))
		return NULL;
	if (PORT_SLOB_STEP && unlikely(gfp & ~GFP_KNOWN))
		gfp_complain(gfp);
	if (unlikely(w.near.attributes) && !block_exists(&w))
		return NULL;
	nolock_check();
	if (PORT_SLOB_STEP && unlikely(gfp & __GFP_ACCOUNT) && account_current())
		w.slob.payer = SLOB_NOBODY;
	block_describe(&w, c);
	if (PORT_SLOB_STEP && unlikely(w.slob.payer) && !block_begin_payment(&w, gfp))
		return NULL;
	if (!PORT_ONE_CPU && c)
		guard_add(&c->live,
			  1); /* BL3: first, so that proofs never find more than there are */
	for (unsigned attempt = 0; !p; attempt++) {
		p = block_try(&w, gfp);
		if (!p && !reclaim_retry(gfp, attempt)) {
			account_end(w.slob.payer, block_price(&w), 1);
			if (!PORT_ONE_CPU && c)
				guard_add(&c->live, (size_t)-1);
			return NULL;
		}
	}
	if (PORT_ONE_CPU && c)
		guard_add(&c->live, 1);
	if (gfp & __GFP_ZERO)
		block_clear(p, &w);
	return p;
}

void *block_try_alloc(size_t size, size_t align, gfp_t gfp, int node)
{
	struct want w = { .size = size, .align = align, .tries = true };
	void *p = NULL;

	if (!PORT_SLOB_STEP || !near_begin(&w.near, gfp, node))
		return NULL;
	block_describe(&w, NULL);
	p = block_try(&w, gfp);
	if (p && (gfp & __GFP_ZERO))
		block_clear(p, &w);
	return p;
}

/* ---- free ---------------------------------------------------------------------------- */

/* A run that starts at page @i becomes nobody's; its length in pages, 0 iff there is none that
 * @place->id means, which becomes what it was. Who pays for it is told there, too. */
static size_t block_end_run(struct zone *z, size_t i, struct slob_place *place)
{
	struct page *pg = &z->pages[i];
	unsigned long were = guard_enter(&z->lock);
	struct page seen = page_look(pg);
	size_t pages = 0;

	if (seen.kind == PAGE_RUN && seen.list < RUN_BLOCK && slob_means(place->id, pg->prev)) {
		pages = pg->next;
		place->id = (u16)pg->prev;
		if (PORT_SLOB_STEP)
			place->payer = seen.units;
		page_set_kind(pg, PAGE_TAIL);
	}
	guard_leave(&z->lock, were);
	return pages;
}

/* options.init_on_free; what waits for readers is left to them. */
static noinline void block_wipe(void *p, u16 id, const char *function)
{
	u16 unused;

	ASSERT(p);
	if (id == SLOB_EVERY || !block_wait_room(p, &unused))
		memset(p, 0, block_usable(p, function));
}

/* @id: what it means, of @c if that is known (slob_free). */
static always_inline void block_free_as(void *p, const struct kmem_cache *c, u16 id,
					const char *function)
{
	struct zone *z = pages_zone(p);
	struct slob_place place;
	size_t i, pages = 0;

	if (unlikely(!z))
		report_pointer(function, p);
	if (PORT_SLOB_STEP && unlikely(options.init_on_free))
		block_wipe(p, id, function);
	if (!slob_free(z, p, id, &place)) {
		i = pages_number(z, p);
		place.id = id;
		pages = pages_address(z, i) == p ? block_end_run(z, i, &place) : 0;
		if (unlikely(!pages)) {
			if (PORT_SLOB_STEP && grace_hold(p, id))
				return;
			if (c && block_is_used(p))
				report_cache(c, p);
			report_pointer(function, p);
		}
		pages_give(z, i, pages);
	}
	if (place.id) {
		struct kmem_cache *owner =
			c ? (struct kmem_cache *)(uintptr_t)c : cache_of(place.id);

		if (owner)
			guard_add(&owner->live, (size_t)-1); /* BL3 */
	}
	if (PORT_SLOB_STEP) {
		account_end(place.payer, pages ? pages << PAGE_SHIFT : place.units * SLOB_UNIT, 1);
		reclaim_check(z);
	}
}

void block_free_one(void *p, const struct kmem_cache *c, const char *function)
{
	block_free_as(p, c, c ? c->id : SLOB_ANY, function);
}

void block_free_now(void *p, const char *function)
{
	block_free_as(p, NULL, SLOB_EVERY, function);
}

void *block_wait_room(void *p, u16 *id)
{
	struct slob_place place;
	const struct page *pg;
	struct page seen;
	struct zone *z;

	if (!PORT_SLOB_STEP)
		return NULL;
	z = pages_zone(p);
	if (!z)
		return NULL;
	pg = &z->pages[pages_number(z, p)];
	seen = page_look(pg);
	if (seen.kind == PAGE_SLOB && slob_find_waiting(z, p, &place)) {
		*id = place.id;
		return (char *)p + slob_usable(&place);
	}
	if (seen.kind != PAGE_RUN || (seen.list != RUN_OBJECT && seen.list != RUN_HELD) ||
	    !slob_waits(READ_ONCE(pg->prev)) || pages_address(z, pages_number(z, p)) != p)
		return NULL;
	*id = (u16)READ_ONCE(pg->prev);
	return (char *)p + ((size_t)READ_ONCE(pg->next) << PAGE_SHIFT) - SLOB_WAIT_BYTES;
}

/* The run at page @i, for who may not wait. */
static bool block_try_end_run(struct zone *z, size_t i)
{
	struct page *pg = &z->pages[i];
	struct page seen;
	bool mine;

	if (!lock_try(&z->lock))
		return false;
	seen = page_look(pg);
	mine = seen.kind == PAGE_RUN && seen.list == RUN_KMALLOC && !seen.units;
	if (mine)
		pages_give_held(z, i, pg->next);
	lock_release(&z->lock);
	return mine;
}

bool block_try_free(void *p, bool now)
{
	enum slob_found found;
	struct page seen;
	struct zone *z;
	size_t i;

	if (!PORT_SLOB_STEP)
		return false;
	z = pages_zone(p);
	if (!z)
		report_pointer("kfree_nolock", p);
	i = pages_number(z, p);
	seen = page_look(&z->pages[i]); /* whose block it is keeps it what it is */
	if (seen.kind == PAGE_SLOB) {
		if (slob_try_free(z, p, now, &found))
			return true;
		if (found != SLOB_USED)
			report_pointer("kfree_nolock", p);
		return false;
	}
	if (seen.kind != PAGE_RUN || seen.list >= RUN_BLOCK || pages_address(z, i) != p)
		report_pointer("kfree_nolock", p);
	if (seen.list == RUN_KMALLOC &&
	    (size_t)READ_ONCE(z->pages[i].next) << PAGE_SHIFT > CONFIG_KMALLOC_MAX_CACHE)
		report_nolock(p, "this is a large block");
	return now && block_try_end_run(z, i);
}

void block_free(void *p, const struct kmem_cache *c, const char *function)
{
	nolock_check();
	block_free_one(p, c, function);
}
