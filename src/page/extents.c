/* SPDX-License-Identifier: MIT */
/*
 * extents.c - see extents.h
 */
#include "page/extents.h"
#include "base/check.h"

bool extents_begin_at(const struct extents *e, size_t at)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->of[i].begin == at)
			return true;
	return false;
}

size_t extents_end(const struct extents *e, size_t at)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->of[i].begin <= at && at <= e->of[i].end)
			return e->of[i].end;
	return 0;
}

void extents_add(struct extents *e, size_t begin, size_t end)
{
	for (size_t i = 0; i < e->count;) {
		if (e->of[i].end != begin && e->of[i].begin != end) {
			i++;
			continue;
		}
		begin = size_min(begin, e->of[i].begin);
		end = size_max(end, e->of[i].end);
		e->of[i] = e->of[--e->count];
	}
	CHECK(e->count < EXTENTS_MAX, "there are fewer holes");
	e->of[e->count].begin = begin;
	e->of[e->count++].end = end;
}
