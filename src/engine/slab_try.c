/* SPDX-License-Identifier: MIT */
/*
 * slab_try.c - a node for those who may not wait: its lock is tried, or work is left for others
 *
 * What    A request without __GFP_DIRECT_RECLAIM, a signal handler, an NMI: each may find the
 *         lock held by the very thread that it interrupts. It goes without, or leaves on the
 *         node's queue what the next holder of the lock does first: a new slab that joins, an
 *         object to put back.
 * Why     Objects hold nothing of ours, so a freed object cannot be linked; its state byte says
 *         that it waits, and its slab, which has room for it in a descriptor, is linked
 *         instead. One slab is swept in one go, however many of its objects wait.
 * Rules   E8 of engine.h. In its order of steps:
 *         Q1  count up, then queue the slab if that was the first, then store PENDING: a slab
 *             with an announced object has a bit that is clear, so it is never empty and stays
 *         Q2  who sweeps takes the whole queue by an exchange, reads a slab's `next` before he
 *             counts down what he has done, and queues it again if anything is left: so each
 *             slab is on the queue once, and a stack of which nobody takes one has no ABA
 *         Q3  a slab joins before any object of it is put: objects are handed out after their
 *             slab was queued, and the queue is swept when the lock is taken
 * See     docs/models.md and test/model/spin/pending.pml
 */
#include "base/check.h"
#include "engine/slab_own.h"

/* Objects of one slab that are put in one go. */
#define SLAB_SWEEP 64u

static void slab_enqueue(struct kmem_cache_node *n, struct page *head, struct page_queue *q)
{
	struct page *first = __atomic_load_n(&n->queue, __ATOMIC_RELAXED);

	do
		q->next = first;
	while (!__atomic_compare_exchange_n(&n->queue, &first, head, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

/* One more thing waits in this slab. */
static void slab_announce(struct kmem_cache_node *n, struct page *head)
{
	struct page_queue *q = slab_queue(n->shape, head);

	if (__atomic_fetch_add(&q->count, 1, __ATOMIC_ACQ_REL) == 0)
		slab_enqueue(n, head, q);
}

void slab_pend(struct kmem_cache_node *n, void *object)
{
	__atomic_fetch_add(&n->pending, 1, __ATOMIC_RELAXED);
	slab_announce(n, slab_head(n->shape, object)); /* Q1 */
	STORE_RELEASE(*map_state_in(n->states, object), STATE_PENDING);
}

/* Put what waits in a slab, at most @most; returns how many. What is announced and not PENDING yet
 * stays for the next time. */
static u32 slab_collect(struct kmem_cache_node *n, struct page *head, u32 most)
{
	const struct shape *s = n->shape;
	char *first = slab_first(s, head);
	void *found[SLAB_SWEEP];
	unsigned held = 0;
	u32 done = 0;

	for (unsigned i = 0; i < s->objects && done < most; i++) {
		char *p = first + (size_t)i * s->stride;
		u8 *state = map_state_in(n->states, p);

		/* Most are others' to write: a look, then what orders. */
		if (READ_ONCE(*state) != STATE_PENDING || LOAD_ACQUIRE(*state) != STATE_PENDING)
			continue;
		WRITE_ONCE(*state, STATE_FREE);
		found[held++] = p;
		done++;
		if (held == SLAB_SWEEP) {
			slab_put_all(n, found, held);
			held = 0;
		}
	}
	if (held)
		slab_put_all(n, found, held);
	__atomic_fetch_sub(&n->pending, done, __ATOMIC_RELAXED);
	n->put_since += done;
	return done;
}

/* Q2 */
noinline void slab_sweep(struct kmem_cache_node *n)
{
	struct page *head = __atomic_exchange_n(&n->queue, NULL, __ATOMIC_ACQUIRE);

	while (head) {
		struct page_queue *q = slab_queue(n->shape, head);
		struct page *next = q->next;
		u32 waiting = LOAD_ACQUIRE(q->count);
		u32 done = head->arriving;

		ASSERT(head->kind == PAGE_SLAB && head->owner == n && waiting);
		if (head->arriving) {
			head->arriving = 0;
			slab_join(n, head); /* Q3 */
		}
		done += slab_collect(n, head, waiting - done);
		if (__atomic_sub_fetch(&q->count, done, __ATOMIC_ACQ_REL) != 0)
			slab_enqueue(n, head, q);
		head = next;
	}
}

/* Nobody is on his way any more with what waits in this slab. */
static void slab_settle_queue(struct kmem_cache_node *n, struct page *head)
{
	struct page_queue *q = slab_queue(n->shape, head);

	if (!q->count)
		return;
	slab_collect(n, head, n->shape->objects);
	q->count = 0;
}

void slab_forget(struct kmem_cache_node *n)
{
	struct page *head;

	slab_sweep(n);
	while ((head = n->queue)) { /* what was counted, and not PENDING yet */
		n->queue = slab_queue(n->shape, head)->next;
		slab_settle_queue(n, head);
	}
	/* Counted, and its slab not queued yet: a full slab is on no list. */
	for (size_t pfn = 0; n->pending && pfn < (map.granules * GRANULE_SIZE) >> PAGE_SHIFT; pfn++)
		if (map_is_known(pfn) && map.pages[pfn].kind == PAGE_SLAB &&
		    map.pages[pfn].owner == n)
			slab_settle_queue(n, &map.pages[pfn]);
	n->pending = 0;
}

unsigned slab_try_take(struct kmem_cache_node *n, void **end, unsigned count)
{
	unsigned taken;

	if (!slab_has_any(n) || !lock_try(&n->lock))
		return 0;
	if (LOAD_ACQUIRE(n->queue))
		slab_sweep(n);
	taken = slab_take_held(n, end, count);
	lock_release(&n->lock);
	return taken;
}

bool slab_try_put(struct kmem_cache_node *n, void *const *objects, unsigned count)
{
	if (!lock_try(&n->lock))
		return false;
	if (LOAD_ACQUIRE(n->queue))
		slab_sweep(n);
	slab_put_held(n, objects, count);
	lock_release(&n->lock);
	return true;
}

unsigned slab_arrive(struct kmem_cache_node *n, struct page *head, void **end, unsigned count)
{
	const struct shape *s = n->shape;
	unsigned from = 0;

	count = (unsigned)size_min(count, s->objects);
	if (READ_ONCE(n->random)) { /* E4: one, and which one cannot be guessed */
		count = 1;
		from = slab_random_index(n, head);
	}
	for (unsigned i = from; i < from + count; i++) {
		*slab_word(head, i / 64) &= ~((u64)1 << (i % 64));
		*--end = slab_first(s, head) + (size_t)i * s->stride;
	}
	head->inuse = (u16)count;
	head->arriving = 1;
	slab_announce(n, head);
	return count;
}
