/* SPDX-License-Identifier: MIT */
/*
 * host_lock.h - the lock that the home supplies, where it has one of its own
 *
 * What    -DASHLAR_HOST_LOCK='"path.h"' names a header of a kernel's that has struct
 *         ashlar_host_lock and the three functions below, inline or not; all locks of Ashlar's are
 *         such ones then but that of the boot map. Without it they are base/lock.h's words.
 * Rules   HL1 a lock of zeros is free; it is never copied, nor destroyed
 *         HL2 interrupts are off on this CPU from before it is asked for until after it is
 *             released: the lock neither sees to that nor turns them on
 *         HL3 ashlar_host_lock calls ashlar_interrupted at each turn that it waits: the holder may
 *             stop CPUs, and wait for this one's answer
 *         HL4 the functions call nothing else of Ashlar, and do not sleep; trylock does not wait,
 *             and may be called in an NMI. One lock is held at a time, but for one outer one
 *             (lock.h, LK2)
 */
#ifndef ASHLAR_PORT_HOST_LOCK_H
#define ASHLAR_PORT_HOST_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#ifdef ASHLAR_HOST_LOCK
#define PORT_HOST_LOCK 1
#include ASHLAR_HOST_LOCK
#else
#define PORT_HOST_LOCK 0

struct ashlar_host_lock {
	uint32_t none;
};

/* Never called: `if (PORT_HOST_LOCK)`. */
static inline void ashlar_host_lock(struct ashlar_host_lock *lock)
{
	(void)lock;
}

static inline bool ashlar_host_trylock(struct ashlar_host_lock *lock)
{
	(void)lock;
	return false;
}

static inline void ashlar_host_unlock(struct ashlar_host_lock *lock)
{
	(void)lock;
}
#endif

#endif
