/* SPDX-License-Identifier: MIT */
/*
 * port_config.h - the numbers of a module inside Linux
 */
#ifndef ASHLAR_PORT_CONFIG_H
#define ASHLAR_PORT_CONFIG_H

#define PORT_PAGE_SHIFT 12  /* 4 KiB, the pages of x86-64 */
#define PORT_MAX_ORDER 11   /* blocks of at most 8 MiB */
#define PORT_MAX_CPUS 512   /* more are refused when the module is loaded */
#define PORT_MAX_NODES 8    /* one is used: Linux places the pages */
#define PORT_SLAB_ORDER 4   /* slabs of 64 KiB */
#define PORT_ZERO_PAGES 0   /* zeros take 512 instructions a page: who needs them says so */
#define PORT_GIVES_BACK 1   /* to Linux */
#define PORT_CLOSES_PAGES 0 /* the direct map is Linux's */
#define PORT_POPULATES 1    /* no fault brings memory in a kernel */
#define PORT_KEEP_BYTES ((size_t)1 << 20) /* Linux has pages for the asking */
#define PORT_LOCKS_SPIN 0                 /* interrupts are on while one is held (percpu.h) */
#define PORT_YIELDS (1u << 20)            /* port_yield in some milliseconds */
#define PORT_GROWS_ATOMIC 0               /* bringing memory online may sleep */
#define PORT_TABLES_ABSENT 0
#define PORT_GROW_BYTES ((size_t)4 << 20)   /* most that comes online at once */
#define PORT_GUARD_BYTES ((size_t)64 << 10) /* around each table of the page map */
#define PORT_PAGEBLOCKS 0                   /* Linux has placed the pages */
#define PORT_STATE_LEVELS 3u                /* all: later it may be no time to wait for them */

/* Where options come from, for reports. */
#define PORT_OPTIONS_NAME "module options"

#endif
