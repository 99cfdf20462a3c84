/* SPDX-License-Identifier: MIT */
/*
 * grace.c - see grace.h
 */
#include "cache/grace.h"
#include "cache/block.h"
#include "cache/hold.h"
#include "cache/rcu.h"

bool grace_hold(void *p, u16 id)
{
	u16 its;
	void *room = block_wait_room(p, &its);

	if (!room || (id != SLOB_ANY && id != its) || hold(p) != HOLD_DONE)
		return false;
	rcu_hold_block(room, p);
	return true;
}

void grace_end(void *p)
{
	hold_end(p);
	block_free_now(p, "kvfree");
}
