/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c - see reclaim.h
 *
 * State   what was learned; the shrinkers, under their lock
 */
#include "cache/reclaim.h"
#include "base/check.h"
#include "base/lock.h"
#include "cache/above.h"
#include "cache/account_object.h"
#include "cache/anchor.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/gfp.h"
#include "cache/grace.h"
#include "cache/init.h"
#include "cache/inspect.h"
#include "cache/large.h"
#include "cache/option.h"
#include "cache/scope.h"
#include "cache/squeeze.h"
#include "port/port.h"

#define RECLAIM_ROUNDS 16u /* of RETRY_MAYFAIL; an ordinary request gets a quarter */
#define RECLAIM_LEARN_BYTES ((size_t)16 << 20) /* what a small heap may learn to keep (R2) */
#define RECLAIM_CHUNK ((size_t)64) /* pages given back at least for a new peak's sake (R5) */
#define RECLAIM_SCAN ((size_t)128) /* objects that a shrinker is asked for in one turn */

static struct {
	struct lock lock; /* guards shrinkers */
	struct shrinker *shrinkers;
	u32 shrinking;         /* atomic: the thread that runs the shrinkers, or 0 (R3) */
	u32 shrunk;            /* how often that has ended */
	u32 vain;              /* the run that was waited for in vain: shrunk will be this */
	bool forking;          /* who forks runs the shrinkers: its child goes on with them */
	size_t learned;        /* pages kept beyond the fixed part (R2) */
	size_t peak;           /* most pages in use or kept, ever */
	size_t seen_refaulted; /* page_stat's, at the last look */
	size_t pressed;    /* pages in use when shrinkers were asked for the soft limit's sake */
	size_t recent;     /* pages discarded lately that were not faulted in again */
	size_t most;       /* pages with memory behind them, ever: in use or free (R5) */
	size_t squeeze_at; /* R6: when most is this */
} reclaim;

/* Figures that other threads change meanwhile need not fit together: no difference wraps. */
static size_t reclaim_less(size_t a, size_t b)
{
	return a - size_min(a, b);
}

/* What the bound speaks of, in pages. */
static size_t reclaim_live(const struct page_stat *s)
{
	return reclaim_less(s->online_pages, s->free_pages + s->pcp_pages) + large_used_pages();
}

static size_t reclaim_keep(const struct page_stat *s)
{
	size_t live = reclaim_live(s);
	size_t keep = live / 16 + (options.keep >> PAGE_SHIFT) + READ_ONCE(reclaim.learned);

	if (options.soft_limit) /* R4 */
		keep = size_min(keep, reclaim_less(options.soft_limit >> PAGE_SHIFT, live));
	return keep;
}

/* R2: pages that came back soon after they had been discarded were discarded too early. */
static void reclaim_learn(const struct page_stat *s)
{
	size_t refaulted = s->refaulted + large_refaulted_pages();
	size_t again = reclaim_less(refaulted, READ_ONCE(reclaim.seen_refaulted));
	size_t footprint = reclaim_live(s) + s->dirty_pages + large_kept_pages();
	size_t peak = size_max(READ_ONCE(reclaim.peak), footprint);
	size_t recent = READ_ONCE(reclaim.recent);
	size_t early = size_min(again, recent);
	size_t most = size_max(peak / 4, size_min(peak, RECLAIM_LEARN_BYTES >> PAGE_SHIFT));

	WRITE_ONCE(reclaim.seen_refaulted, refaulted);
	WRITE_ONCE(reclaim.peak, peak);
	WRITE_ONCE(reclaim.recent, recent - early);
	WRITE_ONCE(reclaim.learned, size_min(READ_ONCE(reclaim.learned) + early, most));
}

/* Free memory is above @keep: bring it an eighth below, so that this is not done at each free. */
static void reclaim_discard(size_t keep)
{
	size_t goal = keep - keep / 8;
	size_t before = large_kept_pages();
	size_t learned;
	size_t gone;

	large_trim(goal / 2);
	gone = reclaim_less(before, large_kept_pages());
	gone += page_discard(reclaim_less(goal, large_kept_pages()));
	learned = READ_ONCE(reclaim.learned);
	WRITE_ONCE(reclaim.learned, learned - learned / 16);
	WRITE_ONCE(reclaim.recent, READ_ONCE(reclaim.recent) / 2 + gone);
}

