/* SPDX-License-Identifier: MIT */
/*
 * slob.c - see slob.h
 */
#include "engine/words.h"
#include "port/port.h"

/* ---- lists of pages: SL4; circles, so that they can be turned ---------------------- */

static void slob_link(struct zone *z, size_t i, unsigned list)
{
	struct page *pg = &z->pages[i];
	page_index *head = &z->shard[pg->shard].head[list];

	page_set_list(pg, list);
	pg->next = (page_index)i;
	pg->prev = (page_index)i;
	if (*head != PAGE_NONE) {
		pg->next = *head;
		pg->prev = z->pages[*head].prev;
		z->pages[pg->prev].next = (page_index)i;
		z->pages[*head].prev = (page_index)i;
	}
	*head = (page_index)i;
}

static void slob_unlink(struct zone *z, size_t i)
{
	struct page *pg = &z->pages[i];
	page_index *head = &z->shard[pg->shard].head[pg->list];

	if (*head == i)
		*head = pg->next == i ? PAGE_NONE : pg->next;
	z->pages[pg->prev].next = pg->next;
	z->pages[pg->next].prev = pg->prev;
	page_set_list(pg, SLOB_FULL);
}

static unsigned slob_list(unsigned units)
{
	if (units * SLOB_UNIT < SLOB_BREAK_SMALL)
		return SLOB_SMALL;
	return units * SLOB_UNIT < SLOB_BREAK_MEDIUM ? SLOB_MEDIUM : SLOB_LARGE;
}

/* ---- allocation -------------------------------------------------------------------- */

/* Units to skip at free block @at so that the object behind the header is aligned. */
static unsigned slob_skip(const slob_word *base, unsigned at, const struct slob_request *r)
{
	uintptr_t object = (uintptr_t)&base[at] + r->header;

	return (unsigned)((0 - object) & (r->align - 1)) / SLOB_UNIT;
}

/* Cut the block out of the free block @at, whose predecessor is @before: what is skipped and what
 * is left over stays free. */
static void *slob_cut(struct zone *z, size_t i, unsigned before, unsigned at,
		      const struct slob_request *r)
{
	struct page *pg = &z->pages[i];
	slob_word *base = slob_words(z, i);
	unsigned skip = slob_skip(base, at, r);
	unsigned left = slob_units(base, at) - skip - r->units;
	unsigned next = slob_next(base, at);
	unsigned start = at + skip;

	if (left) {
		slob_set(base, start + r->units, left, next);
		next = start + r->units;
	}
	if (skip)
		slob_set(base, at, skip, next);
	else if (before != SLOB_END)
		slob_set(base, before, slob_units(base, before), next);
	else
		page_set_free(pg, next);
	page_set_units(pg, pg->units - r->units);
	slob_set_header(base, start, r->units, r->id);
	if (PORT_SLOB_STEP && unlikely(r->payer))
		slob_set_payer(base, start, r->units, r->payer);
	return (char *)&base[start] + r->header;
}

/* First fit in one page. */
static void *slob_alloc_in(struct zone *z, size_t i, const struct slob_request *r,
			   const void **damaged)
{
	const slob_word *base = slob_words(z, i);
	unsigned before = SLOB_END;
	unsigned at = z->pages[i].free;

	while (at != SLOB_END) {
		if (unlikely(!slob_is_sound(base, at))) {
			*damaged = base;
			return NULL;
		}
		if (slob_units(base, at) >= r->units + slob_skip(base, at, r))
			return slob_cut(z, i, before, at, r);
		before = at;
		at = slob_next(base, at);
	}
	return NULL;
}

/* Look at no more than @most pages of a list. The next search starts at the page that served, or
 * behind the last one that could not. */
static always_inline void *slob_search_in(struct zone *z, struct shard *shard, unsigned list,
					  const struct slob_request *r, size_t most,
					  const void **damaged)
{
	page_index first = shard->head[list];
	page_index i = first;
	void *object = NULL;

	while (i != PAGE_NONE && most--) {
		guard_step();
		if (z->pages[i].units >= r->units)
			object = slob_alloc_in(z, i, r, damaged);
		if (object || *damaged)
			break;
		i = z->pages[i].next;
		if (i == first)
			break;
	}
	shard->head[list] = i;
	if (object && z->pages[i].units == 0)
		slob_unlink(z, i);
	return object;
}

