/* SPDX-License-Identifier: MIT */
/*
 * port_config.h - the numbers of the simulated machine that unit tests run on
 *
 * The same as a process has, but fewer CPUs: what differs is tested apart.
 */
#ifndef ASHLAR_PORT_CONFIG_H
#define ASHLAR_PORT_CONFIG_H

#ifndef ASHLAR_PAGE_SHIFT
#define ASHLAR_PAGE_SHIFT 12 /* 14 and 16 are built, too */
#endif
#define PORT_PAGE_SHIFT ASHLAR_PAGE_SHIFT
#define PORT_MAX_ORDER (23 - PORT_PAGE_SHIFT) /* 8 MiB */
#define PORT_MAX_CPUS 64
#define PORT_MAX_NODES 8
#define PORT_SLAB_ORDER (16 - PORT_PAGE_SHIFT)
#define PORT_ZERO_PAGES 1

#define PORT_GIVES_BACK 1
#ifndef PORT_CLOSES_PAGES
#define PORT_CLOSES_PAGES 1 /* as in a process; meson.build has the same core without */
#endif
#ifndef PORT_POPULATES
#define PORT_POPULATES 0 /* as in a process; test/meson.build has the same core with it */
#endif
#define PORT_LOCKS_SPIN 0 /* as in a process */
#define PORT_YIELDS (1u << 10)
#define PORT_GROWS_ATOMIC 0
#define PORT_TABLES_ABSENT 0
#define PORT_GROW_BYTES ((size_t)64 << 20)
#define PORT_STATE_LEVELS 0u
#define PORT_GUARD_BYTES ((size_t)64 << 10)
#ifndef PORT_PAGEBLOCKS
#define PORT_PAGEBLOCKS 0 /* as in a process; test/meson.build has the same core with them */
#endif

/* The slob engine. */
#define PORT_SLOB_INDEX uint32_t /* numbers of pages */
#define PORT_SLOB_MAX_ORDER 20   /* runs of up to 4 GiB */
#define PORT_SLOB_SHARDS 4       /* locks and lists, a power of two up to 16 */
#define PORT_SLOB_SEARCH 16      /* pages that a search looks at */
#define PORT_SLOB_ALIGN 16       /* of every kmalloc and malloc */
#define PORT_SLOB_STEP 0x40000ul /* bytes that come online at least; 0: regions are given */
#define PORT_ONE_CPU 0           /* 1: a guard keeps interrupts out and is no lock */

/* Where options come from, for reports. */
#define PORT_OPTIONS_NAME "ASHLAR_OPTIONS"

#endif
