/* SPDX-License-Identifier: MIT */
/*
 * span.h - which node each part of the arena belongs to
 *
 * What    The arena in pieces, one after the other, each of one NUMA node: where the machine's
 *         memory has its place (a kernel) as it lies there, else an equal share for each node.
 * Rules   SP1 pieces are whole sections (map_grain), the last one ends with the arena, and
 *             neighbours that touch differ in their node or have less than a section between them
 *         SP2 of a section with memory of two nodes all belongs to the upper one, and of more
 *             pieces than there is room for the rest to the last: a wrong node costs time only
 */
#ifndef ASHLAR_PAGE_SPAN_H
#define ASHLAR_PAGE_SPAN_H

#include "page/map.h"

#define SPAN_MAX (2u * PORT_MAX_NODES)

struct span {
	size_t end; /* one past its last page */
	unsigned node;
};

/* Cut the arena; returns the number of pieces, at least 1. */
unsigned span_cut(struct span spans[SPAN_MAX]);

#endif
