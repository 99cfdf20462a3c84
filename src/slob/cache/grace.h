/* SPDX-License-Identifier: MIT */
/*
 * grace.h - objects that wait for readers, on slob (see src/cache/grace.h)
 *
 * What    Slob has no slabs that could stay for readers of a cache with SLAB_TYPESAFE_BY_RCU. So
 *         each object that is freed stays: it is held (hold.h), and queued in the room behind it
 *         (SL8) until a grace period has passed. Meanwhile it counts as in use.
 * Rules   GR1 of an object that waits nothing changes that its user could see
 *         GR2 an object waits for one grace period, also when kfree_rcu freed it
 */
#ifndef ASHLAR_SLOB_GRACE_H
#define ASHLAR_SLOB_GRACE_H

#include "base/list.h"

/* The object in use at @p begins to wait if it is one that has to, and @id means it: its cache's,
 * or SLOB_ANY. false: nothing was done. Calls the bound RCU; no locks. */
bool grace_hold(void *p, u16 id);

/* Free what waited, its grace period being over. */
void grace_end(void *p);

static inline void grace_free(struct list *slabs)
{
	(void)slabs; /* nobody has put anything there */
}

#endif
