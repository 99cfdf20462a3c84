/* SPDX-License-Identifier: MIT */
/*
 * hold.h - what is in use, but nobody's
 *
 * What    An element in a mempool, an object in a sheaf, and a block that waits for readers was
 *         allocated and has no owner; what describes a cache, a mempool, a sheaf, a set or a group
 *         is Ashlar's own, though its user has a pointer to it. An object then has the state HELD,
 *         a run of pages the kind HELD: so a free of it is no different from a second free, and is
 *         reported. A mapping of its own is not marked.
 */
#ifndef ASHLAR_CACHE_HOLD_H
#define ASHLAR_CACHE_HOLD_H

#include "cache/guard.h"

enum hold {
	HOLD_DONE,    /* it is held now, or cannot be marked */
	HOLD_ALREADY, /* it was */
	HOLD_NOT,     /* in the arena, and not the start of anything in use */
};

/* Is the object or run at @p, which is in the arena, held? */
static inline bool hold_is(const void *p)
{
	return *map_state(p) == STATE_HELD || *map_state(p) == STATE_HELD_CHARGED ||
	       map.pages[map_pfn(p)].kind == PAGE_HELD || guard_is_held(p);
}

static inline enum hold hold(void *p)
{
	struct page *head;
	u8 *state;

	if (!map_contains(p))
		return HOLD_DONE;
	head = &map.pages[map_pfn(p)];
	state = map_state(p);
	if (*state == map_state_in_use(p)) {
		*state = STATE_HELD;
		return HOLD_DONE;
	}
	if (*state == STATE_CHARGED) {
		*state = STATE_HELD_CHARGED;
		return HOLD_DONE;
	}
	if (hold_is(p))
		return HOLD_ALREADY;
	if (guard_hold(p))
		return HOLD_DONE;
	if (head->kind != PAGE_LARGE || p != map_page_address(head))
		return HOLD_NOT;
	head->kind = PAGE_HELD;
	return HOLD_DONE;
}

/* The same of what a cache has just given, or NULL: where it lies need not be asked. */
static inline void hold_new(void *object)
{
	u8 *state = object ? map_state(object) : NULL;

	if (!state)
		return;
	if (likely(*state == map_state_in_use(object)))
		*state = STATE_HELD;
	else
		hold(object);
}

/* Back to what it was. */
static inline void hold_end(void *p)
{
	struct page *head;

	if (!map_contains(p))
		return;
	head = &map.pages[map_pfn(p)];
	if (*map_state(p) == STATE_HELD)
		*map_state(p) = map_state_in_use(p);
	else if (*map_state(p) == STATE_HELD_CHARGED)
		*map_state(p) = STATE_CHARGED;
	else if (head->kind == PAGE_HELD)
		head->kind = PAGE_LARGE;
	else if (guard_is_held(p))
		guard_hold_end(p);
}

#endif
