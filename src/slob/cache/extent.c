/* SPDX-License-Identifier: MIT */
/*
 * extent.c - where an object or a run begins and ends, for copies of users (slob)
 *
 * See     src/cache/usercopy.c for the rules
 */
#include "cache/block.h"
#include "cache/usercopy.h"

const char *usercopy_refuse_inside(const char *p, size_t bytes)
{
	struct usercopy_window w = { .whole = true };
	struct kmem_cache *c;

	switch (block_extent(p, &w.start, &w.to, &c)) {
	case SLOB_USED:
	case SLOB_INSIDE:
		break;
	case SLOB_UNUSED:
		return "the memory is free";
	case SLOB_DAMAGED:
		return "no object is there";
	}
	if (c) {
		w.whole = false;
		w.from = c->useroffset;
		w.to = w.from + c->usersize;
	}
	if (p < w.start)
		return "it is the header before an object";
	return usercopy_refuse_window(&w, p, bytes);
}
