/* SPDX-License-Identifier: MIT */
/*
 * pages.c - see pages.h
 */
/* lint: long - one translation unit keeps firmware small: helpers have one caller and vanish */
#include "page/pages.h"
#include "port/port.h"

#define ORDERS (PORT_SLOB_MAX_ORDER + 1u)
#define DIRTY_MAX PAGE_UNITS

/* Blocks that one pages_discard looks at: what it discards merges with what it did before. */
#define DISCARD_BLOCKS 64u

struct zone *pages_zones;
bool pages_several_nodes;
u32 guard_steps;

struct zone *pages_zone(const void *p)
{
	struct zone *z = LOAD_ACQUIRE(pages_zones);

	while (z && pages_number(z, p) >= READ_ONCE(z->nr_pages))
		z = z->next;
	return z;
}

/* ---- buddies, under the zone's lock --------------------------------------------- */

/* Dirty blocks stand before clean ones: at the head, or behind it. */
static void pages_link(struct zone *z, size_t i, unsigned order, size_t dirty)
{
	struct page *pg = &z->pages[i];
	page_index head = z->head[order];
	page_index after = PAGE_NONE;

	page_set_free(pg, order);
	if (!PORT_SLOB_STEP)
		dirty = 1; /* nothing goes back to anybody */
	page_set_units(pg, size_min(dirty, DIRTY_MAX));
	page_set_kind(pg, PAGE_FREE);
	WRITE_ONCE(z->free_pages, z->free_pages + ((size_t)1 << order));
	if (PORT_SLOB_STEP)
		WRITE_ONCE(z->dirty_pages, z->dirty_pages + pg->units);
	if (!dirty && head != PAGE_NONE && z->pages[head].units) { /* second place will do */
		after = head;
		head = z->pages[head].next;
	}
	pg->prev = after;
	pg->next = head;
	if (head != PAGE_NONE)
		z->pages[head].prev = (page_index)i;
	if (after != PAGE_NONE)
		z->pages[after].next = (page_index)i;
	else
		z->head[order] = (page_index)i;
}

/* Take a free block off its list; returns its dirty pages. */
static size_t pages_unlink(struct zone *z, size_t i)
{
	struct page *pg = &z->pages[i];

	if (pg->prev != PAGE_NONE)
		z->pages[pg->prev].next = pg->next;
	else
		z->head[pg->free] = pg->next;
	if (pg->next != PAGE_NONE)
		z->pages[pg->next].prev = pg->prev;
	page_set_kind(pg, PAGE_TAIL);
	WRITE_ONCE(z->free_pages, z->free_pages - ((size_t)1 << pg->free));
	if (!PORT_SLOB_STEP)
		return 1;
	WRITE_ONCE(z->dirty_pages, z->dirty_pages - pg->units);
	return pg->units;
}

/* Does a free block of 2^@order pages begin here? */
static inline bool pages_begins_free(const struct page *pg, unsigned order)
{
	struct page seen = page_look(pg);

	return seen.kind == PAGE_FREE && seen.free == order;
}

/* PG3 */
static void pages_merge(struct zone *z, size_t i, unsigned order, size_t dirty)
{
	while (order + 1 < ORDERS) {
		size_t buddy = i ^ ((size_t)1 << order);

		guard_step();
		if (buddy + ((size_t)1 << order) > z->nr_pages ||
		    !pages_begins_free(&z->pages[buddy], order))
			break;
		dirty += pages_unlink(z, buddy);
		i &= buddy;
		order++;
	}
	pages_link(z, i, order, dirty);
}

/* Any range, in the largest aligned pieces. @dirty: how many of it, at most. */
static void pages_give_range(struct zone *z, size_t first, size_t count, size_t dirty)
{
	page_set_kind(&z->pages[first], PAGE_TAIL);
	while (count) {
		unsigned order = 0;
		size_t pages;

		while (order + 1 < ORDERS && !(first & ((size_t)1 << order)) &&
		       (size_t)2 << order <= count)
			order++;
		pages = (size_t)1 << order;
		pages_merge(z, first, order, size_min(dirty, pages));
		first += pages;
		count -= pages;
	}
}

