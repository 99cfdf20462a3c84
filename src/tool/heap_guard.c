/* SPDX-License-Identifier: MIT */
/*
 * heap_guard.c - guarded objects (guard=): read and printed
 */
#include <inttypes.h>

#include "heap_guard.h"
#include "heap_reader.h"

void heap_take_guard(struct heap *h, const struct heap_reader *r)
{
	h->guard = (struct heap_guard){
		.sampled = heap_figure(r, r->a.guard, ASHLAR_GUARD_SAMPLED),
		.missed = heap_figure(r, r->a.guard, ASHLAR_GUARD_MISSED),
		.slots = heap_figure(r, r->a.guard, ASHLAR_GUARD_SLOTS),
		.used = heap_figure(r, r->a.guard, ASHLAR_GUARD_USED),
	};
}

void heap_guard_print(FILE *out, const struct heap *h)
{
	const struct heap_guard *g = &h->guard;

	if (g->slots)
		fprintf(out,
			"  %-16s %12" PRIu64 "   of %" PRIu64 " slots; %" PRIu64
			" since the start, "
			"%" PRIu64 " found no slot\n",
			"guarded", g->used, g->slots, g->sampled, g->missed);
}
