/* SPDX-License-Identifier: MIT */
/*
 * stop.c - everything stands still: fork (see src/cache/init.h)
 *
 * What    The locks of what stands on public calls, from the top down, then those of caches and
 *         zones.
 */
#include "cache/account.h"
#include "cache/block.h"
#include "cache/init.h"
#include "cache/mempool.h"
#include "cache/rcu.h"

void init_stop(void)
{
	mempool_lock_all();
	rcu_lock_all();
	reclaim_guard(true);
	account_lock_all();
	cache_guard(true);
	init_guards(true);
}

void init_resume(void)
{
	init_guards(false);
	cache_guard(false);
	account_unlock_all();
	reclaim_guard(false);
	rcu_unlock_all();
	mempool_unlock_all();
}

void init_resume_child(void)
{
	reclaim_forget();
	init_resume();
}
