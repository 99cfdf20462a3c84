/* SPDX-License-Identifier: MIT */
/*
 * lock.h - a lock of four bytes
 *
 * What    Free, held, held with waiters, held by who may make no call. Taking a free lock and
 *         releasing one that nobody waits for is one atomic exchange each; a
 *         waiter spins shortly and then sleeps in the port. Where interrupts
 *         allocate, the holder keeps them off (port_irq_save; nothing in a process).
 * Why     Drepper, "Futexes are tricky" (2011), mutex 2. Holders are short
 *         (a batch), so that a spin of about a batch's length often avoids the
 *         sleep; with more threads than CPUs the holder may not be running and
 *         spinning on is a waste.
 * Rules   LK1  word 0: nobody holds it; 1: held; 2: held, someone may sleep; 3: held by who tried
 *         LK2  a thread that waits for a lock holds none (but for the zones' growth lock, under
 *              which a zone's is taken; and fork takes them all). Debug builds count, in the
 *              thread's word, and end the program that breaks it; a home without such words, or one
 *              that keeps few bits, does not count
 *         LK3  who took the lock by lock_try makes no call when he releases it: nobody sleeps for
 *              him, but lets others run until he is done, which is soon
 *         LK4  where interrupts are off while a lock is held (PORT_LOCKS_SPIN), its holder runs on
 *              another CPU and is soon done: who may not sleep may wait for it, unless he asks for
 *              nothing at all (an NMI, which may have interrupted the holder)
 *         LK5  a kernel that supplies its own lock (port/host_lock.h) has that instead of the word
 * See     docs/models.md: the model that spin checks
 */
#ifndef ASHLAR_BASE_LOCK_H
#define ASHLAR_BASE_LOCK_H

#include "ashlar/gfp.h"
#include "base/base.h"
#include "percpu.h"
#include "port/host_lock.h"

enum lock_state { LOCK_FREE, LOCK_HELD, LOCK_WAITED, LOCK_TRIED };

struct lock {
	union {
		struct ashlar_host_lock host; /* LK5: instead; first, so that = { 0 } sets it */
		u32 word;                     /* enum lock_state */
	};
	struct port_irq irq; /* the holder's: what port_irq_save said */
};

void lock_wait(struct lock *lock);   /* the slow half of lock_acquire */
void lock_signal(struct lock *lock); /* the slow half of lock_release */

/* LK2, in debug builds: this thread holds no lock; one more, one less. */
void lock_check_alone(void);
void lock_count(int change);

/* The word of a free lock becomes @state. */
static always_inline bool lock_take_word(struct lock *lock, enum lock_state state)
{
	u32 expected = LOCK_FREE;

	if (PORT_HOST_LOCK)
		return ashlar_host_trylock(&lock->host);
	return __atomic_compare_exchange_n(&lock->word, &expected, state, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/* A free lock becomes @state. */
static inline bool lock_take(struct lock *lock, enum lock_state state)
{
	struct port_irq irq = port_irq_save();

	if (unlikely(!lock_take_word(lock, state))) {
		port_irq_restore(irq);
		return false;
	}
	lock->irq = irq;
	if (CONFIG_DEBUG)
		lock_count(1);
	return true;
}

/* For who may not wait, in any context; neither this nor the release makes a call (LK3). */
static inline bool lock_try(struct lock *lock)
{
	return lock_take(lock, LOCK_TRIED);
}

/* May a request with @gfp wait for a lock? Else it tries (LK4). */
static inline bool lock_may_wait(gfp_t gfp)
{
	gfp_t least = PORT_LOCKS_SPIN ? __GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM :
					__GFP_DIRECT_RECLAIM;

	return gfp & least;
}

/* lock_try where the holder keeps what port_irq_save said himself, until lock_release_here: for a
 * few instructions in one function. */
static always_inline bool lock_try_here(struct lock *lock, struct port_irq *irq)
{
	*irq = port_irq_save();
	if (unlikely(!lock_take_word(lock, LOCK_TRIED))) {
		port_irq_restore(*irq);
		return false;
	}
	if (CONFIG_DEBUG)
		lock_count(1);
	return true;
}

static always_inline void lock_release_here(struct lock *lock, struct port_irq irq)
{
	if (CONFIG_DEBUG)
		lock_count(-1);
	if (PORT_HOST_LOCK)
		ashlar_host_unlock(&lock->host);
	else
		STORE_RELEASE(lock->word, LOCK_FREE); /* LK3: it is still LOCK_TRIED */
	port_irq_restore(irq);
}

/* For who takes several, in their order: fork, and the slob engine with its growth lock. */
static inline void lock_acquire_more(struct lock *lock)
{
	if (unlikely(!lock_take(lock, LOCK_HELD)))
		lock_wait(lock);
}

static inline void lock_acquire(struct lock *lock)
{
	if (CONFIG_DEBUG)
		lock_check_alone();
	lock_acquire_more(lock);
}

/* The lock for a request: false iff it is held and @gfp may not wait for it. */
static inline bool lock_acquire_for(struct lock *lock, gfp_t gfp)
{
	if (!lock_may_wait(gfp))
		return lock_try(lock);
	lock_acquire(lock);
	return true;
}

/* The one lock under which others may be taken, one at a time: it is not counted while held. */
static inline void lock_acquire_outer(struct lock *lock)
{
	lock_acquire(lock);
	if (CONFIG_DEBUG)
		lock_count(-1);
}

static inline void lock_release(struct lock *lock)
{
	struct port_irq irq = lock->irq;

	if (CONFIG_DEBUG)
		lock_count(-1);
	if (PORT_HOST_LOCK)
		ashlar_host_unlock(&lock->host);
	else if (unlikely(__atomic_exchange_n(&lock->word, LOCK_FREE, __ATOMIC_RELEASE) ==
			  LOCK_WAITED))
		lock_signal(lock);
	port_irq_restore(irq);
}

static inline void lock_release_outer(struct lock *lock)
{
	if (CONFIG_DEBUG)
		lock_count(1);
	lock_release(lock);
}

#endif