void reclaim_enforce(void)
{
	struct page_stat s;
	size_t keep;

	page_stat(&s);
	reclaim_learn(&s);
	keep = reclaim_keep(&s);
	if (s.dirty_pages + large_kept_pages() > keep)
		reclaim_discard(keep);
}

/* R6: a page for each id, too, so that many caches are not looked at for little. */
static void reclaim_squeeze(size_t most)
{
	size_t at = READ_ONCE(reclaim.squeeze_at);
	size_t step;

	if (most < at || !init_done())
		return;
	step = size_max(most / 64, size_max(RECLAIM_CHUNK, cache_ids_end()));
	WRITE_ONCE(reclaim.squeeze_at, most + step);
	if (at)
		squeeze_caches(false);
}

/* About @want pages go back: of large blocks that are kept, or of @dirty free ones. Each returns
 * how many went. */
static size_t reclaim_give_kept(size_t want)
{
	size_t kept = large_kept_pages();

	if (!kept || !want)
		return 0;
	large_trim(reclaim_less(kept, want));
	return reclaim_less(kept, large_kept_pages());
}

static size_t reclaim_give_dirty(size_t want, size_t dirty)
{
	return dirty && want ? page_discard(reclaim_less(dirty, want)) : 0;
}

/* R5: @grown pages more than ever have memory behind them: others give theirs. What is given back
 * for this is no mistake of the bound's, and teaches nothing. */
static size_t reclaim_exchange(size_t grown, size_t dirty)
{
	size_t least = options.keep > CONFIG_KEEP_BYTES ? options.keep >> PAGE_SHIFT : 0;
	size_t want = size_max(grown, RECLAIM_CHUNK);
	size_t gone;

	want = size_min(want, reclaim_less(large_kept_pages() + dirty, least));
	gone = reclaim_give_kept(want);
	return gone + reclaim_give_dirty(reclaim_less(want, gone), dirty);
}

static size_t reclaim_footprint(const struct page_stat *s)
{
	return reclaim_less(s->online_pages, s->free_pages) + s->dirty_pages + large_used_pages() +
	       large_kept_pages();
}

void reclaim_look(void)
{
	struct page_stat s;
	size_t now;

	page_stat(&s);
	if (reclaim_footprint(&s) <= READ_ONCE(reclaim.most))
		return;
	reclaim_squeeze(reclaim_footprint(&s));
	page_stat(&s);
	now = reclaim_footprint(&s);
	if (now > READ_ONCE(reclaim.most))
		now -= size_min(now,
				reclaim_exchange(now - READ_ONCE(reclaim.most), s.dirty_pages));
	WRITE_ONCE(reclaim.most, size_max(now, READ_ONCE(reclaim.most)));
}

/* R7: what comes and goes in waves is learned anew with the next one. */
void reclaim_tick(void)
{
	size_t learned = READ_ONCE(reclaim.learned);
	struct page_stat s;

	if (!PORT_GIVES_BACK || !init_done())
		return;
	WRITE_ONCE(reclaim.learned, learned - (learned + 3) / 4);
	squeeze_caches(false);
	if (PORT_POPULATES)
		squeeze_discard(false);
	page_drain();
	reclaim_enforce();
	page_stat(&s);
	if (s.free_pages > 2 * reclaim_live(&s)) /* their tables, too */
		page_offline();
}

size_t reclaim_spare(void)
{
	struct page_stat s;

	if (!init_done())
		return 0;
	page_stat(&s);
	return s.dirty_pages + s.pcp_pages + large_kept_pages() + (squeeze_idle() >> PAGE_SHIFT);
}

