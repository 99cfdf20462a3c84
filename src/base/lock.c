/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the halves of lock.h that wait
 */
#include "base/lock.h"
#include "base/check.h"
#include "port/port.h"

/* Turns of the spin, each with a pause: about the time a batch takes under the lock. */
#define LOCK_SPINS 40u

/* One turn of who waits: the lock becomes his, or he marks it and sleeps. LK3: a lock that somebody
 * has tried for is not marked, for he would not look. Where its holder runs, and who waits may be
 * an interrupt handler, no other thread is asked for (LK4). */
static bool lock_turn(struct lock *lock)
{
	struct port_irq irq = port_irq_save();
	u32 seen = READ_ONCE(lock->word);

	if (seen != LOCK_TRIED &&
	    __atomic_compare_exchange_n(&lock->word, &seen, LOCK_WAITED, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED) &&
	    seen == LOCK_FREE) {
		lock->irq = irq;
		if (CONFIG_DEBUG)
			lock_count(1);
		return true;
	}
	port_irq_restore(irq);
	if (seen == LOCK_TRIED && !PORT_LOCKS_SPIN)
		port_yield();
	else if (seen != LOCK_FREE)
		/* Not for long, if it is no more; for who tries this is no sleep (LK4). */
		port_wait(&lock->word, seen == LOCK_TRIED ? LOCK_TRIED : LOCK_WAITED);
	return false;
}

/* LK5: how to wait is the kernel's matter. */
static void lock_wait_host(struct lock *lock)
{
	struct port_irq irq = port_irq_save();

	ashlar_host_lock(&lock->host);
	lock->irq = irq;
	if (CONFIG_DEBUG)
		lock_count(1);
}

void lock_wait(struct lock *lock)
{
	if (PORT_HOST_LOCK) {
		lock_wait_host(lock);
		return;
	}
	for (unsigned i = 0; i < LOCK_SPINS; i++) {
		port_relax();
		if (READ_ONCE(lock->word) == LOCK_FREE && lock_take(lock, LOCK_HELD))
			return;
	}
	while (!lock_turn(lock))
		continue;
}

/* The bits of a thread's word that count its locks: above those of its scopes (cache/scope.h). */
#define LOCK_ONE ((uintptr_t)PORT_TASK_KEPT + 1)

void lock_check_alone(void)
{
	if (!CONFIG_DEBUG)
		return;
	CHECK(port_task_word() < LOCK_ONE, "LK2: a thread that waits for a lock holds no other");
}

void lock_count(int change)
{
	uintptr_t word = CONFIG_DEBUG ? port_task_word() : 0;

	if (!CONFIG_DEBUG)
		return;
	if (change > 0)
		port_task_set(word + LOCK_ONE);
	else if (word >= LOCK_ONE) /* else it was counted nowhere */
		port_task_set(word - LOCK_ONE);
}

void lock_signal(struct lock *lock)
{
	port_wake(&lock->word);
}
