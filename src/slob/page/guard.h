/* SPDX-License-Identifier: MIT */
/*
 * guard.h - who may work on a list: a lock, or one CPU without interrupts
 *
 * What    With several CPUs a guard is base/lock.h. With one CPU and no threads but interrupts,
 *         it keeps interrupts out; then allocation is legal in an interrupt handler, too.
 * Rules   GU1 one guard at a time; nothing outside (port, constructor, shrinker) is called under
 *             one
 * Also    steps, counted where a build asks for it: the unit of the bounds in ashlar/heap.h
 */
#ifndef ASHLAR_SLOB_GUARD_H
#define ASHLAR_SLOB_GUARD_H

#include "base/lock.h"

/* Of a port with PORT_ONE_CPU: interrupts off, returning how they were; as they were. */
unsigned long port_interrupts_off(void);
void port_interrupts_restore(unsigned long were);

static always_inline unsigned long guard_enter(struct lock *lock)
{
	if (PORT_ONE_CPU)
		return port_interrupts_off();
	lock_acquire_more(lock);
	return 0;
}

static always_inline void guard_leave(struct lock *lock, unsigned long were)
{
	if (PORT_ONE_CPU)
		port_interrupts_restore(were);
	else
		lock_release(lock);
}

/* A count that several guards cover: caches' objects in use. With one CPU it is changed under a
 * guard of its own: a handler that allocates may come between reading and writing. */
static always_inline void guard_add(size_t *count, size_t n)
{
	if (PORT_ONE_CPU) {
		unsigned long were = port_interrupts_off();

		*count += n;
		port_interrupts_restore(were);
	} else {
		__atomic_fetch_add(count, n, __ATOMIC_RELAXED);
	}
}

/* One look at a page, a block or an order's list. */
extern u32 guard_steps internal_data;

static always_inline void guard_step(void)
{
	if (CONFIG_SLOB_STEPS)
		guard_steps++;
}

#endif