size_t reclaim_give(size_t pages)
{
	struct page_stat s;
	size_t done;

	if (!init_done())
		return 0;
	page_stat(&s);
	done = reclaim_give_dirty(pages, s.dirty_pages);
	done += reclaim_give_kept(reclaim_less(pages, done));
	if (done < pages && squeeze_try()) {
		page_drain();
		page_stat(&s);
		done += reclaim_give_dirty(pages - done, s.dirty_pages);
	}
	if (PORT_POPULATES && done < pages)
		done += squeeze_discard(true);
	return done;
}

size_t reclaim_bound(void)
{
	struct page_stat s;

	page_stat(&s);
	return reclaim_keep(&s) << PAGE_SHIFT;
}

void reclaim_release(struct list *emptied)
{
	while (!list_is_empty(emptied)) {
		struct page *head = list_first_entry(emptied, struct page, link);
		const struct kmem_cache_node *n = head->owner;

		list_remove(&head->link);
		if (unlikely(n->cache->debug.flags))
			inspect_slab(n->cache, head);
		slab_unmake(head);
		account_end_slab(head);
		if (slab_absent(n->shape, head))
			page_free_holed(head, slab_absent(n->shape, head));
		else if (!grace_hold(head))
			page_free(head, head->order);
	}
	reclaim_check();
}

/* ---- nothing left ------------------------------------------------------------ */

static bool reclaim_permits(const struct shrinker *s, gfp_t gfp)
{
	gfp_t needs = s->needs ? s->needs : __GFP_FS;

	return (gfp & needs) == needs;
}

/* R3: @runs, another thread, runs the shrinkers, and frees for all: wait until it has ended, which
 * is one more time than @seen. Not without end, for it may want a lock that its program holds here;
 * and once for each run, or each of many requests would lose that time. Returns whether it has. */
static bool reclaim_await(u32 runs, u32 seen)
{
	if (runs == port_thread())
		return false;
	for (unsigned turn = 0; turn < PORT_YIELDS; turn++) {
		if (READ_ONCE(reclaim.shrunk) != seen || !LOAD_ACQUIRE(reclaim.shrinking))
			return true; /* it may have been counted before it was seen */
		if (READ_ONCE(reclaim.vain) == seen + 1)
			return false;
		port_yield();
	}
	WRITE_ONCE(reclaim.vain, seen + 1);
	return false;
}

/* One thread at a time runs shrinkers (R3): one whose scan allocates goes on without, a second
 * thread too unless it may wait. Nobody is unregistered while they run. Returns objects freed; 1 if
 * another thread did it. */
