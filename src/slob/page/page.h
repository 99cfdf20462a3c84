/* SPDX-License-Identifier: MIT */
/*
 * page.h - what both engines' files ask pages for (see src/page/page.h)
 */
#ifndef ASHLAR_SLOB_PAGE_H
#define ASHLAR_SLOB_PAGE_H

#include "page/pages.h"

/* Give address space that was never used back until half of what the limit leaves is reserved.
 * Returns bytes. */
size_t page_lower(void);

/* Is there memory of the kind that @gfp asks for? */
static inline bool page_serves(gfp_t gfp)
{
	u32 kind = (gfp & __GFP_DMA ? ZONE_DMA : 0) | (gfp & __GFP_DMA32 ? ZONE_DMA32 : 0);
	const struct zone *z = pages_zones;

	while (z && (kind & ~z->attributes))
		z = z->next;
	return z != NULL;
}

#endif
