/* SPDX-License-Identifier: MIT */
/*
 * table.h - what a sequence loads: where the rseq area is, and the CPUs' regions
 */
#ifndef ASHLAR_PORT_LINUX_TABLE_H
#define ASHLAR_PORT_LINUX_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port_config.h"

/* Distance of the rseq area from the thread pointer; 0: sequences must not run. */
extern ptrdiff_t port_rseq_offset __attribute__((visibility("hidden")));

/* The region of CPU i is table[i + 2]: -2 and -1 are what a thread without rseq shows. */
extern void *port_percpu_table[PORT_MAX_CPUS + 2] __attribute__((visibility("hidden")));

/* What port_percpu_own gives to the sequences instead of a region. */
extern void *port_percpu_dummy __attribute__((visibility("hidden")));

#endif
