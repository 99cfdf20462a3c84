/* SPDX-License-Identifier: MIT */
/*
 * hold.c - see hold.h
 */
#include "cache/hold.h"
#include "cache/block.h"

/* The run of kmalloc or of a cache that starts at @p, held or not; NULL iff there is none. */
static struct page *hold_run(struct zone *z, const void *p)
{
	struct page *pg = &z->pages[pages_number(z, p)];
	struct page seen = page_look(pg);

	if (seen.kind != PAGE_RUN || seen.list == RUN_BLOCK ||
	    pages_address(z, pages_number(z, p)) != p)
		return NULL;
	return pg;
}

enum hold hold(void *p)
{
	struct zone *z = pages_zone(p);
	enum hold was = HOLD_NOT;
	struct slob_place place;
	unsigned long were;
	struct page *run;

	if (!z)
		return HOLD_DONE;
	were = guard_enter(&z->lock); /* of two who hold one is told */
	run = hold_run(z, p);
	if (run) {
		was = page_look(run).list == RUN_HELD ? HOLD_ALREADY : HOLD_DONE;
		page_set_list(run, RUN_HELD);
	}
	guard_leave(&z->lock, were);
	if (was != HOLD_NOT)
		return was;
	if (slob_hold(z, p, true, &place))
		return HOLD_DONE;
	return place.held ? HOLD_ALREADY : HOLD_NOT;
}

void hold_end(void *p)
{
	struct zone *z = pages_zone(p);
	struct slob_place place;
	struct page *run;

	if (!z)
		return;
	run = hold_run(z, p);
	if (!run)
		slob_hold(z, p, false, &place);
	else if (page_look(run).list == RUN_HELD)
		page_set_list(run, READ_ONCE(run->prev) ? RUN_OBJECT : RUN_KMALLOC);
}

bool hold_is(const void *p)
{
	struct zone *z = pages_zone(p);
	struct slob_place place = { .held = false };
	const struct page *run;

	if (!z)
		return false;
	run = hold_run(z, p);
	if (run)
		return page_look(run).list == RUN_HELD;
	slob_find(z, p, &place);
	return place.held;
}
