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

#define PORT_GIVES_BACK 1      /* port_discard and port_unmap give memory to somebody */
#define PORT_CLOSES_PAGES 1    /* what port_unmap took faults when it is touched */
#define PORT_POPULATES 0       /* a page that is touched gets memory by itself */
#define PORT_LOCKS_SPIN 0      /* a signal handler may have interrupted its holder */
#define PORT_YIELDS (1u << 10) /* port_yield in some milliseconds: some sleep */
#define PORT_GROWS_ATOMIC 0    /* bringing memory online makes system calls */
#define PORT_TABLES_ABSENT 0
#define PORT_GROW_BYTES ((size_t)64 << 20) /* most that comes online at once */
#define PORT_STATE_LEVELS 0u /* tables of states that are there from the start, a bit each */
#define PORT_GUARD_BYTES ((size_t)64 << 10) /* around each table of the page map */
#define PORT_PAGEBLOCKS 0 /* a process: addresses are plenty, and pages go back one by one */

/* The slob engine. */
#define PORT_SLOB_INDEX uint32_t /* numbers of pages */
#define PORT_SLOB_MAX_ORDER 20   /* runs of up to 4 GiB */
#define PORT_SLOB_SHARDS 8       /* locks and lists, a power of two up to 16 */
#define PORT_SLOB_SEARCH 16      /* pages that a search looks at */
#define PORT_SLOB_ALIGN 16       /* of every kmalloc and malloc */
#define PORT_SLOB_STEP 0x40000ul /* bytes that come online at least; 0: regions are given */
#define PORT_ONE_CPU 0           /* 1: a guard keeps interrupts out and is no lock */

/* Where options come from, for reports. */
#define PORT_OPTIONS_NAME "ASHLAR_OPTIONS"

#endif
