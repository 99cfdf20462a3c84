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

static always_inline void object_claim(void *p)
{
	u8 *state = map_state(p);

	if (unlikely(*state != STATE_FREE))
		report_claim(p);
	*state = STATE_IN_USE;
}

/* The granule of the arena that @p starts, in one compare: a pointer outside, or one that is
 * not a multiple of 16, gives a number past every arena. */
static always_inline size_t object_granule(const void *p)
{
	size_t offset = (uintptr_t)p - map.base;

	return offset >> GRANULE_SHIFT | offset << (64 - GRANULE_SHIFT);
}

#endif
