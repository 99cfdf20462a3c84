/* SPDX-License-Identifier: MIT */
/*
 * linux.h - what the files of the Linux port tell each other
 */
#ifndef ASHLAR_PORT_LINUX_LINUX_H
#define ASHLAR_PORT_LINUX_LINUX_H

#include <stdbool.h>
#include <stddef.h>

/* CPU numbers are below this (the kernel's nr_cpu_ids, rounded up to a word of its masks). */
unsigned linux_machine_cpus(void);

/* How many NUMA nodes this process may have memory of. */
unsigned linux_numa_init(size_t ram_bytes);

/* The number that begins at @s, behind blanks and commas; returns what follows it, NULL iff there
 * is none. */
const char *linux_parse_number(const char *s, unsigned *number);

/* The place of @wanted in a list as the kernel prints it ("0-3,8"), from 0; LINUX_NOT_LISTED. */
#define LINUX_NOT_LISTED 0xffffffffu
unsigned linux_parse_list(const char *s, unsigned wanted);

/* argv as the kernel laid it out, the environment behind it; NULL where that is not known. */
char **linux_arguments(void);

/* The environment as the kernel laid it out: usable before libc has set its own. */
const char *linux_getenv(const char *name);

/* Does the Linux with this release (uname -r) restart sequences on aarch64 as rseq(2) says? */
bool linux_aarch64_rseq_is_trusted(const char *release);

/* What the context of a SIGSEGV's handler says of the access: the instruction (NULL: not known). */
enum linux_access { LINUX_TOUCH, LINUX_READ, LINUX_WRITE };
const void *linux_fault_place(const void *context, enum linux_access *access);

/* Before the first use of a thread's word (task.c). */
void linux_task_init(void);

#endif
