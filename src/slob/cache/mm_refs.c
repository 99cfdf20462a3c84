/* SPDX-License-Identifier: MIT */
/*
 * mm_refs.c - references to blocks of pages, and pages that are many blocks, on slob
 *
 * What    get_page, put_page, page_count; alloc_pages_bulk, alloc_pages_exact. The rules are
 *         those of src/cache/mm.c and mm_many.c.
 * Rules   MM2 a block has references: alloc_pages and get_page add one, free_pages and put_page
 *             take one; who takes the last frees the block
 *         MM3 free_pages of a block that others have references to: with __GFP_COMP all of it
 *             stays; without, its first page stays and the rest is freed
 *         MM4 a reference to any page of a __GFP_COMP block is one to the block
 *         MN1 bulk fills the entries of the array that are NULL, in order, and says how many
 *             entries have a page then; it stops where no page can be had
 *         MN2 each page of an exact run is a block with a reference of its own
 */
#include "cache/account_object.h"
#include "cache/block.h"
#include "cache/mm.h"
#include "cache/report.h"

static struct zone *refs_zone(const struct page *page)
{
	struct zone *z = pages_zones;

	while (z && (size_t)(page - z->pages) >= READ_ONCE(z->nr_pages))
		z = z->next;
	return z;
}

static bool refs_is_block(const struct page *pg)
{
	struct page seen = page_look(pg);

	return seen.kind == PAGE_RUN && seen.list == RUN_BLOCK && READ_ONCE(pg->prev);
}

/* The block that page @page of somebody's is in (MM4), and its zone; what is none is reported. */
static struct page *refs_block(const struct page *page, struct zone **at, const char *function)
{
	struct zone *z = refs_zone(page);
	size_t i = z ? (size_t)(page - z->pages) : 0;
	size_t head = i;

	if (!z)
		report_pointer(function, page);
	while (head && i - head < (size_t)1 << ASHLAR_MAX_ORDER &&
	       page_look(&z->pages[head]).kind == PAGE_TAIL)
		head--;
	*at = z;
	if (!refs_is_block(&z->pages[head]) || i - head >= READ_ONCE(z->pages[head].next) ||
	    (head != i && !page_look(&z->pages[head]).shard))
		report_pointer(function, pages_address(z, i));
	return &z->pages[head];
}

/* MM2: the last reference frees. */
static void refs_drop(struct zone *z, struct page *head, const char *function)
{
	size_t i = (size_t)(head - z->pages);
	page_index refs = __atomic_fetch_sub(&head->prev, 1, __ATOMIC_ACQ_REL);

	if (refs == 0)
		report_pointer(function, pages_address(z, i));
	if (refs != 1)
		return;
	mm_end_payment(z, i);
	pages_give(z, i, head->next);
	reclaim_check(z);
}

void mm_put_shared(struct zone *z, size_t i)
{
	struct page *head = &z->pages[i];
	size_t rest = head->next - 1;

	if (READ_ONCE(head->prev) > 1 && rest && !page_look(head).shard) { /* MM3 */
		mm_end_payment(z, i);
		WRITE_ONCE(head->next, 1);
		page_set_free(head, 0);
		pages_give(z, i + 1, rest);
	}
	refs_drop(z, head, "free_pages");
}

void get_page(struct page *page)
{
	struct zone *z;

	__atomic_fetch_add(&refs_block(page, &z, "get_page")->prev, 1, __ATOMIC_RELAXED);
}

void put_page(struct page *page)
{
	struct zone *z;
	struct page *head = refs_block(page, &z, "put_page");

	refs_drop(z, head, "put_page");
}

int page_count(const struct page *page)
{
	struct zone *z;

	return (int)READ_ONCE(refs_block(page, &z, "page_count")->prev);
}

/* ---- many ------------------------------------------------------------------------------- */

static struct page *refs_page(gfp_t gfp)
{
	struct zone *z = NULL;
	page_index i = PAGE_NONE;
	u16 payer;

	if (!account_begin(&payer, PAGE_SIZE, 1, gfp))
		return NULL;
	i = mm_run(&z, 1, 1, gfp, -1, "alloc_pages_bulk");
	if (i == PAGE_NONE) {
		account_end(payer, PAGE_SIZE, 1);
		return NULL;
	}
	mm_begin(z, i, 0, false, payer);
	return &z->pages[i];
}

unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long count, struct page **array)
{
	unsigned long filled = 0;
	bool more = true;

	for (unsigned long i = 0; i < count; i++) {
		if (!array[i] && more) {
			array[i] = refs_page(gfp);
			more = array[i] != NULL;
		}
		filled += array[i] != NULL;
	}
	return filled;
}

static size_t refs_pages(size_t size)
{
	return (size >> PAGE_SHIFT) + ((size & (PAGE_SIZE - 1)) != 0);
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	size_t count = refs_pages(size);
	struct zone *z = NULL;
	page_index i;
	u16 payer;

	if (count == 0 || count > (size_t)1 << ASHLAR_MAX_ORDER ||
	    !account_begin(&payer, PAGE_SIZE, count, gfp))
		return NULL;
	i = mm_run(&z, count, 1, gfp, -1, "alloc_pages_exact");
	if (i == PAGE_NONE) {
		account_end(payer, PAGE_SIZE, count);
		return NULL;
	}
	for (size_t k = 0; k < count; k++)
		mm_begin(z, i + k, 0, false, payer);
	return pages_address(z, i);
}

void free_pages_exact(void *start, size_t size)
{
	size_t count = refs_pages(size);
	struct zone *z = start && count ? pages_zone(start) : NULL;
	size_t i;

	if (!start || !count)
		return;
	if (!z || ((uintptr_t)start & (PAGE_SIZE - 1)))
		report_pointer("free_pages_exact", start);
	i = pages_number(z, start);
	for (size_t k = 0; k < count; k++) /* before anything is freed */
		if (i + k >= READ_ONCE(z->nr_pages) || !refs_is_block(&z->pages[i + k]) ||
		    page_look(&z->pages[i + k]).free)
			report_pointer("free_pages_exact", pages_address(z, i + k));
	for (size_t k = 0; k < count; k++)
		refs_drop(z, &z->pages[i + k], "free_pages_exact");
}
