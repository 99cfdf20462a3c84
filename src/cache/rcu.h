/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - frees that wait for readers, for the rest of the floor
 */
#ifndef ASHLAR_CACHE_RCU_H
#define ASHLAR_CACHE_RCU_H

#include "ashlar/rcu.h"
#include "base/base.h"

struct page;

/* Is an RCU bound? */
bool rcu_is_bound(void);

/* The pages of a slab that is none any more wait for a grace period, if readers may look at them
 * (SLAB_TYPESAFE_BY_RCU). false: they do not have to. */
bool rcu_hold(struct page *head);

void rcu_lock_all(void);
void rcu_unlock_all(void);

#endif
