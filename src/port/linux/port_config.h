/* SPDX-License-Identifier: MIT */
/*
 * port_config.h - the numbers of a Linux process
 */
#ifndef ASHLAR_PORT_CONFIG_H
#define ASHLAR_PORT_CONFIG_H

#define PORT_PAGE_SHIFT 12 /* 4 KiB base pages, whatever the kernel's page size */
#define PORT_MAX_ORDER 11  /* 8 MiB: above it a mapping of its own */
#define PORT_MAX_CPUS 8192 /* the largest CONFIG_NR_CPUS that distributions build */
#define PORT_MAX_NODES 8   /* NUMA nodes told apart; further ones share the last */
#define PORT_SLAB_ORDER 4  /* slabs of 64 KiB: untouched pages of one cost nothing here */
#define PORT_ZERO_PAGES 1  /* memory that comes online reads as zero */

#define PORT_GIVES_BACK 1                  /* port_discard and port_unmap give memory to somebody */
#define PORT_GROWS_ATOMIC 0                /* bringing memory online makes system calls */
#define PORT_GROW_BYTES ((size_t)64 << 20) /* most that comes online at once */
#define PORT_GUARD_BYTES ((size_t)64 << 10) /* around each table of the page map */

#endif
