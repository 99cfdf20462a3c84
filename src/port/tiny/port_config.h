/* SPDX-License-Identifier: MIT */
/*
 * port_config.h - the numbers of a small machine: one CPU, no MMU, a few KiB
 *
 * What    For the slob engine only. A firmware chooses its own with -D, and gives the functions
 *         that port.h and page/guard.h name and the linker asks for: port_write, port_abort,
 *         port_yield, port_interrupts_off and _restore, memcpy, memset.
 */
#ifndef ASHLAR_PORT_CONFIG_H
#define ASHLAR_PORT_CONFIG_H

#ifndef PORT_PAGE_SHIFT
#define PORT_PAGE_SHIFT 8 /* pages of 256 bytes; up to 12 */
#endif
#ifndef PORT_SLOB_MAX_ORDER
#define PORT_SLOB_MAX_ORDER 12 /* runs of up to 4,096 pages: 1 MiB of pages of 256 bytes */
#endif
#ifndef PORT_SLOB_SEARCH
#define PORT_SLOB_SEARCH 4 /* pages that a search looks at */
#endif
#ifndef PORT_SLOB_ALIGN
#define PORT_SLOB_ALIGN 8 /* of every kmalloc: what the ABI asks for its largest type */
#endif

#define PORT_SLOB_INDEX uint16_t /* numbers of pages: 65,534 in a region */
#define PORT_SLOB_SHARDS 1
#define PORT_SLOB_STEP 0  /* regions are given: ashlar_heap_add */
#define PORT_LOCKS_SPIN 0 /* there are none */
#define PORT_YIELDS 1u    /* nobody is waited for */
#define PORT_ONE_CPU 1
#define PORT_GIVES_BACK 0 /* there is nobody to give memory to */
#define PORT_POPULATES 0  /* memory has its place */

#define PORT_MAX_ORDER PORT_SLOB_MAX_ORDER
#define PORT_MAX_CPUS 1
#define PORT_MAX_NODES 1
#define PORT_SLAB_ORDER 0
#define PORT_ZERO_PAGES 0 /* memory that is given holds anything */

/* Where options come from, for reports. */
#define PORT_OPTIONS_NAME "options"

#endif
