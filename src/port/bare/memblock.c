/* SPDX-License-Identifier: MIT */
/*
 * memblock.c - see memblock.h
 */
#include "port/bare/memblock.h"

#define MEMBLOCK_PAGE_MASK (((uint64_t)1 << PORT_PAGE_SHIFT) - 1)

static uint64_t memblock_end(uint64_t start, uint64_t bytes)
{
	return start + bytes < start ? UINT64_MAX : start + bytes;
}

/* The largest multiple of a page is the end of the world. */
static uint64_t memblock_up(uint64_t n)
{
	return n > ~MEMBLOCK_PAGE_MASK ? ~MEMBLOCK_PAGE_MASK :
					 (n + MEMBLOCK_PAGE_MASK) & ~MEMBLOCK_PAGE_MASK;
}

static uint64_t memblock_down(uint64_t n)
{
	return n & ~MEMBLOCK_PAGE_MASK;
}

static void memblock_delete(struct memblock_list *l, unsigned at)
{
	l->count--;
	for (unsigned i = at; i < l->count; i++)
		l->range[i] = l->range[i + 1];
}

/* The caller knows that there is room. */
static void memblock_insert(struct memblock_list *l, unsigned at, struct memblock_range r)
{
	for (unsigned i = l->count; i > at; i--)
		l->range[i] = l->range[i - 1];
	l->range[at] = r;
	l->count++;
}

/* Take [start, end) out of one range that holds both of its ends; false iff it cannot be split,
 * and the larger part was kept (MB3). */
static bool memblock_split(struct memblock_list *l, unsigned at, uint64_t start, uint64_t end)
{
	struct memblock_range *r = &l->range[at];
	struct memblock_range upper = { end, r->end, r->node };

	if (l->count < MEMBLOCK_RANGES) {
		r->end = start;
		memblock_insert(l, at + 1, upper);
		return true;
	}
	if (start - r->start >= r->end - end)
		r->end = start;
	else
		r->start = end;
	return false;
}

/* Nothing of [start, end) is in the list any more. Returns where it would be inserted. */
static unsigned memblock_clear(struct memblock_list *l, uint64_t start, uint64_t end)
{
	unsigned at = 0;

	while (at < l->count && l->range[at].end <= start)
		at++;
	while (at < l->count && l->range[at].start < end) {
		struct memblock_range *r = &l->range[at];

		if (r->start < start && r->end > end) {
			bool lower = memblock_split(l, at, start, end) || l->range[at].end == start;

			return at + lower;
		}
		if (r->start < start) {
			r->end = start;
			at++;
		} else if (r->end > end) {
			r->start = end;
		} else {
			memblock_delete(l, at);
		}
	}
	return at;
}

/* Make one of this range and the next if they touch and are of one node (MB1). */
static void memblock_merge(struct memblock_list *l, unsigned at)
{
	struct memblock_range *r = &l->range[at];

	if (at + 1 >= l->count || r[0].end != r[1].start || r[0].node != r[1].node)
		return;
	r[0].end = r[1].end;
	memblock_delete(l, at + 1);
}

static bool memblock_paint(struct memblock_list *l, uint64_t start, uint64_t end, uint32_t node)
{
	struct memblock_range r = { start, end, node };
	unsigned at = memblock_clear(l, start, end);

	if (l->count == MEMBLOCK_RANGES)
		return false;
	memblock_insert(l, at, r);
	memblock_merge(l, at);
	if (at > 0)
		memblock_merge(l, at - 1);
	return true;
}

bool memblock_add(struct memblock *m, uint64_t start, uint64_t bytes, uint32_t node)
{
	uint64_t first = memblock_up(start);
	uint64_t end = memblock_down(memblock_end(start, bytes));

	return first >= end || memblock_paint(&m->memory, first, end, node);
}

void memblock_remove(struct memblock *m, uint64_t start, uint64_t bytes)
{
	uint64_t end = memblock_up(memblock_end(start, bytes));

	if (bytes && memblock_down(start) < end)
		memblock_clear(&m->memory, memblock_down(start), end);
}

void memblock_set_node(struct memblock *m, uint64_t start, uint64_t bytes, uint32_t node)
{
	uint64_t first = memblock_up(start);
	uint64_t last = memblock_down(memblock_end(start, bytes));

	for (unsigned i = 0; i < m->memory.count && first < last; i++) {
		struct memblock_range r = m->memory.range[i];
		uint64_t begin = r.start > first ? r.start : first;
		uint64_t end = r.end < last ? r.end : last;

		if (begin >= end || r.node == node)
			continue;
		if (m->memory.count + 2 > MEMBLOCK_RANGES)
			return; /* a wrong node costs time, not memory */
		memblock_paint(&m->memory, begin, end, node);
		first = end; /* go on behind it, from the start: ranges may have merged */
		i = (unsigned)-1;
	}
}

