/* SPDX-License-Identifier: MIT */
/*
 * account_object.h - who pays for which block, written down in it, on slob
 *
 * What    A block that is to be paid for is charged before it is looked for. It is longer by a
 *         unit, which has its owner's number (SL9); a run has it in its descriptor. A block that
 *         nobody pays for has no room for that. Not on small machines.
 * See     src/cache/account_object.h for the other engine's way
 */
#ifndef ASHLAR_SLOB_ACCOUNT_OBJECT_H
#define ASHLAR_SLOB_ACCOUNT_OBJECT_H

#include "cache/account.h"
#include "engine/slob.h"

/* Charge @count blocks of @bytes to who pays for them, if @gfp says so: *@payer is what is to be
 * written down, 0 iff that is nothing. false iff a limit refuses. */
bool account_begin(u16 *payer, size_t bytes, size_t count, gfp_t gfp);

/* So many of them are no more, or never came to be. */
void account_end_paid(u16 payer, size_t bytes, size_t count);

static inline void account_end(u16 payer, size_t bytes, size_t count)
{
	if (PORT_SLOB_STEP && unlikely(payer))
		account_end_paid(payer, bytes, count);
}

/* Who pays for the object or block that starts at @p; NULL: nobody. */
struct account_owner *account_owner_of(const void *p);

/* An owner gets its number; false iff there is none left. It is given back. */
bool account_begin_owner(struct account_owner *owner);
void account_end_owner(const struct account_owner *owner);

/* AC6; all stands still. Returns faults. */
size_t account_audit_blocks(void);

#endif
