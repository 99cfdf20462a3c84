/* SPDX-License-Identifier: MIT */
/*
 * guard.h - sampled objects on pages of their own, on slob: there are none (watch.h)
 */
#ifndef ASHLAR_SLOB_CACHE_GUARD_H
#define ASHLAR_SLOB_CACHE_GUARD_H

#include "base/base.h"

enum guard_access {
	GUARD_TOUCH,
	GUARD_READ,
	GUARD_WRITE,
};

static inline bool guard_is_on(void)
{
	return false;
}

/* Is the fault at @address a guarded object's? */
static inline bool guard_fault(const void *address, enum guard_access access, const void *pc)
{
	(void)address;
	(void)access;
	(void)pc;
	return false;
}

#endif
