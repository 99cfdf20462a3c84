/* SPDX-License-Identifier: MIT */
/*
 * linux.h - what the files of the Linux port tell each other
 */
#ifndef ASHLAR_PORT_LINUX_LINUX_H
#define ASHLAR_PORT_LINUX_LINUX_H

/* CPU numbers are below this (the kernel's nr_cpu_ids, rounded up to a word of its masks). */
unsigned linux_machine_cpus(void);

/* The environment as the kernel laid it out: usable before libc has set its own. */
const char *linux_getenv(const char *name);

#endif