/* A block of 2^order pages, off the lists; PAGE_NONE iff there is none. */
static page_index pages_split(struct zone *z, unsigned wanted, size_t *dirty)
{
	unsigned order = wanted;
	page_index i;

	while (order < ORDERS && z->head[order] == PAGE_NONE)
		order++;
	if (order >= ORDERS)
		return PAGE_NONE;
	i = z->head[order];
	*dirty = pages_unlink(z, i);
	for (; order > wanted; guard_step()) {
		size_t half = (size_t)1 << --order;

		pages_link(z, i + half, order, size_min(*dirty, half));
	}
	*dirty = size_min(*dirty, (size_t)1 << wanted);
	return i;
}

/* The head of the free block that page @i is in; PAGE_NONE iff it is in none. */
static size_t pages_head(const struct zone *z, size_t i)
{
	for (unsigned order = 0; order < ORDERS; order++) {
		size_t head = i & ~(((size_t)1 << order) - 1);
		struct page seen = page_look(&z->pages[head]);

		if (seen.kind == PAGE_FREE && seen.free >= order)
			return head;
	}
	return PAGE_NONE;
}

/* Free pages at the end of what is online. */
static size_t pages_tail(const struct zone *z)
{
	size_t end = z->nr_pages;

	while (end && pages_head(z, end - 1) != PAGE_NONE)
		end = pages_head(z, end - 1);
	return z->nr_pages - end;
}

/* Are all of [first, first + count) free? Then they leave the lists; *@dirty: how many of them at
 * most have memory behind them. */
static bool pages_claim(struct zone *z, size_t first, size_t count, size_t *dirty)
{
	size_t end = first + count;
	size_t head, behind;

	if (end > z->nr_pages)
		return false;
	for (size_t i = first; i < end; i = head + ((size_t)1 << z->pages[head].free)) {
		head = pages_head(z, i);
		if (head == PAGE_NONE)
			return false;
	}
	*dirty = 0;
	for (size_t i = first; i < end; i = behind) {
		size_t had;

		head = pages_head(z, i);
		behind = head + ((size_t)1 << z->pages[head].free);
		had = pages_unlink(z, head);
		*dirty += had;
		if (head < first)
			pages_give_range(z, head, first - head, had);
		if (behind > end)
			pages_give_range(z, end, behind - end, had);
	}
	return true;
}

/* ---- take, give ----------------------------------------------------------------- */

static unsigned pages_order(size_t count)
{
	unsigned order = 0;

	while (order < ORDERS && (size_t)1 << order < count)
		order++;
	return order;
}

/* Pages that must be found so that @count aligned ones are among them: a buddy is aligned to its
 * size where the zone is. */
static size_t pages_needed(const struct zone *z, size_t count, size_t align)
{
	if (align > (size_t)1 << PORT_SLOB_MAX_ORDER || count > (size_t)1 << PORT_SLOB_MAX_ORDER)
		return SIZE_MAX;
	if (((uintptr_t)z->base & ((align << PAGE_SHIFT) - 1)) == 0)
		return size_max(count, align);
	return count + align - 1;
}

static void pages_run(struct zone *z, size_t i, size_t count)
{
	page_set_kind(&z->pages[i], PAGE_RUN);
	WRITE_ONCE(z->pages[i].next, (page_index)count);
	z->pages[i].prev = 0;
	if (PORT_SLOB_STEP)
		page_set_units(&z->pages[i], 0);
}

/* There is no buddy, but perhaps enough at the end, where the zone grows. */
static size_t pages_take_tail(struct zone *z, size_t count, size_t *dirty)
{
	size_t i = z->nr_pages - pages_tail(z);

	if (!pages_claim(z, i, count, dirty))
		return PAGE_NONE;
	pages_run(z, i, count);
	return i;
}

static always_inline page_index pages_take_in(struct zone *z, size_t count, size_t align,
					      bool *zero)
{
	size_t needed = pages_needed(z, count, align);
	unsigned order = pages_order(needed);
	size_t dirty = 0;
	size_t i, lead, behind;

	if (order >= ORDERS)
		return PAGE_NONE;
	i = pages_split(z, order, &dirty);
	if (PORT_SLOB_STEP && i == PAGE_NONE && align == 1) {
		i = pages_take_tail(z, count, &dirty);
	} else if (i != PAGE_NONE) {
		lead = (0 - ((uintptr_t)pages_address(z, i) >> PAGE_SHIFT)) & (align - 1);
		behind = ((size_t)1 << order) - lead - count;
		pages_run(z, i + lead, count);
		if (behind)
			pages_give_range(z, i + lead + count, behind, dirty);
		if (lead)
			pages_give_range(z, i, lead, dirty);
		i += lead;
	}
	WRITE_ONCE(z->least_pages, size_min(z->least_pages, z->free_pages));
	*zero = PORT_ZERO_PAGES && dirty == 0;
	return (page_index)i;
}

