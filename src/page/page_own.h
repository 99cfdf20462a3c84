/* SPDX-License-Identifier: MIT */
/*
 * page_own.h - what page.c and run.c share
 */
#ifndef ASHLAR_PAGE_PAGE_OWN_H
#define ASHLAR_PAGE_PAGE_OWN_H

#include "page/page.h"
#include "page/zone.h"
#include "page/zones.h"

/* CPUs' lists hold ordinary memory of their node's highest zone that is UNMOVABLE: what is lower is
 * scarce, what is of another type is to lie together. */
static inline bool page_may_be_kept(gfp_t gfp)
{
	gfp_t types = NR_MIGRATE_TYPES > 1 ? __GFP_RECLAIMABLE | __GFP_MOVABLE : 0;

	return !(gfp & (__GFP_DMA | __GFP_DMA32 | types));
}

static inline struct zone *page_zone(const struct page *head)
{
	return zones_of(map_page_pfn(head));
}

/* @count pages out of a block of @order, whose kind is not set yet, from the wanted node or, if
 * allowed, any other; the last resort is what other CPUs keep on their lists. */
struct page *page_find_hard(unsigned order, size_t count, gfp_t gfp, unsigned node, bool *zero);

/* May @cpu keep page @pfn? It keeps those of its own node's highest zone (page_may_be_kept). */
bool page_is_kept(unsigned cpu, size_t pfn);

/* Blocks that left CPUs' lists go to their zones, each zone's under one lock. */
void page_free_list(struct list *blocks);

/* Pages were handed out: perhaps more than ever. */
void page_note_peak(void);

#endif
