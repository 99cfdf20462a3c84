/* SPDX-License-Identifier: MIT */
/*
 * debug.h - caches whose objects are watched, on slob: none are (watch.h)
 */
#ifndef ASHLAR_SLOB_DEBUG_H
#define ASHLAR_SLOB_DEBUG_H

#include "base/base.h"

/* Has the program's start to prepare for stacks? */
static inline bool debug_wants_callers(void)
{
	return false;
}

#endif