static size_t reclaim_shrinkers(gfp_t gfp, bool may_wait)
{
	u32 seen = LOAD_ACQUIRE(reclaim.shrunk);
	size_t freed = 0;
	u32 runs = 0;

	gfp = scope_gfp(gfp);
	if (!LOAD_ACQUIRE(reclaim.shrinkers) || (scope_now() & SCOPE_NORECLAIM))
		return 0;
	if (!__atomic_compare_exchange_n(&reclaim.shrinking, &runs, port_thread(), false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return may_wait && reclaim_await(runs, seen);
	for (struct shrinker *s = LOAD_ACQUIRE(reclaim.shrinkers); s; s = LOAD_ACQUIRE(s->next))
		if (reclaim_permits(s, gfp) && s->count(s, gfp))
			freed += s->scan(s, gfp, RECLAIM_SCAN);
	if (!freed)
		freed = reclaim.shrunk != seen; /* just before this one */
	WRITE_ONCE(reclaim.shrunk, reclaim.shrunk + 1);
	__atomic_store_n(&reclaim.shrinking, 0, __ATOMIC_RELEASE);
	return freed;
}

/* SC1: nothing is reclaimed; who must not fail waits until others free something. */
static bool reclaim_without(gfp_t gfp)
{
	if (!(gfp & __GFP_NOFAIL) || !(gfp & __GFP_DIRECT_RECLAIM))
		return false;
	port_yield();
	return true;
}

void reclaim_press(gfp_t gfp)
{
	size_t soft = options.soft_limit >> PAGE_SHIFT;
	struct page_stat s;
	size_t live;

	page_stat(&s);
	live = reclaim_live(&s);
	if (live <= soft) {
		WRITE_ONCE(reclaim.pressed, soft);
		return;
	}
	if (live < READ_ONCE(reclaim.pressed) + soft / 64)
		return;
	WRITE_ONCE(reclaim.pressed, live);
	reclaim_shrinkers(gfp, false);
	reclaim_check();
}

static bool reclaim_try(gfp_t gfp, unsigned attempt)
{
	unsigned rounds = RECLAIM_ROUNDS / 4;
	struct page_stat before;
	struct page_stat after;
	size_t freed;

	if (scope_now() & SCOPE_NORECLAIM)
		return reclaim_without(gfp);
	if (!init_done() ||
	    !(gfp & __GFP_DIRECT_RECLAIM)) /* the start itself has nothing to give */
		return false;
	if (gfp & __GFP_RETRY_MAYFAIL)
		rounds = RECLAIM_ROUNDS;
	if (gfp & __GFP_NORETRY)
		rounds = 1;
	if (attempt >= rounds && !(gfp & __GFP_NOFAIL))
		return false;
	page_stat(&before);
	freed = reclaim_shrinkers(gfp, true);
	if (!freed && attempt == 0 && LOAD_ACQUIRE(reclaim.shrinkers))
		freed = 1; /* R3 */
	freed += above_shrink();
	squeeze_caches(true);
	if (PORT_POPULATES)
		freed += squeeze_discard(true);
	freed += large_kept_pages(); /* a mapping may succeed where these were */
	large_trim(0);
	page_drain();
	page_stat(&after);
	if (gfp & __GFP_NOFAIL)
		port_yield();
	return freed || after.free_pages > before.free_pages || (gfp & __GFP_NOFAIL);
}

bool reclaim_retry(gfp_t gfp, unsigned attempt)
{
	bool again = reclaim_try(gfp, attempt);

	if (unlikely(gfp & __GFP_NOFAIL) && !(gfp & __GFP_DIRECT_RECLAIM))
		gfp_refuse_nofail();
	if (!again)
		anchor_event(ASHLAR_EVENT_FAILURE);
	return again;
}

void register_shrinker(struct shrinker *s)
{
	lock_acquire(&reclaim.lock);
	s->next = reclaim.shrinkers;
	STORE_RELEASE(reclaim.shrinkers, s);
	lock_release(&reclaim.lock);
}

void unregister_shrinker(struct shrinker *s)
{
	lock_acquire(&reclaim.lock);
	for (struct shrinker **link = &reclaim.shrinkers; *link; link = &(*link)->next) {
		if (*link == s) {
			STORE_RELEASE(*link, s->next);
			break;
		}
	}
	lock_release(&reclaim.lock);
	while (__atomic_load_n(&reclaim.shrinking, __ATOMIC_ACQUIRE))
		port_yield(); /* who runs them may still be in this one */
}

/* fork's child: whoever ran them was another thread, or is this one, which has a new number. */
void reclaim_forget(void)
{
	__atomic_store_n(&reclaim.shrinking, reclaim.forking ? port_thread() : 0, __ATOMIC_RELEASE);
	squeeze_forget();
}

size_t ashlar_purge(void)
{
	size_t pages;

	if (!init_ready())
		return 0;
	above_shrink();
	squeeze_caches(true);
	page_drain();
	pages = large_kept_pages();
	large_trim(0);
	pages += squeeze_discard(true);
	pages += page_discard(0);
	pages += page_offline();
	return pages << PAGE_SHIFT;
}

void reclaim_answer(void)
{
	if (anchor_take_request() & ASHLAR_REQUEST_TRIM)
		ashlar_purge();
}

void reclaim_lock_all(void)
{
	u32 runs = __atomic_load_n(&reclaim.shrinking, __ATOMIC_RELAXED);

	lock_acquire_more(&reclaim.lock);
	reclaim.forking = runs && runs == port_thread();
}

void reclaim_unlock_all(void)
{
	lock_release(&reclaim.lock);
}
