/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c - when memory goes back, and what happens when there is none (slob)
 *
 * Rules   R1 after a free, dirty free pages are at most live/16 + keep, or the call has discarded
 *            down to seven eighths of that
 *         R3 shrinkers run in one thread at a time, and not within each other; who finds another
 *            thread at it waits until that is done, for some milliseconds at most and once for each
 *            time that they run, and tries again; a request tries once more even where nothing was
 *            freed, for another thread's may have freed since it looked
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
	u32 running;  /* atomic: the thread that runs shrinkers (R3), or 0 */
	u32 ended;    /* how often that has ended */
	u32 vain;     /* the run that was waited for in vain: ended will be this */
	bool forking; /* who forks runs them: its child goes on with them */
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
static size_t reclaim_ask(gfp_t gfp)
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

/* 0: this thread runs them from now on; else another one does. */
static u32 reclaim_begin(void)
{
	unsigned long were = guard_enter(&shrinkers.lock);
	u32 runs = shrinkers.running;

	if (PORT_ONE_CPU || !runs)
		shrinkers.running = PORT_ONE_CPU ? 1 : port_thread();
	guard_leave(&shrinkers.lock, were);
	return runs;
}

/* The lock is held. */
static void reclaim_end_held(void)
{
	if (!PORT_ONE_CPU)
		shrinkers.ended++;
	shrinkers.running = 0;
}

static void reclaim_end(void)
{
	unsigned long were;

	if (PORT_ONE_CPU) {
		WRITE_ONCE(shrinkers.running, 0);
		return;
	}
	were = guard_enter(&shrinkers.lock);
	reclaim_end_held();
	guard_leave(&shrinkers.lock, were);
}

/* R3: @runs, another thread, frees for all. Returns whether it has ended after the @seen-th. */
static bool reclaim_await(u32 runs, u32 seen)
{
	if (PORT_ONE_CPU || runs == port_thread())
		return false;
	for (unsigned turn = 0; turn < PORT_YIELDS; turn++) {
		if (READ_ONCE(shrinkers.ended) != seen)
			return true;
		if (READ_ONCE(shrinkers.vain) == seen + 1)
			return false; /* or each of many requests would lose that time */
		port_yield();
	}
	WRITE_ONCE(shrinkers.vain, seen + 1);
	return false;
}

/* R3. Returns what was freed; 1 if another thread did it. */
static size_t reclaim_shrink(gfp_t gfp, unsigned attempt)
{
	u32 seen = PORT_ONE_CPU ? 0 : LOAD_ACQUIRE(shrinkers.ended);
	u32 runs = reclaim_begin();
	size_t freed;

	if (runs)
		return reclaim_await(runs, seen);
	freed = reclaim_ask(gfp);
	if (!freed && !PORT_ONE_CPU)
		freed = attempt == 0 || shrinkers.ended != seen;
	reclaim_end();
	return freed;
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
	size_t freed = 0;

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
	if (__atomic_load_n(&shrinkers.first, __ATOMIC_RELAXED) && !reclaim_is_kept_out())
		freed = reclaim_shrink(gfp, attempt);
	if (gfp & __GFP_NOFAIL) {
		if (!freed)
			port_yield();
		return true;
	}
	return freed != 0 || reclaim_fails();
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

	while (reclaim_begin())
		port_yield();
	were = guard_enter(&shrinkers.lock); /* others may be registered meanwhile */
	for (struct shrinker **at = &shrinkers.first; *at; at = &(*at)->next) {
		if (*at == s) {
			WRITE_ONCE(*at, s->next);
			break;
		}
	}
	reclaim_end_held();
	guard_leave(&shrinkers.lock, were);
}

void reclaim_guard(bool take)
{
	if (!take) {
		lock_release(&shrinkers.lock);
		return;
	}
	lock_acquire_more(&shrinkers.lock);
	shrinkers.forking =
		!PORT_ONE_CPU && shrinkers.running && shrinkers.running == port_thread();
}

/* fork's child: whoever ran them was another thread, or is this one, which has a new number. */
void reclaim_forget(void)
{
	shrinkers.running = !PORT_ONE_CPU && shrinkers.forking ? port_thread() : 0;
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
