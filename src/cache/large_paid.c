/* SPDX-License-Identifier: MIT */
/*
 * large_paid.c - large blocks for users, and who pays for them
 *
 * What    Every way to a large block: the block first, then the charge, written down in the
 *         descriptor of a run or in the record of a mapping. A refused charge gives the block
 *         back as its request may: without waiting, if it must not.
 * See     account.h
 */
#include "cache/account_object.h"
#include "cache/large.h"
#include "page/node.h"
#include "page/page.h"

static void *large_pay(void *p, size_t size, gfp_t gfp)
{
	size_t bytes = size_max(size_align(size, PAGE_SIZE), PAGE_SIZE);
	struct account_owner *owner = NULL;
	bool paid;

	if (likely(!(gfp & __GFP_ACCOUNT)) || !p)
		return p;
	if (map_contains(p)) {
		paid = account_charge_block(&map.pages[map_pfn(p)], bytes, gfp);
	} else {
		paid = account_charge_bytes(bytes, gfp, &owner);
		if (owner)
			large_set_owner(p, owner, bytes);
	}
	if (!paid)
		large_undo(p, gfp);
	return paid ? p : NULL;
}

void *large_alloc_node(size_t size, size_t align, gfp_t gfp, unsigned node)
{
	return large_pay(large_get(size, align, gfp, node), size, gfp);
}

void *large_alloc(size_t size, size_t align, gfp_t gfp)
{
	return large_alloc_node(size, align, gfp, node_here());
}

void *large_alloc_mapping(size_t size, size_t align, gfp_t gfp)
{
	return large_pay(large_get_mapping(size, align, gfp), size, gfp);
}
