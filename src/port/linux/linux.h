/* SPDX-License-Identifier: MIT */
/*
 * linux.h - what the files of the Linux port tell each other
 */
#ifndef ASHLAR_PORT_LINUX_LINUX_H
#define ASHLAR_PORT_LINUX_LINUX_H

#include <stdbool.h>

/* CPU numbers are below this (the kernel's nr_cpu_ids, rounded up to a word of its masks). */
unsigned linux_machine_cpus(void);

/* The environment as the kernel laid it out: usable before libc has set its own. */
const char *linux_getenv(const char *name);

/* Does the Linux with this release (uname -r) restart sequences on aarch64 as rseq(2) says? */
bool linux_aarch64_rseq_is_trusted(const char *release);

#endif
