/* SPDX-License-Identifier: MIT */
/*
 * zones.h - all zones there are, and which of them serve a request
 *
 * What    Each node's part of the arena (span.h) is cut where the port says that memory of a lower
 *         kind ends: DMA, then DMA32, then NORMAL. Most homes have one kind, so a zone a node;
 *         a node of a kernel may have several, or none.
 * Rules   ZK1 a request that names a kind gets memory of that kind or of a lower one, never of a
 *             higher; who names none may get any
 *         ZK2 on a node the highest kind that may serve comes first; a node's kinds come before
 *             those of the next node
 *         ZK3 a request that could have had higher memory leaves in a lower zone what
 *             lowmem_reserve says: the managed pages of the zones between, over CONFIG_LOWMEM_RATIO
 *         ZK4 zones do not overlap, and together they are the arena
 * Source  Linux Documentation/admin-guide/sysctl/vm.rst (lowmem_reserve_ratio)
 */
#ifndef ASHLAR_PAGE_ZONES_H
#define ASHLAR_PAGE_ZONES_H

#include "ashlar/gfp.h"
#include "page/buddy.h"
#include "page/span.h"

/* Each border between nodes or kinds makes one more. */
#define MAX_ZONES (SPAN_MAX + NR_ZONE_KINDS - 1)

struct zones {
	struct zone of[MAX_ZONES]; /* by node, lowest pages first */
	unsigned count;
	u8 at[PORT_MAX_NODES]
	     [NR_ZONE_KINDS]; /* number + 1 of a node's first zone of a kind; 0: none */
	struct zone *home[PORT_MAX_NODES]; /* a node's highest zone; NULL: it has none */
	bool has[NR_ZONE_KINDS];           /* there is such a zone, or a lower one */
};

extern struct zones zones internal_data;

/* Cut the arena, for the nodes that node_init has set up; nothing is online. Called once. */
void zones_init(void);

/* How many zones there will be, at least: before the map is there. */
bool zones_are_several(void);

/* The highest kind that may serve @gfp (ZK1). */
static inline enum zone_kind zones_kind(gfp_t gfp)
{
	if (likely(!(gfp & (__GFP_DMA | __GFP_DMA32))))
		return ZONE_NORMAL;
	return gfp & __GFP_DMA ? ZONE_DMA : ZONE_DMA32;
}

/* The next zone of its node and kind; NULL: it is the last. */
static inline struct zone *zones_next(const struct zone *z)
{
	return z->next ? &zones.of[z->next - 1] : NULL;
}

/* The zone whose pages these are. */
struct zone *zones_of_slow(size_t pfn);
static inline struct zone *zones_of(size_t pfn)
{
	return zones.count == 1 ? &zones.of[0] : zones_of_slow(pfn);
}

/* ZK3: memory came online or went. */
void zones_set_reserves(void);

size_t zones_audit(void);

#endif
