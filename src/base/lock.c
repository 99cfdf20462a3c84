/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the halves of lock.h that wait
 */
#include "base/lock.h"
#include "base/check.h"
#include "port/port.h"

/* Turns of the spin, each with a pause: about the time a batch takes under the lock. */
#define LOCK_SPINS 40u

void lock_wait(struct lock *lock)
{
	for (unsigned i = 0; i < LOCK_SPINS; i++) {
		port_relax();
		if (READ_ONCE(lock->word) == LOCK_FREE && lock_try(lock))
			return;
	}
	for (;;) {
		struct port_irq irq = port_irq_save();

		if (__atomic_exchange_n(&lock->word, LOCK_WAITED, __ATOMIC_ACQUIRE) == LOCK_FREE) {
			lock->irq = irq;
			if (CONFIG_DEBUG)
				lock_count(1);
			return;
		}
		port_irq_restore(irq);
		port_wait(&lock->word, LOCK_WAITED);
	}
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
