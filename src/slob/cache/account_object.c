/* SPDX-License-Identifier: MIT */
/*
 * account_object.c - see account_object.h
 *
 * State   account_numbers: owners by number, in parts that are made when one is needed
 * Rules   AC6 what blocks say is paid for them is at most what owners have: a charge comes before
 *             its block, and goes after it
 * See     src/cache/account.c for the others
 */
#include "cache/account_object.h"
#include "cache/block.h"
#include "cache/kmalloc.h"

#define PART_OWNERS 128u
#define PARTS ((SLOB_PAYERS + 1) / PART_OWNERS)

static struct account_owner **account_numbers[PARTS];

/* Where it is written who has this number; NULL where nobody ever had one near it. */
static struct account_owner **account_slot(u32 number)
{
	struct account_owner **part = LOAD_ACQUIRE(account_numbers[number / PART_OWNERS]);

	return part ? &part[number % PART_OWNERS] : NULL;
}

/* The part of the table that @number is in is there; false iff memory is exhausted. */
static bool account_make_part(u32 number)
{
	struct account_owner **seen = NULL;
	struct account_owner **part;

	if (account_slot(number))
		return true;
	part = kcalloc(PART_OWNERS, sizeof(void *), GFP_KERNEL);
	if (part && !__atomic_compare_exchange_n(&account_numbers[number / PART_OWNERS], &seen,
						 part, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		kfree(part);
	return part != NULL;
}

bool account_begin_owner(struct account_owner *owner)
{
	for (u32 n = 1; n < SLOB_PAYERS; n++) {
		struct account_owner *seen = NULL;

		if (!account_make_part(n))
			return false;
		owner->number = n;
		if (__atomic_compare_exchange_n(account_slot(n), &seen, owner, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

void account_end_owner(const struct account_owner *owner)
{
	STORE_RELEASE(*account_slot(owner->number), NULL);
}

bool account_begin(u16 *payer, size_t bytes, size_t count, gfp_t gfp)
{
	struct account_owner *owner;

	*payer = 0;
	if (likely(!(gfp & __GFP_ACCOUNT)))
		return true;
	if (!account_charge_many(bytes, count, gfp, &owner))
		return false;
	if (owner)
		*payer = (u16)owner->number;
	return true;
}

void account_end_paid(u16 payer, size_t bytes, size_t count)
{
	if (payer == SLOB_NOBODY)
		return;
	account_uncharge_many(bytes, count, LOAD_ACQUIRE(*account_slot(payer)));
}

/* What the block that starts at @p says; 0: nothing. */
static unsigned account_payer(const void *p)
{
	struct zone *z = pages_zone(p);
	struct slob_place place = { .held = false };
	const struct page *pg;

	if (!z)
		return 0;
	pg = &z->pages[pages_number(z, p)];
	if (page_look(pg).kind == PAGE_RUN)
		return pages_address(z, pages_number(z, p)) == p ? page_look(pg).units : 0;
	slob_find(z, p, &place);
	if (place.found != SLOB_USED && !(place.found == SLOB_UNUSED && place.held))
		return 0;
	return ((uintptr_t)p & (PAGE_SIZE - 1)) == place.start * SLOB_UNIT + place.header ?
		       place.payer :
		       0;
}

struct account_owner *account_owner_of(const void *p)
{
	unsigned payer = account_payer(p);

	return payer && payer != SLOB_NOBODY ? LOAD_ACQUIRE(*account_slot(payer)) : NULL;
}

size_t account_audit_blocks(void)
{
	size_t charged = 0;
	size_t paid = 0;

	for (u32 n = 1; n < SLOB_PAYERS; n++)
		if (account_slot(n) && *account_slot(n))
			charged += (*account_slot(n))->bytes;
	for (struct zone *z = pages_zones; z; z = z->next) {
		paid += slob_paid_units(z) * SLOB_UNIT;
		for (size_t i = 0; i < z->nr_pages; i++) {
			struct page seen = page_look(&z->pages[i]);

			if (seen.kind == PAGE_RUN && seen.units && seen.units != SLOB_NOBODY)
				paid += (size_t)READ_ONCE(z->pages[i].next) << PAGE_SHIFT;
		}
	}
	return paid > charged;
}
