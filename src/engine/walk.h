/* SPDX-License-Identifier: MIT */
/*
 * walk.h - all objects of a cache that somebody has
 *
 * What    From an id to addresses, by the page map and the states alone: full slabs are on no
 *         list. For reports: it looks at every page that is online.
 */
#ifndef ASHLAR_ENGINE_WALK_H
#define ASHLAR_ENGINE_WALK_H

#include "base/base.h"

/* The first @most objects in use, lowest address first, of the cache with this header offset.
 * Returns how many were found. Takes no lock: what others do meanwhile may be seen or not. */
unsigned walk_in_use(u32 header_offset, void **objects, unsigned most);

#endif
