/* SPDX-License-Identifier: MIT */
/*
 * near.h - in which order zones are asked
 *
 * What    Zones on the node that is wanted first, then the others by distance; at each distance
 *         those with exactly the attributes that were asked for, then those that have more.
 *         Without a node the CPU's is wanted, where zones are on several.
 * Rules   BL1 who asks for an attribute gets it or nothing; who does not gets plain memory first
 */
#ifndef ASHLAR_SLOB_NEAR_H
#define ASHLAR_SLOB_NEAR_H

#include "ashlar/gfp.h"
#include "ashlar/heap.h"
#include "page/pages.h"
#include "port/port.h"

_Static_assert(ZONE_DMA == ASHLAR_HEAP_DMA && ZONE_DMA32 == ASHLAR_HEAP_DMA32 &&
		       ZONE_NODE(3) == ASHLAR_HEAP_NODE(3),
	       "what the page floor knows of attributes");

#define NEAR_DMA32 (PORT_SLOB_STEP ? ASHLAR_HEAP_DMA32 : 0)
#define NEAR_KINDS (ASHLAR_HEAP_DMA | ASHLAR_HEAP_FAST | ASHLAR_HEAP_BATTERY | NEAR_DMA32)

struct near {
	u32 attributes;
	u32 distance;
	int node; /* -1: any */
	bool only_node;
};

static always_inline u32 near_attributes(gfp_t gfp)
{
	u32 dma32 = PORT_SLOB_STEP ? ASHLAR_HEAP_DMA32 : ASHLAR_HEAP_DMA;

	return (gfp & __GFP_DMA ? ASHLAR_HEAP_DMA : 0) | (gfp & __GFP_DMA32 ? dma32 : 0) |
	       (gfp & ASHLAR_GFP_FAST ? ASHLAR_HEAP_FAST : 0) |
	       (gfp & ASHLAR_GFP_BATTERY ? ASHLAR_HEAP_BATTERY : 0);
}

/* Some zone is on @node (of any if @node is -1). */
static inline bool near_has_node(int node)
{
	const struct zone *z = pages_zones;

	while (z && node >= 0 && z->attributes >> 8 != (u32)node)
		z = z->next;
	return z != NULL;
}

/* What @gfp asks for, on @node (-1: any). false iff only a node would do that has no memory. */
static always_inline bool near_begin(struct near *n, gfp_t gfp, int node)
{
	*n = (struct near){ .attributes = near_attributes(gfp), .node = node };
	if (PORT_MAX_NODES == 1)
		return true;
	n->only_node = node >= 0 && (gfp & __GFP_THISNODE);
	if (unlikely(node >= 0) && !near_has_node(node)) {
		if (n->only_node)
			return false;
		n->node = -1;
	}
	if (unlikely(pages_several_nodes) && n->node < 0)
		n->node = (int)port_cpu_node(port_cpu());
	return true;
}

static inline u32 near_distance(const struct near *n, const struct zone *z)
{
	if (PORT_MAX_NODES == 1 || n->node < 0 || z->attributes >> 8 == (u32)n->node)
		return 0;
	return port_node_distance((unsigned)n->node, z->attributes >> 8);
}

/* Does @z suit at this distance, with exactly what is asked for or (@spill) with more? */
static always_inline bool near_suits(const struct near *n, const struct zone *z, bool spill)
{
	u32 has = z->attributes & NEAR_KINDS;

	if ((n->attributes & ~has) || (has == n->attributes) == spill)
		return false;
	if (!n->attributes && (z->attributes & ASHLAR_HEAP_ASKED))
		return false;
	return near_distance(n, z) == n->distance;
}

/* On to the next distance; false iff there is none. */
static inline bool near_further(struct near *n)
{
	u32 next = UINT32_MAX;

	if (PORT_MAX_NODES == 1 || n->node < 0 || n->only_node)
		return false;
	for (const struct zone *z = pages_zones; z; z = z->next) {
		u32 distance = near_distance(n, z);

		if (distance > n->distance && distance < next)
			next = distance;
	}
	n->distance = next;
	return next != UINT32_MAX;
}

#endif
