/* SPDX-License-Identifier: MIT */
/*
 * rcu.c - frees that wait for readers
 *
 * What    What shall be freed is collected in a batch. One batch at a time waits for its grace
 *         period, and the next one collects meanwhile; when the first is freed, the second
 *         begins to wait.
 * Why     No timer and no thread of ours: the first free begins a grace period at once, and under
 *         load a batch is as large as what is freed during one. At most two grace periods
 *         pass until an object is free.
 * State   rcu, under its lock
 * Rules   R1  a batch is freed only after a grace period that began when it was complete
 *         R2  an object that waits is nobody's: it is held (hold.h)
 *         R3  the bound functions are called without locks
 *         R4  `flying` counts batches begun, `landed` those freed; at most one apart
 */
#include "cache/rcu.h"
#include "base/check.h"
#include "base/lock.h"
#include "cache/grace.h"
#include "cache/hold.h"
#include "cache/kmalloc.h"
#include "cache/report.h"
#include "port/port.h"

#define RCU_EINVAL (-22)
#define RCU_EBUSY (-16)

/* One block that waits: two words in it, or a box of our own. */
struct rcu_wait {
	struct rcu_wait *next;
	void *block;
};

STATIC_ASSERT(sizeof(struct rcu_wait) == sizeof(struct ashlar_rcu_head),
	      "two words in the object are enough");

struct rcu_batch {
	struct rcu_wait *inside; /* last added first; the words lie in the blocks */
	struct rcu_wait *boxes;  /* likewise; the words are boxes, to be freed, too */
	struct list slabs;       /* what the engine has put there (grace.h) */
	size_t count;
};

static struct {
	struct lock lock;
	const struct ashlar_rcu_ops *ops; /* NULL until bound, then constant */
	struct rcu_batch next;            /* collects */
	struct rcu_batch waiting;         /* R1; of the callback alone */
	struct ashlar_rcu_head head;      /* what the bound RCU has of `waiting` */
	u64 flying;                       /* R4 */
	u64 landed;
} rcu;

/* ---- batches ----------------------------------------------------------------------- */

static void rcu_batch_init(struct rcu_batch *b)
{
	b->inside = NULL;
	b->boxes = NULL;
	b->count = 0;
	list_init(&b->slabs);
}

/* Under the lock: if nothing waits, what was collected begins to. true: tell the RCU. */
static bool rcu_begin(void)
{
	if (rcu.flying != rcu.landed || rcu.next.count == 0)
		return false;
	rcu.waiting.inside = rcu.next.inside;
	rcu.waiting.boxes = rcu.next.boxes;
	rcu.waiting.count = rcu.next.count;
	list_splice_tail(&rcu.waiting.slabs, &rcu.next.slabs);
	rcu_batch_init(&rcu.next);
	rcu.flying++;
	return true;
}

static void rcu_free_blocks(struct rcu_wait *w, bool boxed)
{
	while (w) {
		struct rcu_wait *next = w->next;

		grace_end(w->block); /* and w with it */
		if (boxed)
			kfree(w);
		w = next;
	}
}

/* The grace period of `waiting` is over. */
static void rcu_land(struct ashlar_rcu_head *head)
{
	bool begun;

	rcu_free_blocks(rcu.waiting.inside, false);
	rcu_free_blocks(rcu.waiting.boxes, true);
	grace_free(&rcu.waiting.slabs);
	lock_acquire(&rcu.lock);
	rcu_batch_init(&rcu.waiting);
	rcu.landed++;
	begun = rcu_begin();
	lock_release(&rcu.lock);
	if (begun)
		rcu.ops->call(head, rcu_land); /* R3 */
}

/* Something was added; the lock is held, and released here. */
static void rcu_added(void)
{
	bool begun;

	rcu.next.count++;
	begun = rcu_begin();
	lock_release(&rcu.lock);
	if (begun)
		rcu.ops->call(&rcu.head, rcu_land);
}

/* ---- what can wait ------------------------------------------------------------------- */

bool rcu_is_bound(void)
{
	return LOAD_ACQUIRE(rcu.ops) != NULL;
}

void rcu_hold_pages(struct list *link)
{
	lock_acquire(&rcu.lock);
	list_add_tail(&rcu.next.slabs, link);
	rcu_added();
}

/* R2; a block that is free, or waits already, is reported. A mapping is looked at when it is
 * freed. */
static void rcu_mark(void *p)
{
	CHECK(rcu_is_bound(), "kfree_rcu needs an RCU: call ashlar_rcu_bind first");
	if (hold(p) != HOLD_DONE)
		report_pointer("kfree_rcu", p);
}

void rcu_hold_block(void *room, void *p)
{
	struct rcu_wait *w = room;

	lock_acquire(&rcu.lock);
	w->block = p;
	w->next = rcu.next.inside;
	rcu.next.inside = w;
	rcu_added();
}

void ashlar_kvfree_call_rcu(void *head, void *p)
{
	rcu_mark(p);
	rcu_hold_block(head, p);
}

void kvfree_rcu_mightsleep(void *p)
{
	struct rcu_wait *w;

	if (ZERO_OR_NULL_PTR(p))
		return;
	rcu_mark(p);
	w = kmalloc(sizeof(*w), GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!w) {
		rcu.ops->synchronize();
		grace_end(p);
		return;
	}
	lock_acquire(&rcu.lock);
	w->block = p;
	w->next = rcu.next.boxes;
	rcu.next.boxes = w;
	rcu_added();
}

size_t ashlar_rcu_pending(void)
{
	size_t count;

	lock_acquire(&rcu.lock);
	count = rcu.next.count + rcu.waiting.count;
	lock_release(&rcu.lock);
	return count;
}

void ashlar_rcu_barrier(void)
{
	u64 landed;
	u64 wanted;

	lock_acquire(&rcu.lock);
	landed = rcu.landed;
	wanted = rcu.flying + (rcu.next.count != 0);
	lock_release(&rcu.lock);
	while (landed < wanted) {
		rcu.ops->barrier();
		lock_acquire(&rcu.lock);
		landed = rcu.landed;
		lock_release(&rcu.lock);
	}
}

/* ---- the bound RCU --------------------------------------------------------------------- */

int ashlar_rcu_bind(const struct ashlar_rcu_ops *ops)
{
	int error = 0;

	if (!ops || !ops->read_lock || !ops->read_unlock || !ops->call || !ops->synchronize ||
	    !ops->barrier)
		return RCU_EINVAL;
	lock_acquire(&rcu.lock);
	if (rcu.ops && rcu.ops != ops) {
		error = RCU_EBUSY;
	} else if (!rcu.ops) {
		rcu_batch_init(&rcu.next);
		rcu_batch_init(&rcu.waiting);
		STORE_RELEASE(rcu.ops, ops);
	}
	lock_release(&rcu.lock);
	return error;
}

void ashlar_rcu_read_lock(void)
{
	CHECK(rcu_is_bound(), "readers need an RCU: call ashlar_rcu_bind first");
	rcu.ops->read_lock();
}

void ashlar_rcu_read_unlock(void)
{
	CHECK(rcu_is_bound(), "readers need an RCU: call ashlar_rcu_bind first");
	rcu.ops->read_unlock();
}

void rcu_lock_all(void)
{
	lock_acquire_more(&rcu.lock);
}

void rcu_unlock_all(void)
{
	lock_release(&rcu.lock);
}
