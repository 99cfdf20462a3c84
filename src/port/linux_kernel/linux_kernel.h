/* SPDX-License-Identifier: MIT */
/*
 * linux_kernel.h - what the files of the port inside Linux tell each other and the module
 */
#ifndef ASHLAR_PORT_LINUX_KERNEL_H
#define ASHLAR_PORT_LINUX_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* Before anything else: the option string (as ASHLAR_OPTIONS), or NULL. Returns 0, or -ENODEV on
 * a machine where the sequences would not work (more CPUs than PORT_MAX_CPUS, Xen's PV mode). */
int linux_kernel_open(const char *options);

/* At the end: every page that was got goes back to Linux. Nothing may be used afterwards. */
void linux_kernel_close(void);

/* Pages that the port has from Linux now. */
size_t linux_kernel_pages(void);

/* Count @pages more, unless that is above half the machine's memory: false then. And less. */
bool linux_kernel_charge(size_t pages);
void linux_kernel_uncharge(size_t pages);

/* May this context wait for other CPUs' answers? */
bool linux_kernel_may_wait(void);

/* shrinker.c: let Linux ask for pages when it has too few. @spare says how many could be had, @give
 * gives up about so many and returns how many; @tick is called each second.
 * Returns 0, or an error of Linux. Close it first. */
int linux_kernel_shrinker_open(size_t (*spare)(void), size_t (*give)(size_t pages),
			       void (*tick)(void));
void linux_kernel_shrinker_close(void);

/* Pages that Linux has got so, ever; and of the calls of @give those that ran inside an allocation
 * of Ashlar's own, in the same task. */
size_t linux_kernel_shrunk(void);
size_t linux_kernel_nested(void);

/* pages.c: is this task allocating from Linux for Ashlar? A guess: two may share a place. */
bool linux_kernel_is_waiting(void);

/* pages.c, for linux_kernel_close. */
void linux_kernel_release_all(void);

#endif
