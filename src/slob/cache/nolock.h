/* SPDX-License-Identifier: MIT */
/*
 * nolock.h - frees that could not have their lock
 *
 * What    kfree_nolock leaves an object that it cannot free at once on a list that is linked
 *         through the objects themselves; the next call that allocates or frees by way of locks
 *         puts them back. Until then they count as in use.
 */
#ifndef ASHLAR_SLOB_NOLOCK_H
#define ASHLAR_SLOB_NOLOCK_H

#include "base/base.h"

extern void *nolock_pending internal_data; /* atomic: the last one, NULL: none */

/* Free all that is pending. Where locks may be waited for. */
void nolock_settle(void);

static always_inline void nolock_check(void)
{
	if (PORT_SLOB_STEP && unlikely(READ_ONCE(nolock_pending)))
		nolock_settle();
}

#endif
