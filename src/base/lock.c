/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the halves of lock.h that wait
 */
#include "base/lock.h"
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
			return;
		}
		port_irq_restore(irq);
		port_wait(&lock->word, LOCK_WAITED);
	}
}

void lock_signal(struct lock *lock)
{
	port_wake(&lock->word);
}
