/* SPDX-License-Identifier: MIT */
/*
 * account.h - groups that pay, and what they have paid for, for the rest of the floor
 *
 * What    Sums and limits of groups. Where it is written down who pays for which object is the
 *         engine's (account_object.h).
 */
#ifndef ASHLAR_CACHE_ACCOUNT_H
#define ASHLAR_CACHE_ACCOUNT_H

#include "ashlar/account.h"
#include "base/list.h"

/* Who pays, as it is written down. */
struct account_owner {
	struct list link;           /* of its group's owners */
	struct ashlar_group *group; /* NULL: nobody any more */
	size_t bytes;
	size_t objects;
	u32 number;   /* how blocks of slob name it; constant */
	bool retired; /* its group has another: it goes with its last object */
};

/* The group that pays for what this thread allocates now; NULL: nobody. */
struct ashlar_group *account_current(void);

/* @bytes: false iff a limit refuses, else who pays, perhaps nobody. @count times, all or none; the
 * lock is taken once. */
bool account_charge_bytes(size_t bytes, gfp_t gfp, struct account_owner **owner);
bool account_charge_many(size_t bytes, size_t count, gfp_t gfp, struct account_owner **owner);
void account_uncharge_bytes(size_t bytes, struct account_owner *owner);
void account_uncharge_many(size_t bytes, size_t count, struct account_owner *owner);

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
