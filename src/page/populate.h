/* SPDX-License-Identifier: MIT */
/*
 * populate.h - memory behind what leaves a zone, where no fault brings it
 *
 * What    A process gets memory for a page by touching it. In a kernel that would be a fault; there
 *         a free page without memory gets it when it is handed out (PORT_POPULATES).
 * Rules   Z6 of zone.h
 * Why     The allocation is made by who wants the page, with his flags and without a lock: a
 *         system that is short of memory may run any reclaim inside it, Ashlar's own too.
 * Cost    nothing in a process; else a look at each page's entry, and the system's allocation
 */
#ifndef ASHLAR_PAGE_POPULATE_H
#define ASHLAR_PAGE_POPULATE_H

#include "page/zone.h"
#include "port/port.h"

/* What the port may do for a request. */
unsigned populate_ask(gfp_t gfp);

/* Memory behind @count pages from @pfn, which have left @z. false: there is none, and they are
 * back in the zone. */
bool populate_run(struct zone *z, size_t pfn, size_t count, gfp_t gfp);

static inline bool populate(struct zone *z, size_t pfn, size_t count, gfp_t gfp)
{
	return !PORT_POPULATES || populate_run(z, pfn, count, gfp);
}

/* The same for blocks of @order on a list, which are dirty then; those that got none leave it. */
void populate_blocks(struct zone *z, struct list *blocks, unsigned order, gfp_t gfp);

static inline void populate_list(struct zone *z, struct list *blocks, unsigned order, gfp_t gfp)
{
	if (PORT_POPULATES)
		populate_blocks(z, blocks, order, gfp);
}

#endif
