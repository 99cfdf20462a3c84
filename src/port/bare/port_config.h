/* SPDX-License-Identifier: MIT */
/*
 * port_config.h - the numbers of a kernel
 *
 * What    Those that a kernel may choose when it is built are guarded: give them with -D.
 */
#ifndef ASHLAR_PORT_CONFIG_H
#define ASHLAR_PORT_CONFIG_H

/* Base page: 12, 14 or 16 (4, 16 or 64 KiB). ashlar/mm.h knows it by the same name. */
#ifndef ASHLAR_PAGE_SHIFT
#define ASHLAR_PAGE_SHIFT 12
#endif
#define PORT_PAGE_SHIFT ASHLAR_PAGE_SHIFT
#if PORT_PAGE_SHIFT != 12 && PORT_PAGE_SHIFT != 14 && PORT_PAGE_SHIFT != 16
#error "a base page is 4, 16 or 64 KiB: -DASHLAR_PAGE_SHIFT=12, 14 or 16"
#endif

/* CPU numbers are below this; a CPU costs some 400 bytes of tables. */
#ifndef PORT_MAX_CPUS
#define PORT_MAX_CPUS 64
#endif

/* NUMA nodes are below this. */
#ifndef PORT_MAX_NODES
#define PORT_MAX_NODES 8
#endif

#define PORT_MAX_ORDER (23 - PORT_PAGE_SHIFT)  /* blocks of at most 8 MiB */
#define PORT_SLAB_ORDER (16 - PORT_PAGE_SHIFT) /* slabs of 64 KiB */
#define PORT_ZERO_PAGES 0                      /* memory has whatever firmware left in it */
#define PORT_GIVES_BACK 0                      /* there is nobody to give it to */
#define PORT_CLOSES_PAGES 0                    /* the direct map: in pages of 2 MiB or more */
#define PORT_LOCKS_SPIN 1                      /* interrupts are off while one is held */
#define PORT_YIELDS (1u << 20)                 /* port_yield in some milliseconds */
#define PORT_GROWS_ATOMIC 1                    /* bringing memory online is a short computation */
#define PORT_TABLES_ABSENT 1                   /* no CPU may know zeros that are replaced */
#define PORT_GROW_BYTES ((size_t)4 << 20)      /* interrupts are off meanwhile */
#define PORT_STATE_LEVELS 3u                   /* all: later there may be no memory for them */
#define PORT_GUARD_BYTES ((size_t)1 << PORT_PAGE_SHIFT)
#ifndef PORT_POPULATES
#define PORT_POPULATES 0 /* all memory is there */
#endif
#ifndef PORT_PAGEBLOCKS
#define PORT_PAGEBLOCKS 8192 /* of 2 MiB, whose types are kept, a byte each: 16 GiB */
#endif

/* The slob engine (src/slob), with pages of 4 KiB. */
#define PORT_SLOB_INDEX uint32_t
#define PORT_SLOB_MAX_ORDER 20   /* runs of up to 4 GiB */
#define PORT_SLOB_SHARDS 8       /* locks and lists, a power of two up to 16 */
#define PORT_SLOB_SEARCH 16      /* pages that a search looks at, with interrupts off */
#define PORT_SLOB_ALIGN 16       /* of every kmalloc */
#define PORT_SLOB_STEP 0x40000ul /* all that is there comes online at the start */
#define PORT_ONE_CPU 0

/* Where options come from, for reports. */
#define PORT_OPTIONS_NAME "boot line"

#endif