static void *slob_search(struct zone *z, struct shard *shard, unsigned list,
			 const struct slob_request *r, size_t most, const void **damaged)
{
	unsigned long were = guard_enter(&shard->lock);
	void *object = slob_search_in(z, shard, list, r, most, damaged);

	guard_leave(&shard->lock, were);
	return object;
}

/* A page of the zone becomes one free block, and serves. */
static always_inline void *slob_begin_in(struct zone *z, unsigned s, size_t i,
					 const struct slob_request *r, const void **damaged)
{
	struct page *pg = &z->pages[i];
	void *object;

	page_set_shard(pg, s);
	page_set_units(pg, SLOB_UNITS);
	page_set_free(pg, 0);
	page_set_kind(pg, PAGE_SLOB);
	slob_set(slob_words(z, i), 0, SLOB_UNITS, SLOB_END);
	slob_link(z, i, slob_list(r->units));
	object = slob_alloc_in(z, i, r, damaged);
	if (pg->units == 0)
		slob_unlink(z, i);
	return object;
}

static void *slob_begin(struct zone *z, unsigned s, size_t i, const struct slob_request *r,
			const void **damaged)
{
	unsigned long were = guard_enter(&z->shard[s].lock);
	void *object = slob_begin_in(z, s, i, r, damaged);

	guard_leave(&z->shard[s].lock, were);
	return object;
}

static unsigned slob_own_shard(void)
{
	return PORT_SLOB_SHARDS > 1 ? port_cpu() & (PORT_SLOB_SHARDS - 1) : 0;
}

void *slob_alloc(struct zone *z, const struct slob_request *r, const void **damaged)
{
	unsigned s = slob_own_shard();
	bool zero;
	page_index i;
	void *object = slob_search(z, &z->shard[s], slob_list(r->units), r, SLOB_SEARCH, damaged);

	if (object || *damaged)
		return object;
	i = pages_take(z, 1, 1, &zero);
	return i == PAGE_NONE ? NULL : slob_begin(z, s, i, r, damaged);
}

void *slob_alloc_anywhere(struct zone *z, const struct slob_request *r, const void **damaged)
{
	void *object = NULL;

	for (unsigned s = 0; s < PORT_SLOB_SHARDS; s++)
		for (unsigned list = 0; list < SLOB_FULL && !object && !*damaged; list++)
			object = slob_search(z, &z->shard[s], list, r, SIZE_MAX, damaged);
	return object;
}

/* ---- free ---------------------------------------------------------------------------- */

/* What is at byte @offset of the page: the free list up to there, then the used blocks behind the
 * last free one. */
static void slob_look(const struct zone *z, size_t i, size_t offset, struct slob_place *place)
{
	const slob_word *base = slob_words(z, i);
	unsigned target = (unsigned)offset / SLOB_UNIT;
	unsigned at = 0;
	unsigned after = z->pages[i].free;
	unsigned units;

	*place = (struct slob_place){ .found = SLOB_DAMAGED, .before = SLOB_END };
	while (after <= target) {
		if (!slob_is_sound(base, after))
			return;
		place->before = (u16)after;
		at = after + slob_units(base, after);
		if (target < at) {
			place->found = SLOB_UNUSED;
			return;
		}
		after = slob_next(base, after);
	}
	place->after = (u16)after;
	do {
		units = slob_used_units(base, at, after);
		at += units;
		if (!units)
			return;
	} while (at <= target);
	at -= units;
	if (!slob_read_block(base, at, units, place))
		return;
	place->found = offset == at * SLOB_UNIT + place->header ? SLOB_USED : SLOB_INSIDE;
	if (place->held)
		place->found = SLOB_UNUSED; /* SL7 */
}

void slob_find(struct zone *z, const void *p, struct slob_place *place)
{
	size_t i = pages_number(z, p);
	unsigned long were;
	struct shard *shard = slob_enter(z, i, &were);

	place->found = SLOB_UNUSED;
	if (!shard)
		return;
	slob_look(z, i, (uintptr_t)p & (PAGE_SIZE - 1), place);
	guard_leave(&shard->lock, were);
}

