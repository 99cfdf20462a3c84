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

/* pages.c, for linux_kernel_close. */
void linux_kernel_release_all(void);

#endif
