/* SPDX-License-Identifier: MIT */
/*
 * arena.h - the memory of a home that has its place becomes regions of slob
 *
 * What    A kernel's direct map has holes, nodes, and parts that some devices do not reach. Each
 *         run of memory becomes a zone, or several, so that a zone is of one node and kind.
 */
#ifndef ASHLAR_SLOB_ARENA_H
#define ASHLAR_SLOB_ARENA_H

#include "base/base.h"

/* Take all memory that the port has, @limit bytes at most, on @nodes nodes. false iff the port has
 * no arena, or no memory in it. Once, at start. */
bool arena_start(size_t limit, unsigned nodes);

#endif