/* Make [at, at + units) free between its neighbours (SL2), the free blocks @before and @after. */
static void slob_insert(struct zone *z, size_t i, unsigned at, unsigned units, unsigned before,
			unsigned after)
{
	struct page *pg = &z->pages[i];
	slob_word *base = slob_words(z, i);

	page_set_units(pg, pg->units + units);
	if (after != SLOB_END && at + units == after) {
		units += slob_units(base, after);
		after = slob_next(base, after);
	}
	if (before != SLOB_END && before + slob_units(base, before) == at) {
		slob_set(base, before, slob_units(base, before) + units, after);
		return;
	}
	slob_set(base, at, units, after);
	if (before != SLOB_END)
		slob_set(base, before, slob_units(base, before), at);
	else
		page_set_free(pg, at);
}

/* The three cases of a free, under the guard. Returns whether the page is wholly free (SL5). */
static bool slob_put(struct zone *z, size_t i, const struct slob_place *place)
{
	struct page *pg = &z->pages[i];
	bool was_full = pg->units == 0;

	if (pg->units + place->units == SLOB_UNITS) {
		if (!was_full)
			slob_unlink(z, i);
		page_set_kind(pg, PAGE_TAIL);
		return true;
	}
	slob_insert(z, i, place->start, place->units, place->before, place->after);
	if (was_full)
		slob_link(z, i, slob_list(place->units));
	return false;
}

bool slob_free(struct zone *z, const void *p, u16 id, struct slob_place *place)
{
	size_t i = pages_number(z, p);
	unsigned long were;
	struct shard *shard = slob_enter(z, i, &were);
	bool mine, emptied;

	place->found = SLOB_UNUSED;
	if (!shard)
		return false;
	slob_look(z, i, (uintptr_t)p & (PAGE_SIZE - 1), place);
	mine = place->found == SLOB_USED && slob_means(id, place->id);
	emptied = mine && slob_put(z, i, place);
	guard_leave(&shard->lock, were);
	if (emptied)
		pages_give(z, i, 1);
	return mine;
}

/* ---- in place --------------------------------------------------------------------------- */

static bool slob_grow(struct zone *z, size_t i, unsigned more, const struct slob_place *place)
{
	struct page *pg = &z->pages[i];
	slob_word *base = slob_words(z, i);
	unsigned end = place->start + place->units;
	unsigned room, next;

	if (place->after != end || end == SLOB_END || !slob_is_sound(base, end))
		return false;
	room = slob_units(base, end);
	next = slob_next(base, end);
	if (room < more)
		return false;
	if (room > more) {
		slob_set(base, end + more, room - more, next);
		next = end + more;
	}
	if (place->before != SLOB_END)
		slob_set(base, place->before, slob_units(base, place->before), next);
	else
		page_set_free(pg, next);
	page_set_units(pg, pg->units - more);
	if (pg->units == 0)
		slob_unlink(z, i);
	return true;
}

bool slob_resize(struct zone *z, const void *p, u32 units, struct slob_place *place)
{
	size_t i = pages_number(z, p);
	unsigned long were;
	struct shard *shard = slob_enter(z, i, &were);
	bool done;

	place->found = SLOB_UNUSED;
	if (!shard)
		return false;
	slob_look(z, i, (uintptr_t)p & (PAGE_SIZE - 1), place);
	done = place->found == SLOB_USED && place->id == 0 && !(PORT_SLOB_STEP && place->payer);
	if (done && units > place->units)
		done = slob_grow(z, i, units - place->units, place);
	if (done)
		slob_set_header(slob_words(z, i), place->start, units, 0);
	if (done && units < place->units) {
		struct slob_place tail = *place;

		tail.start = (u16)(place->start + units);
		tail.units = (u16)(place->units - units);
		slob_put(z, i, &tail); /* the page has a used block: it stays */
	}
	guard_leave(&shard->lock, were);
	return done;
}

/* ---- held: SL7 --------------------------------------------------------------------------- */

