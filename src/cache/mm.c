/* SPDX-License-Identifier: MIT */
/*
 * mm.c - alloc_pages and free_pages: the page floor for everybody
 *
 * What    Doors to page_alloc and page_free, with the retry that only this floor may do, and
 *         a look at what comes back.
 * Rules   MM1 a block that is given back has kind BLOCK and the order it was got with
 *         MM2 a block has references: alloc_pages and get_page add one, free_pages and put_page
 *             take one; who takes the last frees the block
 *         MM3 free_pages of a block that others have references to: with __GFP_COMP all of it
 *             stays; without, its first page stays and the rest is freed, as in Linux
 *         MM4 a reference to any page of a __GFP_COMP block is one to the block
 * Source  Linux Documentation/core-api/mm-api.rst
 */
#include "ashlar/mm.h"
#include "base/check.h"
#include "cache/account_object.h"
#include "cache/reclaim.h"
#include "cache/report.h"
#include "page/pcp.h"

STATIC_ASSERT(PAGE_SIZE << ASHLAR_MAX_ORDER == (size_t)1 << (PORT_PAGE_SHIFT + PORT_MAX_ORDER),
	      "mm.h names the port's largest order");

/* What is more to do for, or to say to: all that a CPU's list has not, or not alone. */
#define MM_GFP_SPECIAL                                                                     \
	(~ASHLAR_GFP_KNOWN | __GFP_DMA | __GFP_DMA32 | __GFP_RECLAIMABLE | __GFP_MOVABLE | \
	 __GFP_ZERO | __GFP_ACCOUNT | __GFP_COMP)

/* A page from the list of this CPU; NULL: take the slow path. What is on the list lies on the
 * CPU's node, and may be anybody's. */
static always_inline struct page *mm_take(gfp_t gfp, unsigned order)
{
	struct page *page;

	if (unlikely((gfp & MM_GFP_SPECIAL) | order))
		return NULL;
	page = pcp_take(percpu_cpu(), 0);
	if (likely(page)) {
		map.ids[map_page_pfn(page)] = 0;
		page_set_one(page);
	}
	return page;
}

/* A page that is nobody else's, to the list of this CPU; false, with nothing done: take the slow
 * path. The bound on what is free (R1) counts what zones have: it is looked at when the list
 * overflows. */
static always_inline bool mm_keep(size_t pfn, unsigned order)
{
	struct page *page = &map.pages[pfn];
	unsigned cpu = percpu_cpu();

	if (unlikely(order) || unlikely(!page_is_one(page)) || unlikely(!pcp_serves(cpu, pfn)) ||
	    (NR_MIGRATE_TYPES > 1 && unlikely(READ_ONCE(buddy_typed))))
		return false;
	map.ids[pfn] = MAP_DIRTY;
	return likely(pcp_keep_page(cpu, page));
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = mm_take(gfp, order);

	return likely(page) ? page : alloc_pages_node(-1, gfp, order);
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *head = mm_take(gfp, order);

	if (unlikely(!head))
		head = alloc_pages_node(-1, gfp, order);
	return head ? (unsigned long)(uintptr_t)map_page_address(head) : 0;
}

/* The block that a page of somebody's is in (MM4); what is none is reported. */
static struct page *mm_block(struct page *page, const char *what)
{
	size_t pfn = map_page_pfn(page);
	struct page *head = page;

	if (pfn >= map.nr_pages || !map_contains(map_address(pfn)))
		report_pointer(what, map_address(pfn));
	for (unsigned o = 1; head->kind == PAGE_TAIL && o <= MAX_ORDER &&
			     map_is_known(pfn & ~(((size_t)1 << o) - 1));
	     o++)
		head = &map.pages[pfn & ~(((size_t)1 << o) - 1)];
	if (head->kind != PAGE_BLOCK || (head != page && !head->compound) ||
	    (pfn - map_page_pfn(head)) >> head->order || READ_ONCE(head->refs) == 0)
		report_pointer(what, map_address(pfn));
	return head;
}

/* MM2: true iff this was the last reference. */
static bool mm_drop(struct page *head, const char *what)
{
	u32 refs = __atomic_fetch_sub(&head->refs, 1, __ATOMIC_ACQ_REL);

	if (refs == 0)
		report_pointer(what, map_page_address(head));
	return refs == 1;
}

static inline void mm_free(struct page *head)
{
	if (unlikely(head->charged))
		account_uncharge_block(head);
	page_free(head, head->order);
	reclaim_check();
}

/* MM3: all but the first page, while the caller still has his reference. */
static void mm_free_rest(struct page *head)
{
	unsigned order = head->order;

	account_uncharge_block(head);
	head->charged = 0;
	head->order = 0;
	while (order-- > 0) {
		struct page *half = head + ((size_t)1 << order);

		half->kind = PAGE_BLOCK;
		half->order = (u8)order;
		page_free(half, order);
	}
}

/* Several have references, or the last one has gone already. */
static noinline void mm_put_shared(struct page *head)
{
	if (head->refs > 1 && head->order && !head->compound)
		mm_free_rest(head);
	if (mm_drop(head, "free_pages"))
		mm_free(head);
}

/* @head is in the arena; who has the only reference needs no atomic step to take it. */
static inline void mm_put_block(struct page *head, unsigned order)
{
	if (unlikely(head->kind != PAGE_BLOCK || head->order != order)) /* MM1 */
		report_pointer("free_pages", map_page_address(head));
	if (unlikely(LOAD_ACQUIRE(head->refs) != 1)) {
		mm_put_shared(head);
		return;
	}
	mm_free(head);
}

/* Pages before this have readable tables. */
static inline size_t mm_end(void)
{
	return READ_ONCE(map.granules) >> (PAGE_SHIFT - GRANULE_SHIFT);
}

static noinline void mm_free_pages(struct page *page, unsigned order)
{
	if (!page)
		return;
	if (unlikely(!map_contains(map_page_address(page))))
		report_pointer("free_pages", map_page_address(page));
	mm_put_block(page, order);
}

static noinline void mm_free_address(unsigned long address, unsigned order)
{
	const void *p = (const void *)(uintptr_t)address;

	if (!address)
		return;
	if (unlikely(!map_contains(p) || (address & (PAGE_SIZE - 1))))
		report_pointer("free_pages", p);
	mm_put_block(&map.pages[map_pfn(p)], order);
}

void __free_pages(struct page *page, unsigned int order)
{
	size_t pfn = map_page_pfn(page);

	if (unlikely(pfn >= mm_end()) || unlikely(!mm_keep(pfn, order)))
		mm_free_pages(page, order);
}

void free_pages(unsigned long address, unsigned int order)
{
	size_t offset = address - map.base;
	size_t pfn = offset >> PAGE_SHIFT | offset << (64 - PAGE_SHIFT); /* unaligned: too large */

	if (unlikely(pfn >= mm_end()) || unlikely(!mm_keep(pfn, order)))
		mm_free_address(address, order);
}

void get_page(struct page *page)
{
	__atomic_fetch_add(&mm_block(page, "get_page")->refs, 1, __ATOMIC_RELAXED);
}

void put_page(struct page *page)
{
	struct page *head = mm_block(page, "put_page");

	if (mm_drop(head, "put_page"))
		mm_free(head);
}

int page_count(const struct page *page)
{
	return (int)READ_ONCE(mm_block((struct page *)(uintptr_t)page, "page_count")->refs);
}

void *page_address(const struct page *page)
{
	return map_page_address(page);
}

struct page *virt_to_page(const void *address)
{
	return map_contains(address) ? &map.pages[map_pfn(address)] : NULL;
}
