/* SPDX-License-Identifier: MIT */
/*
 * extents.h - a set of numbers as runs, none of which touches another
 *
 * What    Which parts of a table have memory. A handful of runs, searched one after the other; who
 *         uses a set guards it.
 */
#ifndef ASHLAR_PAGE_EXTENTS_H
#define ASHLAR_PAGE_EXTENTS_H

#include "base/base.h"

#define EXTENTS_MAX 160u /* one a zone and one behind each hole of the machine's memory */

struct extents {
	size_t count;
	struct {
		size_t begin;
		size_t end; /* one past */
	} of[EXTENTS_MAX];
};

/* Does a run begin at @at? */
bool extents_begin_at(const struct extents *e, size_t at);

/* The end of the run that holds @at or ends there; 0 iff there is none. */
size_t extents_end(const struct extents *e, size_t at);

/* Add a run, joined with those that it touches. */
void extents_add(struct extents *e, size_t begin, size_t end);

#endif