page_index pages_take(struct zone *z, size_t count, size_t align, bool *zero)
{
	unsigned long were = guard_enter(&z->lock);
	page_index i = pages_take_in(z, count, align, zero);

	guard_leave(&z->lock, were);
	return i;
}

page_index pages_take_held(struct zone *z, size_t count, bool *zero)
{
	return PORT_SLOB_STEP ? pages_take_in(z, count, 1, zero) : PAGE_NONE;
}

void pages_give_held(struct zone *z, size_t first, size_t count)
{
	if (PORT_SLOB_STEP)
		pages_give_range(z, first, count, count);
}

bool pages_extend(struct zone *z, size_t first, size_t count)
{
	struct page *pg = &z->pages[first];
	unsigned long were = guard_enter(&z->lock);
	size_t dirty;
	bool done = pages_claim(z, first + pg->next, count - pg->next, &dirty);

	if (done)
		WRITE_ONCE(pg->next, (page_index)count);
	WRITE_ONCE(z->least_pages, size_min(z->least_pages, z->free_pages));
	guard_leave(&z->lock, were);
	return done;
}

void pages_give(struct zone *z, size_t first, size_t count)
{
	unsigned long were = guard_enter(&z->lock);

	pages_give_range(z, first, count, count);
	guard_leave(&z->lock, were);
}

size_t pages_discard(struct zone *z, size_t keep)
{
	size_t done = 0;

	for (unsigned turn = 0; turn < DISCARD_BLOCKS; turn++) {
		unsigned order = ORDERS;
		unsigned long were = guard_enter(&z->lock);
		size_t i = PAGE_NONE;
		size_t dirty = 0;
		size_t pages;

		while (z->dirty_pages > keep && i == PAGE_NONE && order-- > 0)
			if (z->head[order] != PAGE_NONE && z->pages[z->head[order]].units) {
				i = z->head[order];
				dirty = pages_unlink(z, i);
			}
		guard_leave(&z->lock, were);
		if (i == PAGE_NONE)
			break;
		pages = (size_t)1 << order;
		if (port_discard(pages_address(z, i), pages << PAGE_SHIFT)) {
			done += dirty;
			dirty = 0;
		}
		were = guard_enter(&z->lock);
		pages_merge(z, i, order, dirty);
		guard_leave(&z->lock, were);
		if (dirty)
			break; /* the system does not want it now */
	}
	return done;
}

bool pages_is_free(const struct zone *z, size_t i)
{
	return pages_head(z, i) != PAGE_NONE;
}

size_t pages_largest(struct zone *z)
{
	size_t pages = (size_t)1 << PORT_SLOB_MAX_ORDER;
	unsigned order = ORDERS;
	unsigned long were;

	while (order-- > 0 && READ_ONCE(z->head[order]) == PAGE_NONE)
		pages >>= 1;
	if (!PORT_SLOB_STEP)
		return pages;
	were = guard_enter(&z->lock);
	pages = size_max(pages, size_min(pages_tail(z), (size_t)1 << PORT_SLOB_MAX_ORDER));
	guard_leave(&z->lock, were);
	return pages;
}

/* ---- zones ----------------------------------------------------------------------- */

static void pages_join(struct zone *z)
{
	struct zone **last = &pages_zones;

	for (unsigned i = 0; i < ORDERS; i++)
		z->head[i] = PAGE_NONE;
	for (unsigned s = 0; s < PORT_SLOB_SHARDS; s++)
		for (unsigned i = 0; i < ARRAY_SIZE(z->shard[s].head); i++)
			z->shard[s].head[i] = PAGE_NONE;
	while (*last)
		last = &(*last)->next;
	STORE_RELEASE(*last, z);
}

/* How many pages fit behind their own descriptors? No division: the descriptors of all pages
 * are taken for granted, then the room that they leave is filled up. */
static size_t pages_fit(uintptr_t table, uintptr_t end)
{
	size_t n = (end - table) >> PAGE_SHIFT;

	while (n &&
	       size_align(table + n * sizeof(struct page), PAGE_SIZE) + (n << PAGE_SHIFT) > end)
		n--;
	return size_min(n, PAGE_NONE - 1u);
}

