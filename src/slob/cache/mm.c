/* SPDX-License-Identifier: MIT */
/*
 * mm.c - alloc_pages and free_pages on slob's pages (ashlar/mm.h)
 *
 * Rules   MM1 a block that is given back is a run of kind BLOCK, of the order it was got with
 *         (MM2 to MM4: mm_refs.c)
 */
#include "cache/mm.h"
#include "base/memory.h"
#include "cache/account_object.h"
#include "cache/block.h"
#include "cache/gfp.h"
#include "cache/init.h"
#include "cache/near.h"
#include "cache/report.h"

static page_index mm_take(struct zone *z, size_t pages, size_t align, gfp_t gfp)
{
	bool zero = false;
	page_index i = pages_take(z, pages, align, &zero);

	if (PORT_SLOB_STEP && i == PAGE_NONE && (gfp & __GFP_DIRECT_RECLAIM) &&
	    pages_grow(z, pages, align))
		i = pages_take(z, pages, align, &zero);
	if (i != PAGE_NONE && (gfp & __GFP_ZERO) && !zero)
		memset(pages_address(z, i), 0, pages << PAGE_SHIFT);
	return i;
}

/* From the zones at one distance. */
static page_index mm_try_near(struct zone **at, const struct near *n, size_t pages, size_t align,
			      gfp_t gfp)
{
	page_index i = PAGE_NONE;

	for (unsigned spill = 0; spill < 2; spill++) {
		for (struct zone *z = pages_zones; z; z = z->next) {
			if (near_suits(n, z, spill))
				i = mm_take(z, pages, align, gfp);
			*at = z;
			if (i != PAGE_NONE)
				return i;
		}
	}
	return i;
}

page_index mm_run(struct zone **z, size_t pages, size_t align, gfp_t gfp, int node,
		  const char *function)
{
	page_index i = PAGE_NONE;
	struct near n;

	if (!init_ready())
		return PAGE_NONE;
	if (PORT_SLOB_STEP && (gfp & (__GFP_DMA | __GFP_DMA32)) &&
	    !gfp_serves_kind(gfp, function, "pages"))
		return PAGE_NONE;
	if (!near_begin(&n, gfp, node))
		return PAGE_NONE;
	for (unsigned attempt = 0; i == PAGE_NONE; attempt++) {
		n.distance = 0;
		do
			i = mm_try_near(z, &n, pages, align, gfp);
		while (i == PAGE_NONE && near_further(&n));
		if (i == PAGE_NONE && !reclaim_retry(gfp, attempt))
			break;
	}
	return i;
}

void mm_begin(struct zone *z, size_t i, unsigned int order, bool compound, u16 payer)
{
	struct page *pg = &z->pages[i];

	page_set_list(pg, RUN_BLOCK);
	page_set_free(pg, order & 31);
	WRITE_ONCE(pg->next, (page_index)((size_t)1 << order));
	if (PORT_SLOB_STEP) {
		page_set_shard(pg, compound);
		page_set_units(pg, payer);
		STORE_RELEASE(pg->prev, 1);
	}
	page_set_kind(pg, PAGE_RUN);
}

void mm_end_payment(struct zone *z, size_t i)
{
	u16 payer = page_look(&z->pages[i]).units;

	page_set_units(&z->pages[i], 0);
	account_end(payer, (size_t)z->pages[i].next << PAGE_SHIFT, 1);
}

struct page *alloc_pages_node(int node, gfp_t gfp, unsigned int order)
{
	size_t pages = (size_t)1 << (order & 31);
	struct zone *z = NULL;
	u16 payer = 0;
	page_index i;

	if (order > ASHLAR_MAX_ORDER || order > PORT_SLOB_MAX_ORDER)
		return NULL;
	if (PORT_SLOB_STEP && !account_begin(&payer, pages << PAGE_SHIFT, 1, gfp))
		return NULL;
	i = mm_run(&z, pages, pages, gfp, node, "alloc_pages");
	if (i == PAGE_NONE) {
		account_end(payer, pages << PAGE_SHIFT, 1);
		return NULL;
	}
	mm_begin(z, i, order, gfp & __GFP_COMP, payer);
	return &z->pages[i];
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

/* MM1 */
static inline bool mm_is_block(const struct page *pg, unsigned int order)
{
	struct page seen = page_look(pg);

	return seen.kind == PAGE_RUN && seen.list == RUN_BLOCK && seen.free == order;
}

void free_pages(unsigned long address, unsigned int order)
{
	const void *p = (const void *)(uintptr_t)address;
	struct zone *z = pages_zone(p);
	unsigned long were;
	struct page *pg;
	u16 payer = 0;
	bool ours;

	if (!address)
		return;
	if (!z || (address & (PAGE_SIZE - 1)))
		report_pointer("free_pages", p);
	pg = &z->pages[pages_number(z, p)];
	if (PORT_SLOB_STEP && mm_is_block(pg, order) && unlikely(LOAD_ACQUIRE(pg->prev) != 1)) {
		mm_put_shared(z, pages_number(z, p));
		return;
	}
	were = guard_enter(&z->lock);
	ours = mm_is_block(pg, order);
	if (ours && PORT_SLOB_STEP)
		payer = page_look(pg).units;
	if (ours)
		page_set_kind(pg, PAGE_TAIL);
	guard_leave(&z->lock, were);
	if (!ours)
		report_pointer("free_pages", p);
	pages_give(z, pages_number(z, p), (size_t)1 << order);
	account_end(payer, PAGE_SIZE << order, 1);
	if (PORT_SLOB_STEP)
		reclaim_check(z);
}

void *page_address(const struct page *page)
{
	for (struct zone *z = pages_zones; z; z = z->next)
		if ((size_t)(page - z->pages) < READ_ONCE(z->nr_pages))
			return pages_address(z, (size_t)(page - z->pages));
	return NULL;
}

int page_to_nid(const struct page *page)
{
	for (struct zone *z = pages_zones; z; z = z->next)
		if ((size_t)(page - z->pages) < READ_ONCE(z->nr_pages))
			return (int)(z->attributes >> 8);
	return -1;
}

struct page *virt_to_page(const void *address)
{
	struct zone *z = pages_zone(address);

	return z ? &z->pages[pages_number(z, address)] : NULL;
}
