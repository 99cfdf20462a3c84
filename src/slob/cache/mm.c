/* SPDX-License-Identifier: MIT */
/*
 * mm.c - alloc_pages and free_pages on slob's pages (ashlar/mm.h)
 *
 * Rules   MM1 a block that is given back is a run of kind BLOCK, of the order it was got with
 */
#include "ashlar/mm.h"
#include "base/memory.h"
#include "cache/block.h"
#include "cache/gfp.h"
#include "cache/init.h"
#include "cache/near.h"
#include "cache/report.h"

static page_index mm_take(struct zone *z, size_t pages, gfp_t gfp, bool *zero)
{
	page_index i = pages_take(z, pages, pages, zero);

	if (PORT_SLOB_STEP && i == PAGE_NONE && (gfp & __GFP_DIRECT_RECLAIM) &&
	    pages_grow(z, pages, pages))
		i = pages_take(z, pages, pages, zero);
	return i;
}

static struct page *mm_give(struct zone *z, page_index i, unsigned int order, gfp_t gfp, bool zero)
{
	z->pages[i].list = RUN_BLOCK;
	z->pages[i].free = order & 31;
	if ((gfp & __GFP_ZERO) && !zero)
		memset(pages_address(z, i), 0, PAGE_SIZE << order);
	return &z->pages[i];
}

static struct page *mm_try_near(const struct near *n, gfp_t gfp, unsigned int order)
{
	for (unsigned spill = 0; spill < 2; spill++) {
		for (struct zone *z = pages_zones; z; z = z->next) {
			bool zero = false;
			page_index i = PAGE_NONE;

			if (near_suits(n, z, spill))
				i = mm_take(z, (size_t)1 << order, gfp, &zero);
			if (i != PAGE_NONE)
				return mm_give(z, i, order, gfp, zero);
		}
	}
	return NULL;
}

struct page *alloc_pages_node(int node, gfp_t gfp, unsigned int order)
{
	struct page *head = NULL;
	struct near n;

	if (order > ASHLAR_MAX_ORDER || order > PORT_SLOB_MAX_ORDER || !init_ready())
		return NULL;
	if (PORT_SLOB_STEP && (gfp & (__GFP_DMA | __GFP_DMA32)) &&
	    !gfp_serves_kind(gfp, "alloc_pages", "pages"))
		return NULL;
	if (!near_begin(&n, gfp, node))
		return NULL;
	for (unsigned attempt = 0; !head; attempt++) {
		n.distance = 0;
		do
			head = mm_try_near(&n, gfp, order);
		while (!head && near_further(&n));
		if (!head && !reclaim_retry(gfp, attempt))
			return NULL;
	}
	return head;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	return alloc_pages_node(-1, gfp, order);
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *head = alloc_pages(gfp, order);

	return head ? (unsigned long)(uintptr_t)page_address(head) : 0;
}

void __free_pages(struct page *page, unsigned int order)
{
	if (page)
		free_pages((unsigned long)(uintptr_t)page_address(page), order);
}

void free_pages(unsigned long address, unsigned int order)
{
	const void *p = (const void *)(uintptr_t)address;
	struct zone *z = pages_zone(p);
	unsigned long were;
	struct page *pg;
	bool ours;

	if (!address)
		return;
	if (!z || (address & (PAGE_SIZE - 1)))
		report_pointer("free_pages", p);
	pg = &z->pages[pages_number(z, p)];
	were = guard_enter(&z->lock);
	ours = pg->kind == PAGE_RUN && pg->list == RUN_BLOCK && pg->free == order; /* MM1 */
	if (ours)
		pg->kind = PAGE_TAIL;
	guard_leave(&z->lock, were);
	if (!ours)
		report_pointer("free_pages", p);
	pages_give(z, pages_number(z, p), (size_t)1 << order);
	if (PORT_SLOB_STEP)
		reclaim_check(z);
}

void *page_address(const struct page *page)
{
	for (struct zone *z = pages_zones; z; z = z->next)
		if ((size_t)(page - z->pages) < z->nr_pages)
			return pages_address(z, (size_t)(page - z->pages));
	return NULL;
}

int page_to_nid(const struct page *page)
{
	for (struct zone *z = pages_zones; z; z = z->next)
		if ((size_t)(page - z->pages) < z->nr_pages)
			return (int)(z->attributes >> 8);
	return -1;
}

struct page *virt_to_page(const void *address)
{
	struct zone *z = pages_zone(address);

	return z ? &z->pages[pages_number(z, address)] : NULL;
}
