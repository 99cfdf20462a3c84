/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - frees that wait for readers, for the rest of the floor
 */
#ifndef ASHLAR_CACHE_RCU_H
#define ASHLAR_CACHE_RCU_H

#include "ashlar/rcu.h"
#include "base/list.h"

/* Is an RCU bound? */
bool rcu_is_bound(void);

/* The block @p waits, which the caller holds; @room are two words that lie in it. Then grace_end
 * gets it (grace.h). */
void rcu_hold_block(void *room, void *p);

/* What hangs at @link waits for a grace period; then grace_free gets it (grace.h). */
void rcu_hold_pages(struct list *link);

void rcu_lock_all(void);
void rcu_unlock_all(void);

#endif
