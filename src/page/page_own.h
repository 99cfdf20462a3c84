/* SPDX-License-Identifier: MIT */
/*
 * page_own.h - what page.c and run.c share
 */
#ifndef ASHLAR_PAGE_PAGE_OWN_H
#define ASHLAR_PAGE_PAGE_OWN_H

#include "page/page.h"
#include "page/pcp.h"
#include "page/zone.h"
#include "page/zones.h"
#include "port/port.h"

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

/* @count pages that nobody uses, a block of an order that CPUs keep or a @run: to this CPU's list,
 * and what it does not keep to the zone. */
static always_inline void page_give(struct page *head, size_t count, bool run)
{
	unsigned cpu = percpu_cpu();
	size_t pfn = map_page_pfn(head);
	struct list out;

	if (unlikely((run && !pcp_keeps_run(count)) || !page_is_kept(cpu, pfn))) {
		zone_free(page_zone(head), pfn, count);
		return;
	}
	list_init(&out);
	map_set_dirty(pfn, count);
	if (run)
		pcp_give_run(cpu, head, count, &out);
	else
		pcp_give(cpu, head, &out);
	if (!list_is_empty(&out))
		page_free_list(&out);
}

/* Pages were handed out: perhaps more than ever. */
void page_note_peak(void);

#endif