bool slob_hold(struct zone *z, const void *p, bool held, struct slob_place *place)
{
	size_t i = pages_number(z, p);
	slob_word *base = slob_words(z, i);
	unsigned long were;
	struct shard *shard = slob_enter(z, i, &were);
	bool done;

	*place = (struct slob_place){ .found = SLOB_UNUSED };
	if (!shard)
		return false;
	slob_look(z, i, (uintptr_t)p & (PAGE_SIZE - 1), place);
	done = held ? place->found == SLOB_USED : place->held;
	if (done && place->id)
		base[place->start + 1] = (slob_word)((u16)base[place->start + 1] ^ ID_HELD);
	else if (done)
		base[place->start] = (slob_word)((u16)base[place->start] ^ GRAIN_HELD);
	guard_leave(&shard->lock, were);
	return done;
}

bool slob_find_waiting(const struct zone *z, const void *p, struct slob_place *place)
{
	unsigned header = SLOB_HEADER_OBJECT / SLOB_UNIT;
	const slob_word *base;
	unsigned object;

	if (!PORT_SLOB_STEP)
		return false;
	base = slob_words(z, pages_number(z, p));
	object = (unsigned)((uintptr_t)p & (PAGE_SIZE - 1)) / SLOB_UNIT;
	return object >= header && ((unsigned)base[object - 1] & SLOB_WAITS) == SLOB_WAITS &&
	       slob_read_header(base, object - header, SLOB_END, place) && slob_waits(place->id);
}

/* ---- for who may not wait: not on a small machine, which has no locks ---------------------- */

/* With the lock of shard @s: from its pages, or a new one. */
static void *slob_try_in(struct zone *z, unsigned s, const struct slob_request *r)
{
	const void *damaged = NULL;
	page_index i = PAGE_NONE;
	void *object = NULL;
	bool zero;

	for (unsigned list = slob_list(r->units); list < SLOB_FULL && !object && !damaged; list++)
		object = slob_search_in(z, &z->shard[s], list, r, SLOB_SEARCH, &damaged);
	if (object || damaged || !lock_try(&z->lock))
		return object;
	i = pages_take_held(z, 1, &zero);
	lock_release(&z->lock);
	return i == PAGE_NONE ? NULL : slob_begin_in(z, s, i, r, &damaged);
}

void *slob_try_alloc(struct zone *z, const struct slob_request *r)
{
	void *object = NULL;
	unsigned own;

	if (!PORT_SLOB_STEP)
		return NULL;
	own = slob_own_shard();
	for (unsigned k = 0; k < PORT_SLOB_SHARDS && !object; k++) {
		unsigned s = (own + k) & (PORT_SLOB_SHARDS - 1);

		if (!lock_try(&z->shard[s].lock))
			continue;
		object = slob_try_in(z, s, r);
		lock_release(&z->shard[s].lock);
	}
	return object;
}

/* With the shard's lock: a page that would be emptied goes back at once, or stays as it is. */
static bool slob_try_put(struct zone *z, size_t i, const struct slob_place *place)
{
	if (z->pages[i].units + place->units != SLOB_UNITS) {
		slob_put(z, i, place);
		return true;
	}
	if (!lock_try(&z->lock))
		return false;
	slob_put(z, i, place);
	pages_give_held(z, i, 1);
	lock_release(&z->lock);
	return true;
}

bool slob_try_free(struct zone *z, const void *p, bool now, enum slob_found *found)
{
	struct slob_place place;
	struct shard *shard;
	bool done = false;
	size_t i;

	*found = SLOB_USED;
	if (!PORT_SLOB_STEP)
		return false;
	i = pages_number(z, p);
	shard = slob_shard(z, i);
	if (!lock_try(&shard->lock))
		return false;
	place.found = SLOB_UNUSED;
	if (slob_is_of(z, i, shard)) {
		slob_look(z, i, (uintptr_t)p & (PAGE_SIZE - 1), &place);
		done = now && place.found == SLOB_USED && !place.id && !place.payer &&
		       slob_try_put(z, i, &place);
	}
	*found = place.found;
	lock_release(&shard->lock);
	return done;
}
