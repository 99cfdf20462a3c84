/* SPDX-License-Identifier: MIT */
/*
 * bare.h - what the files of the bare port tell each other
 */
#ifndef ASHLAR_PORT_BARE_BARE_H
#define ASHLAR_PORT_BARE_BARE_H

#include "ashlar/bare.h"
#include "port/bare/memblock.h"

#define BARE_PAGE ((uint64_t)1 << PORT_PAGE_SHIFT)

/* The kernel's answers of ashlar_boot_start. */
extern struct ashlar_boot bare_boot;

/* The boot map, and where the arena is. */
extern struct bare bare;

/* Check the kernel's answers and fix the arena: the first half of ashlar_boot_start. */
bool bare_start(const struct ashlar_boot *boot);

/* Answer what other CPUs have asked of this one (percpu.c). Any context but NMI. */
void bare_answer(void);

/* A lock of the port's own, for the boot map: interrupts off, test and set. Never the kernel's
 * (port/host_lock.h): it is taken before CPUs have their blocks. */
struct bare_lock {
	uint32_t word;
};
struct bare {
	struct bare_lock lock;
	struct memblock map;
	uint64_t low;   /* physical: where the arena begins */
	uint64_t high;  /* one past its end */
	uint64_t bytes; /* of memory in it */
};
uintptr_t bare_lock(struct bare_lock *lock);
void bare_unlock(struct bare_lock *lock, uintptr_t irq);

#endif
