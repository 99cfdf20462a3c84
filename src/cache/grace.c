/* SPDX-License-Identifier: MIT */
/*
 * grace.c - see grace.h
 */
#include "cache/grace.h"
#include "cache/cache.h"
#include "cache/hold.h"
#include "cache/kmalloc.h"
#include "cache/rcu.h"
#include "cache/reclaim.h"

bool grace_hold(struct page *head)
{
	const struct kmem_cache_node *n = head->owner;

	if (likely(!(n->cache->flags & SLAB_TYPESAFE_BY_RCU)))
		return false;
	rcu_hold_pages(&head->link);
	return true;
}

void grace_free(struct list *slabs)
{
	if (list_is_empty(slabs))
		return;
	while (!list_is_empty(slabs)) {
		struct page *head = list_first_entry(slabs, struct page, link);

		list_remove(&head->link);
		page_free(head, head->order);
	}
	reclaim_check();
}

void grace_end(void *p)
{
	hold_end(p);
	kvfree(p);
}
