/* SPDX-License-Identifier: MIT */
/*
 * account.h - who pays for which object, for the rest of the floor
 *
 * What    An object that a group pays for has the state CHARGED, which no fast path knows: so its
 *         free comes through a slow one, and is settled there. A large block says in its
 *         descriptor, or in that of its mapping, who pays.
 */
#ifndef ASHLAR_CACHE_ACCOUNT_H
#define ASHLAR_CACHE_ACCOUNT_H

#include "ashlar/account.h"
#include "page/map.h"

struct account_owner;
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

/* Where it is written who pays for the object that starts at @p; NULL iff no charged one does. */
struct account_owner **account_entry(const void *p);

/* The group that pays for what this thread allocates now; NULL: nobody. */
struct ashlar_group *account_current(void);

/* For blocks of pages: false iff a limit refuses, else who pays, perhaps nobody. @count of them,
 * all or none. */
bool account_charge_bytes(size_t bytes, gfp_t gfp, struct account_owner **owner);
bool account_charge_many(size_t bytes, size_t count, gfp_t gfp, struct account_owner **owner);
void account_uncharge_bytes(size_t bytes, struct account_owner *owner);

/* The same for blocks that somebody has got, written down in their descriptors. */
bool account_charge_block(struct page *head, size_t bytes, gfp_t gfp);
bool account_charge_pages(struct page *first, size_t count, gfp_t gfp); /* all or none */
void account_uncharge_block(struct page *head);

/* A slab begins, ends: nothing is charged. */
void account_begin_slab(struct page *head, unsigned order);
void account_end_slab(struct page *head);

/* AC1; the lock is held. Returns faults. */
size_t account_audit(void);

void account_lock_all(void);
void account_unlock_all(void);

/* The groups, for tools: a table of pointers, NULL where there is none. */
#define ACCOUNT_GROUPS 256u
extern struct ashlar_group *account_groups[ACCOUNT_GROUPS] internal_data;

struct ashlar_group {
	char name[32];
	size_t bytes; /* account lock, as all below; with those of groups below, as objects */
	size_t peak;
	size_t limit;
	size_t objects;
	size_t refused;
	u32 number;                  /* constant: its place in account_groups */
	u32 below;                   /* groups whose parent it is */
	struct ashlar_group *parent; /* constant */
	struct account_owner *owner; /* who new charges are written down for */
	struct list owners;          /* all whose charges it pays */
};

#endif
