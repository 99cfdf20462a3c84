/* SPDX-License-Identifier: MIT */
/*
 * mm.c - alloc_pages and free_pages: the page floor for everybody
 *
 * What    Doors to page_alloc and page_free, with the retry that only this floor may do, and
 *         a look at what comes back.
 * Rules   MM1 a block that is given back has kind BLOCK and the order it was got with
 */
#include "ashlar/mm.h"
#include "base/check.h"
#include "cache/account.h"
#include "cache/reclaim.h"
#include "cache/report.h"
#include "page/map.h"

STATIC_ASSERT(ASHLAR_MAX_ORDER == PORT_MAX_ORDER, "mm.h names the port's largest order");

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	return alloc_pages_node(-1, gfp, order);
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *head = alloc_pages(gfp, order);

	return head ? (unsigned long)(uintptr_t)map_page_address(head) : 0;
}

void __free_pages(struct page *page, unsigned int order)
{
	if (!page)
		return;
	free_pages((unsigned long)(uintptr_t)map_page_address(page), order);
}

void free_pages(unsigned long address, unsigned int order)
{
	const void *p = (const void *)(uintptr_t)address;
	struct page *head;

	if (!address)
		return;
	if (!map_contains(p) || (address & (PAGE_SIZE - 1)))
		report_pointer("free_pages", p);
	head = &map.pages[map_pfn(p)];
	if (head->kind != PAGE_BLOCK || head->order != order) /* MM1 */
		report_pointer("free_pages", p);
	account_uncharge_block(head);
	page_free(head, order);
	reclaim_check();
}

void *page_address(const struct page *page)
{
	return map_page_address(page);
}

struct page *virt_to_page(const void *address)
{
	return map_contains(address) ? &map.pages[map_pfn(address)] : NULL;
}