/* A zone's struct and table stand at its start. */
static void pages_lay_out(struct zone *z, char *table, char *base, u32 attributes)
{
	unsigned char *bytes = (unsigned char *)z;

	for (size_t i = 0; i < sizeof(*z); i++)
		bytes[i] = 0;
	z->attributes = attributes;
	z->pages = (struct page *)(void *)table;
	z->base = base;
}

size_t pages_add(void *start, size_t bytes, u32 attributes)
{
	uintptr_t at = size_align((uintptr_t)start, sizeof(void *));
	uintptr_t end = (uintptr_t)start + bytes;
	uintptr_t table = at + size_align(sizeof(struct zone), sizeof(void *));
	struct zone *z = (struct zone *)at;
	size_t n;

	if (end < (uintptr_t)start || table >= end)
		return 0;
	for (const struct zone *old = pages_zones; old; old = old->next)
		if (at < (uintptr_t)pages_address(old, old->max_pages) && (uintptr_t)old < end)
			return 0; /* some of it is Ashlar's already */
	n = pages_fit(table, end);
	if (n == 0)
		return 0;
	pages_lay_out(z, (char *)table,
		      (char *)size_align(table + n * sizeof(struct page), PAGE_SIZE), attributes);
	for (size_t i = 0; i < n; i++)
		z->pages[i] = (struct page){ .kind = PAGE_TAIL };
	z->nr_pages = n;
	z->max_pages = n;
	z->least_pages = n;
	if (PORT_MAX_NODES > 1 && pages_zones && attributes >> 8 != pages_zones->attributes >> 8)
		pages_several_nodes = true;
	pages_join(z);
	pages_give(z, 0, n);
	return n;
}

/* ---- a zone that grows ------------------------------------------------------------ */

/* The machine's grain: what port_map takes. */
static size_t pages_grain;

/* The zone that pages_reserve has made, NULL: none. */
static struct zone *pages_growing;

bool pages_reserve(size_t budget, size_t page_bytes)
{
	size_t grain = size_max(page_bytes, PORT_SLOB_STEP);
	size_t room = budget & ~(grain - 1);
	size_t pages, table;
	char *start = NULL;
	struct zone *z;

	for (; room >= 4 * grain && !start; room /= 2)
		start = port_reserve(room, grain);
	if (!start)
		return false;
	room *= 2; /* the loop has halved what it got */
	pages = size_min(room >> PAGE_SHIFT, PAGE_NONE - 1u);
	table = size_align(sizeof(struct zone) + pages * sizeof(struct page), grain);
	pages = size_min(pages, (room - table) >> PAGE_SHIFT);
	if (!port_map(start, grain))
		return false;
	z = (struct zone *)(void *)start;
	pages_lay_out(z, start + size_align(sizeof(struct zone), sizeof(void *)), start + table, 0);
	z->max_pages = pages;
	pages_grain = grain;
	pages_growing = z;
	pages_join(z);
	return pages_grow(z, 1, 1);
}

/* The table's bytes that describe @pages pages, in whole grains from the zone's start. */
static size_t pages_table_bytes(const struct zone *z, size_t pages)
{
	return size_align((size_t)((const char *)&z->pages[pages] - (const char *)z), pages_grain);
}

/* Descriptors first, then pages; one at a time comes here. */
static bool pages_bring(struct zone *z, size_t first, size_t count)
{
	size_t had = first ? pages_table_bytes(z, first) : pages_grain;
	size_t wanted = pages_table_bytes(z, first + count);

	if (wanted > had && !port_map((char *)z + had, wanted - had))
		return false;
	if (port_map(pages_address(z, first), count << PAGE_SHIFT))
		return true;
	if (wanted > had)
		port_unmap((char *)z + had, wanted - had);
	return false;
}

/* An eighth more, and enough: what is free at the end counts; an aligned block must find room. */
static size_t pages_step(const struct zone *z, size_t count, size_t align)
{
	size_t order = pages_order(pages_needed(z, count, align));
	size_t block = (size_t)1 << order;
	size_t need = align == 1 ? count - size_min(count, pages_tail(z)) :
				   size_align(z->nr_pages, block) - z->nr_pages + block;

	size_t grain = pages_grain >> PAGE_SHIFT;
	size_t step = size_align(size_max(size_max(need, z->nr_pages / 8), 1), grain);

	return step <= z->max_pages - z->nr_pages ? step : size_align(size_max(need, 1), grain);
}

