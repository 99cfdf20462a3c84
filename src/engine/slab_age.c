/* SPDX-License-Identifier: MIT */
/*
 * slab_age.c - slabs that are tuned, reaped, squeezed, or emptied in random order
 *
 * What    New limits for a node; a tick of the reaper, a squeeze; the order in which random_seq
 *         gives objects out.
 * Why     An attacker who knows which object comes next can place his beside a victim's. Linux
 *         shuffles a new slab once (random_seq); with a bitmap each take can be random, so the
 *         order is not known after a while, either.
 */
#include "base/bits.h"
#include "base/memory.h"
#include "engine/slab_own.h"

/* Less idle memory in a quiet node's slabs is not looked for (E7). */
#define SLAB_QUIET_BYTES ((size_t)16 << 10)

static u64 slab_random_seed;

void slab_set_random(u64 seed)
{
	slab_random_seed = seed;
}

u64 slab_random_start(u32 header_offset)
{
	return slab_random_seed ? slab_random_seed ^ (u64)header_offset << 32 : 0;
}

/* splitmix64. */
static u64 slab_random_mix(u64 z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static u64 slab_random(struct kmem_cache_node *n)
{
	return slab_random_mix(n->random += 0x9e3779b97f4a7c15u);
}

unsigned slab_random_index(const struct kmem_cache_node *n, const struct page *head)
{
	u64 r = slab_random_mix(READ_ONCE(n->random) ^ map_page_pfn(head) * 0x9e3779b97f4a7c15u);

	return (unsigned)(((r >> 32) * n->shape->objects) >> 32);
}

/* The same in random order: from a random bit of a random word on, the next that is set. */
unsigned slab_take_random(struct kmem_cache_node *n, struct page *head, void **end, unsigned count)
{
	const struct shape *s = n->shape;
	char *first = slab_first(s, head);
	unsigned words = slab_words(s);
	unsigned taken = 0;

	for (count = (unsigned)size_min(count, s->objects - head->inuse); taken < count; taken++) {
		u64 r = slab_random(n);
		unsigned w = (unsigned)((r >> 32) % words);
		unsigned turn = r % 64;
		unsigned bit;
		u64 *word = slab_word(head, w);

		while (!*word)
			word = slab_word(head, w = w + 1 < words ? w + 1 : 0);
		bit = bits_lowest(*word >> turn | *word << (-turn % 64));
		bit = (bit + turn) % 64;
		*word &= ~((u64)1 << bit);
		*--end = first + (size_t)(w * 64 + bit) * s->stride;
	}
	head->hint = 0;
	head->discarded = 0;
	head->inuse = (u16)(head->inuse + taken);
	n->free_objects -= taken;
	n->taken += taken;
	return taken;
}

/* ---- limits and age -------------------------------------------------------------- */

/* The oldest @count objects of the shared array go into their slabs. */
static void slab_age_shared(struct kmem_cache_node *n, u32 count)
{
	if (count == 0)
		return; /* there may be no array yet */
	slab_put_all(n, n->shared, count);
	n->shared_avail -= count;
	__builtin_memmove(n->shared, n->shared + count, n->shared_avail * sizeof(void *));
}

void slab_set_free_limit(struct kmem_cache_node *n, size_t free_limit)
{
	slab_lock(n);
	n->free_limit = free_limit;
	lock_release(&n->lock);
}

void slab_tune(struct kmem_cache_node *n, u32 shared_limit, size_t free_limit, struct list *emptied)
{
	slab_lock(n);
	n->free_limit = free_limit;
	if (n->shared)
		n->shared_limit = shared_limit;
	if (n->shared_avail > n->shared_limit)
		slab_age_shared(n, n->shared_avail - n->shared_limit);
	while (slab_ready(n) > n->free_limit && n->empty_slabs)
		slab_release(n, emptied);
	lock_release(&n->lock);
}

void slab_reap(struct kmem_cache_node *n, struct list *emptied)
{
	size_t slabs = (n->free_limit + 5 * (size_t)n->shape->objects - 1) /
		       (5 * (size_t)n->shape->objects);
	u32 shared;

	slab_lock(n);
	shared = n->shared_touched ? 0 : (n->shared_limit + 4) / 5;
	if (n->free_touched)
		slabs = 0;
	if (++n->reaps % 2 == 0) {
		if (shared > n->shared_avail)
			shared = (n->shared_avail + 1) / 2;
		slab_age_shared(n, shared);
		for (; slabs && n->empty_slabs; slabs--)
			slab_release(n, emptied);
		n->shared_touched = n->free_touched = false;
	}
	lock_release(&n->lock);
}

void slab_put_home(struct kmem_cache_node *n, void *const *objects, unsigned count)
{
	slab_lock(n);
	slab_put_all(n, objects, count);
	n->put_since += count;
	lock_release(&n->lock);
}

/* E7: nobody took an object out of a slab since the last squeeze, and some came back. */
static bool slab_is_quiet(struct kmem_cache_node *n)
{
	bool quiet = n->taken == n->taken_seen && n->put_since &&
		     slab_ready(n) * n->shape->stride >= SLAB_QUIET_BYTES;

	n->taken_seen = n->taken;
	if (quiet)
		n->put_since = 0;
	return quiet;
}

bool slab_squeeze(struct kmem_cache_node *n, bool all, struct list *emptied)
{
	bool holes;

	slab_lock(n);
	if (all || !n->shared_touched) {
		n->put_since += n->shared_avail;
		slab_put_all(n, n->shared, n->shared_avail);
		n->shared_avail = 0;
	}
	while (n->empty_slabs && (all || !n->free_touched))
		slab_release(n, emptied);
	n->shared_touched = n->free_touched = false;
	holes = slab_has_holes(n) || (!PORT_POPULATES && !all && slab_is_quiet(n));
	lock_release(&n->lock);
	return holes;
}

bool slab_rests(struct kmem_cache_node *n)
{
	bool rests;

	slab_lock(n);
	rests = slab_holes_due(n) || slab_is_quiet(n);
	lock_release(&n->lock);
	return rests;
}
