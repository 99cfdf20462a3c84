/* SPDX-License-Identifier: MIT */
/*
 * object.h - the state byte of an object, at the two doors
 *
 * What    claim: free -> in use, when an object is handed out; release: in use
 *         -> free, when it comes back. What does not fit is reported.
 * Why     A second free, a pointer into the middle, one that was never handed
 *         out, find another byte than `in use` and are caught in the call that
 *         makes them. A double free that raced on two CPUs puts the object into
 *         two arrays; the second claim finds it in use.
 * Limits  The byte is checked and stored in two steps. Two frees of one object that meet
 *         within these few instructions may both pass; then the second claim catches it,
 *         unless that, too, meets the first within its few instructions (docs/models.md).
 */
#ifndef ASHLAR_CACHE_OBJECT_H
#define ASHLAR_CACHE_OBJECT_H

#include "cache/report.h"
#include "page/map.h"

/* The same value, but the compiler forgets that it has seen it: so each of the two accesses below
 * is one instruction with its address inside, and not three with a sum before them. */
static always_inline uintptr_t object_again(uintptr_t states)
{
	__asm__("" : "+r"(states));
	return states;
}

static always_inline void object_claim(uintptr_t states, void *p)
{
	size_t index = (uintptr_t)p >> (states & 63);

	if (unlikely(*(u8 *)(states + index) != STATE_FREE))
		report_claim(p);
	*(u8 *)(object_again(states) + index) = map_state_in_use(p);
}

/* false iff @p is no object in use whose states are there. */
static always_inline bool object_release(uintptr_t states, void *p)
{
	size_t index = (uintptr_t)p >> (states & 63);

	if (unlikely(*(u8 *)(states + index) != map_state_in_use(p)))
		return false;
	*(u8 *)(object_again(states) + index) = STATE_FREE;
	return true;
}

/* The granule of the arena that @p starts, in one compare: a pointer outside, or one that is
 * not a multiple of 16, gives a number past every arena. */
static always_inline size_t object_granule(const void *p)
{
	size_t offset = (uintptr_t)p - map.base;

	return offset >> GRANULE_SHIFT | offset << (64 - GRANULE_SHIFT);
}

/* The id of the page that holds a granule, as an offset. */
static always_inline size_t object_header_offset(size_t granule)
{
	return map.ids[granule >> (PAGE_SHIFT - GRANULE_SHIFT)];
}

#endif
