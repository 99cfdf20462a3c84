/* SPDX-License-Identifier: MIT */
/*
 * table.h - where the sequences of a kernel find the arrays of a CPU
 */
#ifndef ASHLAR_PORT_BARE_TABLE_H
#define ASHLAR_PORT_BARE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/array_cache.h"
#include "port/bare/arch.h"
#include "port_config.h"

/* The region of each CPU, or the dummy while somebody owns it. */
extern struct array_cache *port_percpu_table[PORT_MAX_CPUS] __attribute__((visibility("hidden")));

/* The headers of the CPU's own NUMA node in it: what pops index; changed by the owner only. */
extern struct array_cache *port_percpu_alloc[PORT_MAX_CPUS] __attribute__((visibility("hidden")));

#endif
