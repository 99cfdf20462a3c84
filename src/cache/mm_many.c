/* SPDX-License-Identifier: MIT */
/*
 * mm_many.c - many pages in one call, and exactly as many as a size needs
 *
 * What    alloc_pages_bulk: single pages, with one lock for many. alloc_pages_exact: pages that
 *         follow each other, each a block of its own afterwards.
 * Rules   MN1 bulk fills the entries of the array that are NULL, in order, and says how many
 *             entries have a page then; it stops where no page can be had
 *         MN2 each page of an exact run has a reference of its own: free_pages_exact takes one of
 *             each, and what others still hold stays with them
 * Source  Linux Documentation/core-api/mm-api.rst
 */
#include "ashlar/mm.h"
#include "base/bits.h"
#include "base/memory.h"
#include "cache/account_object.h"
#include "cache/gfp.h"
#include "cache/init.h"
#include "cache/reclaim.h"
#include "cache/report.h"
#include "page/map.h"
#include "page/node.h"

#define MANY_BATCH 64u /* pages whose descriptors are on the stack at one time */

/* Pages that are nobody else's, one behind the other, become a block each. false, with them given
 * back, iff nobody may pay for them all. */
static bool many_begin(struct page *first, size_t count, gfp_t gfp)
{
	if ((gfp & __GFP_ACCOUNT) && !account_charge_pages(first, count, gfp)) {
		page_undo(first, count, gfp);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		first[i].kind = PAGE_BLOCK;
		first[i].order = 0;
		first[i].compound = 0;
		if (!(gfp & __GFP_ACCOUNT))
			first[i].charged = 0;
		first[i].refs = 1;
	}
	return true;
}

/* Up to @count pages; fewer iff no more can be had. Tries hard for the first one only. */
static size_t many_take(struct page **pages, size_t count, gfp_t gfp)
{
	size_t got = page_alloc_bulk(pages, count, gfp, node_here());
	size_t kept = 0;

	for (size_t i = 0; i < got; i++)
		if (many_begin(pages[i], 1, gfp))
			pages[kept++] = pages[i];
	if (got == 0) {
		pages[0] = alloc_pages(gfp, 0);
		kept = pages[0] != NULL;
	}
	return kept;
}

/* The next entry from @at on that has no page; @count iff there is none. */
static size_t many_hole(struct page *const *array, size_t at, size_t count)
{
	while (at < count && array[at])
		at++;
	return at;
}

unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long count, struct page **array)
{
	struct page *batch[MANY_BATCH];
	size_t at = many_hole(array, 0, count);
	size_t filled = at; /* entries before @at */

	if (at == count || !init_ready())
		return filled;
	gfp_check(gfp);
	if (!gfp_serves(gfp, "alloc_pages_bulk", "pages"))
		return filled;
	while (at < count) {
		size_t want = 0;
		size_t got;

		for (size_t i = at; i < count && want < MANY_BATCH; i++)
			want += !array[i];
		got = many_take(batch, want, gfp);
		for (size_t i = 0; i < got; i++) {
			array[at] = batch[i];
			at = many_hole(array, at, count);
		}
		if (got < want)
			break;
	}
	for (filled = 0, at = 0; at < count; at++)
		filled += array[at] != NULL;
	return filled;
}

static struct page *many_take_run(size_t count, gfp_t gfp, bool *zero)
{
	struct page *head = NULL;

	for (unsigned attempt = 0; !head; attempt++) {
		head = page_alloc_exact(count, 1, gfp, node_here(), zero);
		if (!head && !reclaim_retry(gfp, attempt))
			return NULL;
	}
	return head;
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	size_t count = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	struct page *head;
	bool zero;

	if (count == 0 || count > (size_t)1 << MAX_ORDER || !init_ready())
		return NULL;
	gfp_check(gfp);
	if (!gfp_serves(gfp, "alloc_pages_exact", "pages"))
		return NULL;
	head = many_take_run(count, gfp, &zero);
	if (!head)
		return NULL;
	if (!many_begin(head, count, gfp))
		return NULL;
	if ((gfp & __GFP_ZERO) && !zero)
		memset(map_page_address(head), 0, count << PAGE_SHIFT);
	return map_page_address(head);
}

/* Take the reference; true iff it was the last one, and the page is nobody's block now. */
static bool many_end(struct page *page)
{
	if (page->kind != PAGE_BLOCK || page->order != 0 ||
	    __atomic_fetch_sub(&page->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return false;
	account_uncharge_block(page);
	page->kind = PAGE_TAIL;
	return true;
}

void free_pages_exact(void *start, size_t size)
{
	size_t count = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	struct page *page;

	if (count == 0 || !start)
		return;
	if (!map_contains(start) || ((uintptr_t)start & (PAGE_SIZE - 1)))
		report_pointer("free_pages_exact", start);
	page = &map.pages[map_pfn(start)];
	for (size_t i = 0; i < count; i++) /* before anything is freed */
		if (!map_contains((char *)start + (i << PAGE_SHIFT)) ||
		    page[i].kind != PAGE_BLOCK || page[i].order || !READ_ONCE(page[i].refs))
			report_pointer("free_pages_exact", (char *)start + (i << PAGE_SHIFT));
	for (size_t i = 0; i < count;) {
		size_t run = i;

		while (run < count && many_end(&page[run]))
			run++;
		if (run > i)
			page_free_exact(&page[i], run - i);
		i = run + (run < count); /* this one is kept by others (MN2) */
	}
	reclaim_check();
}
