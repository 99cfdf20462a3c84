/* SPDX-License-Identifier: MIT */
/*
 * port_config.h - the numbers of the simulated machine that unit tests run on
 *
 * The same as a process has, but fewer CPUs: what differs is tested apart.
 */
#ifndef ASHLAR_PORT_CONFIG_H
#define ASHLAR_PORT_CONFIG_H

#define PORT_PAGE_SHIFT 12
#define PORT_MAX_ORDER 11
#define PORT_MAX_CPUS 64
#define PORT_MAX_NODES 8
#define PORT_SLAB_ORDER 4
#define PORT_ZERO_PAGES 1

#define PORT_GIVES_BACK 1
#define PORT_GROWS_ATOMIC 0
#define PORT_GROW_BYTES ((size_t)64 << 20)
#define PORT_GUARD_BYTES ((size_t)64 << 10)

#endif
