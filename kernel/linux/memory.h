/* SPDX-License-Identifier: MIT */
/*
 * memory.h - objects of mixed sizes: what they take of the machine, the same work for both
 *            allocators
 */
#ifndef ASHLAR_KERNEL_LINUX_MEMORY_H
#define ASHLAR_KERNEL_LINUX_MEMORY_H

#include "host.h"

/* One allocator. */
struct memory_user {
	const char *who;
	void *(*alloc)(size_t bytes); /* NULL without memory */
	void (*free)(const void *object);
	size_t (*held)(void);  /* bytes of the machine that it has for these objects */
	size_t (*spare)(void); /* bytes of these in pages that are free inside the allocator */
	void (*shrink)(void);  /* give back what can be given back */
};

/* Allocate 10,000 objects, 100,000, free seven of eight, rest, free all, rest, shrink; report after
 * each. */
void memory_measure(const struct memory_user *user);

#endif
