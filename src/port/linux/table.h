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

/* CPU i is at [i + 2]: -2 and -1 are what a thread without rseq shows. */
struct percpu_table {
	void *free[PORT_MAX_CPUS + 2]; /* the region: exchanged by who stops the CPU (S5) */
	void *alloc[PORT_MAX_CPUS +
		    2]; /* region + 16 * the CPU's node: changed by the owner only */
};

extern struct percpu_table port_percpu_table __attribute__((visibility("hidden")));

/* What port_percpu_own gives to the sequences instead of a region. */
extern void *port_percpu_dummy __attribute__((visibility("hidden")));

#endif
