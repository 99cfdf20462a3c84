/* SPDX-License-Identifier: MIT */
/*
 * nolock.c - objects in any context, on slob
 *
 * What    A signal handler or an NMI may have interrupted whoever holds the lock that it needs. So
 *         each lock is tried. An allocation goes on to the next shard, the next zone, a new page,
 *         then NULL; a free becomes pending (nolock.h), which always succeeds.
 * Rules   NL1 nothing here waits, or makes a system call but to wake who sleeps for a lock that
 *             was got here meanwhile
 *         NL2 kfree_nolock cannot fail; what it cannot take is told before anything is written,
 *             where the lock that shows it can be had; else where the first free is carried out
 *         NL3 objects of caches are always pending, and what somebody pays for: their count is
 *             found under a lock
 *         NL4 a block has room for a pointer (block.c), so that it can be linked; what readers
 *             may look at is linked behind its object
 */
#include "cache/nolock.h"
#include "base/memory.h"
#include "cache/block.h"
#include "cache/gfp.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/option.h"
#include "cache/report.h"
#include "cache/watch.h"

void *nolock_pending;

void *kmalloc_nolock(size_t size, gfp_t gfp, int node)
{
	if (size == 0)
		return ZERO_SIZE_PTR;
	if (!gfp_serves_nolock(gfp) || size > CONFIG_KMALLOC_MAX_CACHE || !init_done() ||
	    watch_fails(NULL, size, gfp))
		return NULL;
	return block_try_alloc(size, kmalloc_natural(size), watch_gfp(gfp), node);
}

/* NL4 */
static void *nolock_link(void *p)
{
	u16 id;
	void *room = block_wait_room(p, &id);

	return room ? room : p;
}

/* NL2 */
static void nolock_pend(void *p)
{
	void *first = READ_ONCE(nolock_pending);
	void *link = nolock_link(p);

	do
		__builtin_memcpy(link, &first, sizeof(first));
	while (!__atomic_compare_exchange_n(&nolock_pending, &first, p, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

void kfree_nolock(const void *p)
{
	void *object = (void *)(uintptr_t)p;

	if (ZERO_OR_NULL_PTR(p))
		return;
	if (!block_try_free(object, !options.init_on_free))
		nolock_pend(object);
}

void nolock_settle(void)
{
	void *p = __atomic_exchange_n(&nolock_pending, NULL, __ATOMIC_ACQUIRE);

	while (p) {
		void *next;

		if (unlikely(!block_is_used(p)))
			report_pointer("kfree_nolock", p); /* its link is gone */
		__builtin_memcpy(&next, nolock_link(p), sizeof(next));
		block_free_one(p, NULL, "kfree_nolock");
		p = next;
	}
}