/* The table of what is taken is full: the range nearest to [start, end) grows over it (MB4). */
static void memblock_cover(struct memblock_list *l, uint64_t start, uint64_t end)
{
	unsigned at = 0;

	while (at + 1 < l->count && l->range[at + 1].start <= start)
		at++;
	if (l->range[at].start > start)
		l->range[at].start = start;
	if (l->range[at].end < end)
		l->range[at].end = end;
	while (at + 1 < l->count && l->range[at].end >= l->range[at + 1].start) {
		if (l->range[at].end < l->range[at + 1].end)
			l->range[at].end = l->range[at + 1].end;
		memblock_delete(l, at + 1);
	}
}

void memblock_take(struct memblock *m, uint64_t start, uint64_t bytes)
{
	uint64_t first = memblock_down(start);
	uint64_t end = memblock_up(memblock_end(start, bytes));

	if (bytes == 0 || first >= end)
		return;
	if (m->taken.count + 1 < MEMBLOCK_RANGES)
		memblock_paint(&m->taken, first, end, 0);
	else
		memblock_cover(&m->taken, first, end);
}

/* The taken range that holds or comes after @at; NULL iff there is none. */
static const struct memblock_range *memblock_taken_after(const struct memblock *m, uint64_t at)
{
	for (unsigned i = 0; i < m->taken.count; i++)
		if (m->taken.range[i].end > at)
			return &m->taken.range[i];
	return NULL;
}

/* What of one range of memory is free, first at or after @from; false iff nothing is. */
static bool memblock_free_in(const struct memblock *m, const struct memblock_range *r,
			     uint64_t from, struct memblock_range *run)
{
	uint64_t at = from > r->start ? from : r->start;

	while (at < r->end) {
		const struct memblock_range *t = memblock_taken_after(m, at);

		if (!t || t->start > at) {
			uint64_t end = t && t->start < r->end ? t->start : r->end;

			*run = (struct memblock_range){ at, end, r->node };
			return true;
		}
		at = t->end;
	}
	return false;
}

bool memblock_next(const struct memblock *m, uint64_t from, uint64_t end,
		   struct memblock_range *run)
{
	for (unsigned i = 0; i < m->memory.count; i++) {
		const struct memblock_range *r = &m->memory.range[i];

		if (r->end <= from || !memblock_free_in(m, r, from, run))
			continue;
		if (run->end > end)
			run->end = end;
		return run->start < run->end;
	}
	return false;
}

uint64_t memblock_alloc(struct memblock *m, uint64_t bytes, uint64_t align, uint64_t low,
			uint64_t high)
{
	struct memblock_range run;
	uint64_t best = MEMBLOCK_NONE;

	bytes = memblock_up(bytes);
	for (uint64_t from = low; memblock_next(m, from, high, &run); from = run.end) {
		uint64_t start;

		if (run.end < bytes)
			continue;
		start = (run.end - bytes) & ~(align - 1);
		if (start >= run.start)
			best = start;
	}
	if (best != MEMBLOCK_NONE)
		memblock_take(m, best, bytes);
	return best;
}

uint64_t memblock_bytes(const struct memblock_list *list)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < list->count; i++)
		bytes += list->range[i].end - list->range[i].start;
	return bytes;
}

uint64_t memblock_free_bytes(const struct memblock *m)
{
	struct memblock_range run;
	uint64_t bytes = 0;

	for (uint64_t from = 0; memblock_next(m, from, UINT64_MAX, &run); from = run.end)
		bytes += run.end - run.start;
	return bytes;
}

static bool memblock_list_is_sound(const struct memblock_list *l)
{
	if (l->count > MEMBLOCK_RANGES)
		return false;
	for (unsigned i = 0; i < l->count; i++) {
		const struct memblock_range *r = &l->range[i];

		if (r->start >= r->end || ((r->start | r->end) & MEMBLOCK_PAGE_MASK))
			return false;
		if (i && (r[-1].end > r->start || (r[-1].end == r->start && r[-1].node == r->node)))
			return false;
	}
	return true;
}

bool memblock_is_sound(const struct memblock *m)
{
	return memblock_list_is_sound(&m->memory) && memblock_list_is_sound(&m->taken);
}
