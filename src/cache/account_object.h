/* SPDX-License-Identifier: MIT */
/*
 * account_object.h - who pays for which object, written down beside slabs
 *
 * What    An object that a group pays for has the state CHARGED, which no fast path knows: so its
 *         free comes through a slow one, and is settled there. A large block says in its
 *         descriptor, or in that of its mapping, who pays.
 */
#ifndef ASHLAR_CACHE_ACCOUNT_OBJECT_H
#define ASHLAR_CACHE_ACCOUNT_OBJECT_H

#include "cache/account.h"
#include "page/map.h"

struct kmem_cache;

/* Charge an object that is in use and nobody else knows yet. false iff a limit refuses. */
bool account_charge(struct kmem_cache *c, void *p, gfp_t gfp);

/* All of them, or none. */
bool account_charge_all(struct kmem_cache *c, size_t count, void *const *objects, gfp_t gfp);

/* The other end: an object in use that is charged becomes one that is not. Returns whether @p
 * starts one. Of two that race past the state one finds it settled already. */
bool account_settle(void *p);

/* Does @p start an object that is charged? */
bool account_is_charged(const void *p);

/* Who pays for the object or block that starts at @p; NULL: nobody. */
struct account_owner *account_owner_of(const void *p);

/* For blocks that somebody got, written down in their descriptors; false iff a limit refuses. */
bool account_charge_block(struct page *head, size_t bytes, gfp_t gfp);
bool account_charge_pages(struct page *first, size_t count, gfp_t gfp); /* all or none */
void account_uncharge_block(struct page *head);

/* A slab begins, ends: nothing is charged. */
void account_begin_slab(struct page *head, unsigned order);
void account_end_slab(struct page *head);

/* Pointers name owners: there is nothing to do. */
static inline bool account_begin_owner(struct account_owner *owner)
{
	(void)owner;
	return true;
}

static inline void account_end_owner(struct account_owner *owner)
{
	(void)owner;
}

#endif
