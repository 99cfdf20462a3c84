/* SPDX-License-Identifier: MIT */
/*
 * grace.h - slabs that wait for readers (SLAB_TYPESAFE_BY_RCU): the engine's half of rcu.c
 */
#ifndef ASHLAR_CACHE_GRACE_H
#define ASHLAR_CACHE_GRACE_H

#include "base/list.h"

struct page;

/* The pages of a slab that is none any more wait for a grace period, if readers may look at them
 * (SLAB_TYPESAFE_BY_RCU). false: they do not have to. */
bool grace_hold(struct page *head);

/* The grace period of these slabs is over: their pages go back. */
void grace_free(struct list *slabs);

/* The same of a block. */
void grace_end(void *p);

#endif