bool pages_grow(struct zone *z, size_t count, size_t align)
{
	size_t seen = READ_ONCE(z->nr_pages);
	size_t step;
	bool grown = false;

	if (z != pages_growing || pages_order(pages_needed(z, count, align)) >= ORDERS)
		return false;
	lock_acquire_more(&z->growing);
	lock_acquire_more(&z->lock);
	step = pages_step(z, count, align);
	lock_release(&z->lock);
	if (z->nr_pages != seen) {
		grown = true; /* somebody else just did */
	} else if (step <= z->max_pages - z->nr_pages && pages_bring(z, z->nr_pages, step)) {
		lock_acquire_more(&z->lock);
		WRITE_ONCE(z->nr_pages, z->nr_pages + step);
		WRITE_ONCE(z->least_pages, z->least_pages + step);
		pages_give_range(z, z->nr_pages - step, step, 0);
		lock_release(&z->lock);
		grown = true;
	}
	lock_release(&z->growing);
	return grown;
}

size_t pages_offline(void)
{
	struct zone *z = pages_growing;
	size_t pages, dirty = 0;

	if (!z)
		return 0;
	lock_acquire_more(&z->growing);
	lock_acquire_more(&z->lock);
	pages = size_min(pages_tail(z), z->nr_pages - 1) & ~((pages_grain >> PAGE_SHIFT) - 1);
	if (pages && !pages_claim(z, z->nr_pages - pages, pages, &dirty))
		pages = 0;
	if (pages) {
		WRITE_ONCE(z->nr_pages, z->nr_pages - pages);
		WRITE_ONCE(z->least_pages, z->least_pages - size_min(z->least_pages, pages));
	}
	lock_release(&z->lock);
	if (pages)
		port_unmap(pages_address(z, z->nr_pages), pages << PAGE_SHIFT);
	lock_release(&z->growing);
	return dirty;
}

size_t pages_unused(void)
{
	size_t pages = 0;

	for (const struct zone *z = pages_zones; z; z = z->next)
		pages += READ_ONCE(z->max_pages) - READ_ONCE(z->nr_pages);
	return pages * (PAGE_SIZE + sizeof(struct page));
}

size_t pages_lower(size_t most)
{
	size_t bytes = 0;

	for (struct zone *z = pages_zones; z; z = z->next) {
		size_t keep, behind;

		lock_acquire_more(&z->growing);
		keep = z->nr_pages + (most >> PAGE_SHIFT & ~((pages_grain >> PAGE_SHIFT) - 1));
		behind = pages_table_bytes(z, z->max_pages);
		if (keep < z->max_pages) {
			bytes += (z->max_pages - keep) << PAGE_SHIFT;
			port_release(pages_address(z, keep), (z->max_pages - keep) << PAGE_SHIFT);
			z->max_pages = keep;
			if (behind > pages_table_bytes(z, keep))
				port_release((char *)z + pages_table_bytes(z, keep),
					     behind - pages_table_bytes(z, keep));
		}
		lock_release(&z->growing);
		most = 0;
	}
	return bytes;
}

/* ---- proof ------------------------------------------------------------------------- */

static size_t pages_audit_list(const struct zone *z, unsigned order, size_t *found)
{
	size_t pages = (size_t)1 << order;
	page_index before = PAGE_NONE;
	size_t faults = 0;

	for (size_t i = z->head[order]; i != PAGE_NONE; i = z->pages[i].next) {
		const struct page *pg = &z->pages[i];
		size_t buddy = i ^ pages;

		if (i + pages > z->nr_pages || *found > z->free_pages)
			return faults + 1;
		faults +=
			pg->kind != PAGE_FREE || pg->free != order || pg->prev != before; /* PG1 */
		faults += order + 1 < ORDERS && buddy + pages <= z->nr_pages &&
			  pages_begins_free(&z->pages[buddy], order);
		for (size_t k = 1; k < pages; k++) /* PG2 */
			faults += page_look(&z->pages[i + k]).kind != PAGE_TAIL;
		*found += pages;
		before = (page_index)i;
	}
	return faults;
}

size_t pages_audit(const struct zone *z)
{
	size_t found = 0;
	size_t faults = 0;

	for (unsigned order = 0; order < ORDERS; order++)
		faults += pages_audit_list(z, order, &found);
	return faults + (found != z->free_pages); /* PG4 */
}
