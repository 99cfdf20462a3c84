/* SPDX-License-Identifier: MIT */
/*
 * lock.h - what the kernel's own lock has been asked for
 */
#ifndef ASHLAR_KERNEL_LOCK_H
#define ASHLAR_KERNEL_LOCK_H

struct lock_count {
	unsigned taken;
	unsigned waited; /* taken by who had to wait */
	unsigned released;
};
extern struct lock_count lock_count_all;

#endif
