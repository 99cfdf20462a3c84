/* SPDX-License-Identifier: MIT */
/*
 * checked.h - a lock of the kernel's own for Ashlar (src/port/host_lock.h): it knows its holder
 *
 * What    Test and test-and-set. lock.elf has it: -DASHLAR_HOST_LOCK='"lock/checked.h"'. Who takes
 *         it twice, releases what he does not hold, or has interrupts on, stops the machine.
 * Why     No fair lock: under emulation a CPU that is next, and does not run, keeps all waiting.
 */
#ifndef ASHLAR_KERNEL_CHECKED_H
#define ASHLAR_KERNEL_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

struct ashlar_host_lock {
	uint32_t holder; /* its CPU and one; 0: it is free */
	uint32_t taken;  /* so many times */
};

void ashlar_host_lock(struct ashlar_host_lock *lock);
bool ashlar_host_trylock(struct ashlar_host_lock *lock);
void ashlar_host_unlock(struct ashlar_host_lock *lock);

#endif
