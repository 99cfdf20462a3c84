/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c - when memory goes back, and what happens when there is none (slob)
 *
 * Rules   R1 after a free, dirty free pages are at most live/16 + keep, or the call has discarded
 *            down to seven eighths of that
 *         R3 shrinkers run in one thread at a time, and not within each other; who finds another
 *            thread at it waits until that is done, for some milliseconds at most, and tries again;
 *            whose own freed nothing tries once more, for another thread's may have, just before
 */
#include "cache/anchor.h"
#include "cache/block.h"
#include "cache/gfp.h"
#include "cache/option.h"
#include "cache/scope.h"
#include "port/port.h"

/* Rounds of shrinkers: an ordinary request, one that may try harder. */
#define RECLAIM_ROUNDS 4u
#define RECLAIM_ROUNDS_HARD 16u

static struct {
	struct lock lock; /* guards the list */
	struct shrinker *first;
	u32 running; /* atomic: the thread that runs shrinkers (R3), or 0 */
	u32 ended;   /* how often that has ended */
} shrinkers;

static void reclaim_bound(struct zone *z)
{
	size_t live;
	size_t bound;

	if (!PORT_GIVES_BACK)
		return;
	live = READ_ONCE(z->nr_pages) - READ_ONCE(z->free_pages);
	bound = live / 16 + (size_t)(options.keep >> PAGE_SHIFT);
	if (unlikely(READ_ONCE(z->dirty_pages) > bound))
		pages_discard(z, bound - bound / 8);
}

void reclaim_check(struct zone *z)
{
	if (unlikely(READ_ONCE(ashlar_anchor.request)) &&
	    (anchor_take_request() & ASHLAR_REQUEST_TRIM))
		ashlar_purge();
	reclaim_bound(z);
}

/* Ask each for what it has. Returns what they freed. */
static size_t reclaim_shrink(gfp_t gfp)
{
	size_t freed = 0;

	for (struct shrinker *s = LOAD_ACQUIRE(shrinkers.first); s; s = s->next) {
		gfp_t needs = s->needs ? s->needs : __GFP_FS;
		size_t n = (gfp & needs) == needs ? s->count(s, gfp) : 0;

		if (n)
			freed += s->scan(s, gfp, n);
	}
	return freed;
}

static bool reclaim_begin(void)
{
	unsigned long were = guard_enter(&shrinkers.lock);
	bool mine = !shrinkers.running;

	if (mine)
		shrinkers.running = PORT_ONE_CPU ? 1 : port_thread();
	guard_leave(&shrinkers.lock, were);
	return mine;
}

static void reclaim_end(void)
{
	unsigned long were = guard_enter(&shrinkers.lock);

	if (!PORT_ONE_CPU)
		shrinkers.ended++;
	shrinkers.running = 0;
	guard_leave(&shrinkers.lock, were);
}

/* R3: another thread that runs them frees for all: wait until it is done. @seen: what ended was
 * before it was found at it. false iff it is this thread. */
static bool reclaim_await(u32 seen)
{
	if (PORT_ONE_CPU || READ_ONCE(shrinkers.running) == port_thread())
		return false;
	for (unsigned turn = 0; turn < PORT_YIELDS; turn++) {
		if (READ_ONCE(shrinkers.ended) != seen || !READ_ONCE(shrinkers.running))
			break;
		port_yield();
	}
	return true;
}

/* R3. Returns whether there may be memory now. */
static bool reclaim_ask(gfp_t gfp, unsigned attempt)
{
	u32 seen = PORT_ONE_CPU ? 0 : LOAD_ACQUIRE(shrinkers.ended);
	size_t freed = 0;

	if (!__atomic_load_n(&shrinkers.first, __ATOMIC_RELAXED))
		return false;
	if (!reclaim_begin())
		return reclaim_await(seen);
	freed = reclaim_shrink(gfp);
	reclaim_end();
	return freed || (!PORT_ONE_CPU && attempt == 0);
}

/* The request ends without memory: false. */
static bool reclaim_fails(void)
{
	if (PORT_SLOB_STEP)
		anchor_event(ASHLAR_EVENT_FAILURE);
	return false;
}

/* SC1 of cache/scope.h */
static bool reclaim_is_kept_out(void)
{
	return PORT_SLOB_STEP && (scope_now() & SCOPE_NORECLAIM);
}

bool reclaim_retry(gfp_t gfp, unsigned attempt)
{
	unsigned rounds = gfp & __GFP_RETRY_MAYFAIL ? RECLAIM_ROUNDS_HARD : RECLAIM_ROUNDS;
	bool again;

	if (PORT_SLOB_STEP)
		gfp = scope_gfp(gfp);
	if (!(gfp & __GFP_DIRECT_RECLAIM)) {
		if (PORT_SLOB_STEP && (gfp & __GFP_NOFAIL))
			gfp_refuse_nofail();
		return reclaim_fails();
	}
	if (gfp & __GFP_NORETRY)
		rounds = 1;
	if (attempt >= rounds && !(gfp & __GFP_NOFAIL))
		return reclaim_fails();
	again = !reclaim_is_kept_out() && reclaim_ask(gfp, attempt);
	if (gfp & __GFP_NOFAIL) {
		if (!again)
			port_yield();
		return true;
	}
	return again || reclaim_fails();
}

void register_shrinker(struct shrinker *s)
{
	unsigned long were = guard_enter(&shrinkers.lock);

	s->next = shrinkers.first;
	STORE_RELEASE(shrinkers.first, s);
	guard_leave(&shrinkers.lock, were);
}

void unregister_shrinker(struct shrinker *s)
{
	unsigned long were;

	while (!reclaim_begin())
		port_yield();
	were = guard_enter(&shrinkers.lock); /* others may be registered meanwhile */
	for (struct shrinker **at = &shrinkers.first; *at; at = &(*at)->next) {
		if (*at == s) {
			WRITE_ONCE(*at, s->next);
			break;
		}
	}
	guard_leave(&shrinkers.lock, were);
	reclaim_end();
}

void reclaim_guard(bool take)
{
	if (take)
		lock_acquire_more(&shrinkers.lock);
	else
		lock_release(&shrinkers.lock);
}

void reclaim_forget(void)
{
	shrinkers.running = 0;
}

size_t ashlar_purge(void)
{
	size_t pages = 0;

	if (!PORT_SLOB_STEP)
		return 0;
	pages = pages_offline();
	for (struct zone *z = pages_zones; PORT_GIVES_BACK && z; z = z->next)
		pages += pages_discard(z, 0);
	return pages << PAGE_SHIFT;
}
