/* SPDX-License-Identifier: MIT */
/*
 * mm.h - whole pages, in blocks of 2^order
 *
 * What    The kernel's page interface under the kernel's names; link names carry the prefix
 *         ashlar_. A page is 4 KiB; a block is aligned to its size, in an arena below
 *         256 MiB to at most 2 MiB.
 * Context Any thread; not signal handlers. With __GFP_DIRECT_RECLAIM it may wait and make
 *         system calls.
 * Source  Linux Documentation/core-api/mm-api.rst
 */
#ifndef ASHLAR_MM_H
#define ASHLAR_MM_H

#include "ashlar/gfp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The descriptor of a page: opaque. */
struct page;

/* Largest order of a block: 2^11 pages are 8 MiB. */
#define ASHLAR_MAX_ORDER 11

/* A block of 2^@order pages, zeroed with __GFP_ZERO. NULL iff @order is above ASHLAR_MAX_ORDER, the
 * memory asked for is not in this home (DMA), or memory is exhausted. */
ASHLAR_API struct page *ashlar_alloc_pages(ashlar_gfp_t gfp, unsigned int order);

/* The same on NUMA node @node if possible (-1, or a node that there is not: the caller's); with
 * __GFP_THISNODE only there. */
ASHLAR_API struct page *ashlar_alloc_pages_node(int node, ashlar_gfp_t gfp, unsigned int order);

/* The node whose memory a page is. */
ASHLAR_API int ashlar_page_to_nid(const struct page *page);

/* alloc_pages, as an address; 0 where it gives NULL. */
ASHLAR_API unsigned long ashlar_get_free_pages(ashlar_gfp_t gfp, unsigned int order);

/* Give a block back with the order it was got with. NULL and 0 are ignored; what is not such a
 * block is reported and ends the program. */
ASHLAR_API void ashlar_put_pages(struct page *page, unsigned int order);
ASHLAR_API void ashlar_free_pages(unsigned long address, unsigned int order);

/* The address of a block's memory, and the way back. */
ASHLAR_API void *ashlar_page_address(const struct page *page);
ASHLAR_API struct page *ashlar_virt_to_page(const void *address);

#ifndef ASHLAR_NO_SHORT_NAMES
ASHLAR_API struct page *alloc_pages(gfp_t gfp, unsigned int order) ASHLAR_LINK(ashlar_alloc_pages);
ASHLAR_API struct page *alloc_pages_node(int node, gfp_t gfp, unsigned int order)
	ASHLAR_LINK(ashlar_alloc_pages_node);
ASHLAR_API int page_to_nid(const struct page *page) ASHLAR_LINK(ashlar_page_to_nid);
ASHLAR_API unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
	ASHLAR_LINK(ashlar_get_free_pages);
ASHLAR_API void __free_pages(struct page *page, unsigned int order) ASHLAR_LINK(ashlar_put_pages);
ASHLAR_API void free_pages(unsigned long address, unsigned int order)
	ASHLAR_LINK(ashlar_free_pages);
ASHLAR_API void *page_address(const struct page *page) ASHLAR_LINK(ashlar_page_address);
ASHLAR_API struct page *virt_to_page(const void *address) ASHLAR_LINK(ashlar_virt_to_page);

#define alloc_page(gfp) alloc_pages(gfp, 0)
#define __free_page(page) __free_pages(page, 0)
#define __get_free_page(gfp) __get_free_pages(gfp, 0)
#define free_page(address) free_pages(address, 0)
#endif

#ifdef __cplusplus
}
#endif

#endif
