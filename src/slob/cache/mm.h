/* SPDX-License-Identifier: MIT */
/*
 * mm.h - whole pages on slob, for the files that hand them out
 *
 * What    A block is a run of kind BLOCK: its order in free, references in prev, in shard whether
 *         it was got with __GFP_COMP, in units who pays. On a small machine there is always one
 *         reference, and nobody pays.
 */
#ifndef ASHLAR_SLOB_MM_H
#define ASHLAR_SLOB_MM_H

#include "ashlar/mm.h"
#include "page/pages.h"

/* A run of @pages at a multiple of @align pages, near @node; zeroed with __GFP_ZERO. *@z: its zone.
 * PAGE_NONE iff memory is exhausted, or not of this kind here. Reclaims. @function: for reports. */
page_index mm_run(struct zone **z, size_t pages, size_t align, gfp_t gfp, int node,
		  const char *function);

/* The run at page @i, or one page of it, becomes a block of @order with one reference, for which
 * @payer pays; 0: nobody. */
void mm_begin(struct zone *z, size_t i, unsigned int order, bool compound, u16 payer);

/* Nobody pays any more for the block at page @i. */
void mm_end_payment(struct zone *z, size_t i);

/* free_pages of a block that others have references to (mm_refs.c). */
void mm_put_shared(struct zone *z, size_t i);

#endif
