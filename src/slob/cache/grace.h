/* SPDX-License-Identifier: MIT */
/*
 * grace.h - slabs that wait for readers, on slob: there are no slabs (see src/cache/grace.h)
 */
#ifndef ASHLAR_SLOB_GRACE_H
#define ASHLAR_SLOB_GRACE_H

#include "base/list.h"

static inline void grace_free(struct list *slabs)
{
	(void)slabs; /* nobody has put anything there */
}

#endif
