/* SPDX-License-Identifier: MIT */
/*
 * checked.c - see checked.h
 */
#include "checked.h"
#include "ashlar/bare.h"
#include "lock.h"
#include "machine.h"

struct lock_count lock_count_all;

static uint32_t checked_me(void)
{
	if (bare_irqs_on())
		panic("HL2: a lock with interrupts on");
	return this_cpu()->number + 1;
}

static void checked_add(unsigned *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

bool ashlar_host_trylock(struct ashlar_host_lock *lock)
{
	uint32_t me = checked_me();
	uint32_t expected = 0;

	if (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) ||
	    !__atomic_compare_exchange_n(&lock->holder, &expected, me, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	lock->taken++;
	checked_add(&lock_count_all.taken);
	return true;
}

void ashlar_host_lock(struct ashlar_host_lock *lock)
{
	if (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == checked_me())
		panic("a lock is waited for by its holder");
	if (ashlar_host_trylock(lock))
		return;
	checked_add(&lock_count_all.waited);
	while (!ashlar_host_trylock(lock)) {
		ashlar_interrupted(); /* HL3 */
		arch_relax();
	}
}

void ashlar_host_unlock(struct ashlar_host_lock *lock)
{
	if (lock->holder != checked_me())
		panic("a lock is released by who does not hold it");
	checked_add(&lock_count_all.released);
	__atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
}
