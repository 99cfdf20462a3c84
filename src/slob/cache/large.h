/* SPDX-License-Identifier: MIT */
/*
 * large.h - mappings on slob: there are none
 *
 * What    A zone brings memory online for a run as long as there is any, and gives it back by
 *         pages: what a mapping would add is nothing that kmalloc has not tried.
 */
#ifndef ASHLAR_SLOB_LARGE_H
#define ASHLAR_SLOB_LARGE_H

#include "ashlar/gfp.h"
#include "base/base.h"

static inline void *large_alloc_mapping(size_t size, size_t align, gfp_t gfp)
{
	(void)size;
	(void)align;
	(void)gfp;
	return NULL;
}

#endif
