/* SPDX-License-Identifier: MIT */
/*
 * mm.h - whole pages, in blocks of 2^order
 *
 * What    The kernel's page interface under the kernel's names; link names carry the prefix
 *         ashlar_. A page is 4 KiB (a kernel's as it is built); a block is aligned to its size,
 *         in an arena below 256 MiB to at most 2 MiB.
 * Context Any thread; not signal handlers. With __GFP_DIRECT_RECLAIM it may wait and make
 *         system calls.
 * Source  Linux Documentation/core-api/mm-api.rst
 */
#ifndef ASHLAR_MM_H
#define ASHLAR_MM_H

#include <stddef.h>

#include "ashlar/gfp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The descriptor of a page: opaque. */
struct page;

/* log2 of a page's bytes: 12. A kernel may be built with -DASHLAR_PAGE_SHIFT=14 or 16, everywhere
 * the same. */
#ifndef ASHLAR_PAGE_SHIFT
#define ASHLAR_PAGE_SHIFT 12
#endif

/* Largest order of a block: 8 MiB, 2^11 pages of 4 KiB. */
#define ASHLAR_MAX_ORDER (23 - ASHLAR_PAGE_SHIFT)

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
 * block is reported and ends the program. If others have references (get_page), the block stays:
 * all of it if it was got with __GFP_COMP, else its first page, and the rest is freed. */
ASHLAR_API void ashlar_put_pages(struct page *page, unsigned int order);
ASHLAR_API void ashlar_free_pages(unsigned long address, unsigned int order);

/* A reference to a block of alloc_pages, and its end: the last one that goes frees the block. Any
 * page of a block that was got with __GFP_COMP means the block; else its first page does. What is
 * no page of such a block is reported and ends the program. put_page may give memory back to the
 * system; get_page never waits. */
ASHLAR_API void ashlar_get_page(struct page *page);
ASHLAR_API void ashlar_put_page(struct page *page);

/* References that there are now: 1 after alloc_pages. */
ASHLAR_API int ashlar_page_count(const struct page *page);

/* Single pages, for all entries of @array (of @count) that are NULL, in order. Returns how many
 * entries have a page then: fewer than @count iff memory is exhausted. One lock for many pages.
 * Each is freed by __free_page or put_page. */
ASHLAR_API unsigned long ashlar_alloc_pages_bulk(ashlar_gfp_t gfp, unsigned long count,
						 struct page **array);

/* As many pages as @size bytes need, one behind the other, at most 2^ASHLAR_MAX_ORDER: no power of
 * two is needed. NULL iff @size is 0 or too much, or memory is exhausted. Each page is a block of
 * order 0 with a reference of its own; free_pages_exact takes one of each. __GFP_COMP means nothing
 * here. */
ASHLAR_API void *ashlar_alloc_pages_exact(size_t size, ashlar_gfp_t gfp);
ASHLAR_API void ashlar_free_pages_exact(void *start, size_t size);

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
ASHLAR_API void get_page(struct page *page) ASHLAR_LINK(ashlar_get_page);
ASHLAR_API void put_page(struct page *page) ASHLAR_LINK(ashlar_put_page);
ASHLAR_API int page_count(const struct page *page) ASHLAR_LINK(ashlar_page_count);
ASHLAR_API unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long count, struct page **array)
	ASHLAR_LINK(ashlar_alloc_pages_bulk);
ASHLAR_API void *alloc_pages_exact(size_t size, gfp_t gfp) ASHLAR_LINK(ashlar_alloc_pages_exact);
ASHLAR_API void free_pages_exact(void *start, size_t size) ASHLAR_LINK(ashlar_free_pages_exact);
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
