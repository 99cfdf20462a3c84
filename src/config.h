/* SPDX-License-Identifier: MIT */
/*
 * config.h - every number that is chosen when Ashlar is built
 *
 * What    One entry each: value, unit, allowed range, reason. What depends on
 *         the home (page size, largest order, CPUs) is in the port's
 *         port_config.h, found through the include path; the rest is here.
 * Rules   Switches are 0 or 1 and used in `if (CONFIG_X)`, so that all code is
 *         always compiled.
 */
#ifndef ASHLAR_CONFIG_H
#define ASHLAR_CONFIG_H

#include "port_config.h" /* PORT_PAGE_SHIFT PORT_MAX_ORDER PORT_MAX_CPUS PORT_MAX_NODES ... */

/* Extra assertions, 0 or 1: for tests; the release build has only CHECKs. */
#ifndef CONFIG_DEBUG
#define CONFIG_DEBUG 0
#endif

/* Steps of the slob engine are counted, 0 or 1: for the test of its bounds. */
#ifndef CONFIG_SLOB_STEPS
#define CONFIG_SLOB_STEPS 0
#endif

#define PAGE_SHIFT ((unsigned)PORT_PAGE_SHIFT)
#define PAGE_SIZE ((size_t)1 << PORT_PAGE_SHIFT) /* bytes */
#define MAX_ORDER ((unsigned)PORT_MAX_ORDER)     /* largest block is 2^MAX_ORDER pages */
#define NR_ORDERS (PORT_MAX_ORDER + 1)

/* One state byte describes this many bytes of address; every stride is a multiple of it. */
#define GRANULE_SHIFT 4u
#define GRANULE_SIZE ((size_t)1 << GRANULE_SHIFT)

/*
 * Ids of (cache, node) pairs, 2..4096: the page map holds id * 16 in 16 bits, so that
 * a free turns a page into a header offset without a shift.
 */
#define CONFIG_MAX_IDS 4096u

/* Largest kmalloc that is served by a cache, bytes; above it, pages. */
#define CONFIG_KMALLOC_MAX_CACHE 32768u

/* Size caches: 16..128 in steps of 16, then four per doubling up to 32 KiB, eight from 1 to 8. */
#define CONFIG_KMALLOC_CLASSES 52u

/* Most objects a batch may have (buffers of this many pointers live on stacks), 8..120. */
#define CONFIG_BATCH_MAX 120u

/* A CPU's page lists hold blocks of order 0 .. this, the orders slabs are made of. */
#define CONFIG_PCP_ORDERS 5u

/*
 * Of a DMA, DMA32 and NORMAL zone, the part that those who could have had higher memory leave
 * alone: what is managed above it over this number, 1 or more (Linux: lowmem_reserve_ratio).
 */
#define CONFIG_LOWMEM_RATIO  \
	{                    \
		256, 256, 32 \
	}

/* Memory comes online in pieces of at least this many bytes, a multiple of 64 pages: these need
 * one page of descriptors, and four of states. 256 KiB, 1 MiB or 4 MiB. */
#define CONFIG_SECTION_SIZE (PAGE_SIZE * 64)

/* New slabs of a cache between two ticks of the reaper, 0 (never) or more. */
#define CONFIG_REAP_SLABS 16u

/* Guarded objects that there may be at one time, unless somebody says how many; fewer where pages
 * are so large that two for each do not fit into 8 MiB. Memory is for those in use. */
#define CONFIG_GUARD_SLOTS 256u

/* Free memory kept for reuse: live/16 plus this many bytes, plus what is learned. */
#ifdef PORT_KEEP_BYTES
#define CONFIG_KEEP_BYTES PORT_KEEP_BYTES
#else
#define CONFIG_KEEP_BYTES ((size_t)4 << 20)
#endif

#endif
