/* SPDX-License-Identifier: MIT */
/*
 * pages.c - a module inside Linux as the machine: memory
 *
 * What    A range of kernel addresses without memory, and pages of alloc_pages that are put
 *         behind parts of it and taken away again.
 * How     vmap makes the range, with the zero page everywhere; then its page table entries
 *         are ours to set. Pages come in blocks where Linux has them at once, so that a slab is
 *         contiguous in memory too, and one by one otherwise.
 * Rules   PG1 an entry that was valid is flushed on every CPU before its page goes back
 *         PG2 a page that has memory keeps it; what could not be got completely is asked for again
 *         PG3 half of the machine's memory at most: the rest is for everybody else
 *         PG4 Linux may reclaim inside an allocation of ours only where no lock of Ashlar is
 *             held: port_populate and port_relieve. The shrinker (shrinker.c) may run in it
 */
#include <asm/pgtable.h>
#include <asm/tlbflush.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "linux_kernel.h"
#include "port/port.h"

#define PAGES_ORDER 6u /* 256 KiB, a section of the arena */
#define PAGES_WAITERS 64u
#define PAGES_RELIEF 32u /* what Linux reclaims at least when it does */

/* Ashlar reclaims by itself, and says NULL: nobody is to be killed for it. */
#define PAGES_GFP (__GFP_NOWARN | __GFP_NORETRY)

static struct {
	char *start; /* of the vmap area */
	size_t bytes;
	atomic_long_t pages; /* got from Linux, these and port_mapping_alloc's */
} range;

size_t linux_kernel_pages(void)
{
	return (size_t)atomic_long_read(&range.pages);
}

/* PG3 */
bool linux_kernel_charge(size_t pages)
{
	if ((size_t)atomic_long_add_return((long)pages, &range.pages) <= totalram_pages() / 2)
		return true;
	linux_kernel_uncharge(pages);
	return false;
}

void linux_kernel_uncharge(size_t pages)
{
	atomic_long_sub((long)pages, &range.pages);
}

/* Of the page at @at, which follows the one of @entry, or of the first one. */
static pte_t *pages_entry(pte_t *entry, char *at)
{
	unsigned int level;

	if (entry && ((unsigned long)at & ~PMD_MASK))
		return entry + 1; /* entries of one table lie side by side */
	return lookup_address((unsigned long)at, &level);
}

static bool pages_is_memory(pte_t entry)
{
	return pte_present(entry) && pte_page(entry) != ZERO_PAGE(0);
}

static void pages_flush_here(void *unused)
{
	(void)unused;
	__flush_tlb_all();
}

/* PG1. The callers are never in an interrupt. */
static void pages_flush(void)
{
	on_each_cpu(pages_flush_here, NULL, 1);
}

/* Entries of [start, start + bytes) become @entry; what was behind them comes into @list. Returns
 * whether any was valid. */
static bool pages_clear(char *start, size_t bytes, pte_t value, struct list_head *list)
{
	pte_t *entry = NULL;
	bool any = false;

	for (char *at = start; at < start + bytes; at += PAGE_SIZE) {
		entry = pages_entry(entry, at);
		any |= pte_present(*entry) != 0;
		if (pages_is_memory(*entry))
			list_add(&pte_page(*entry)->lru, list);
		set_pte(entry, value);
	}
	return any;
}

static void pages_release(struct list_head *list)
{
	struct page *page;
	struct page *next;

	list_for_each_entry_safe(page, next, list, lru) {
		list_del(&page->lru);
		__free_page(page);
		linux_kernel_uncharge(1);
	}
}

/* Linux chooses the pages: the arena is address space, and all of it can be memory. */
bool port_arena(size_t align, void **start, size_t *bytes)
{
	(void)align;
	(void)start;
	(void)bytes;
	return false;
}

bool port_memory(void **start, size_t *bytes, bool take)
{
	(void)start;
	(void)take;
	return *bytes != 0;
}

void *port_reserve(size_t bytes, size_t align)
{
	size_t count = (bytes + align) >> PAGE_SHIFT;
	struct page **zeros = kvmalloc_array(count, sizeof(*zeros), GFP_KERNEL);
	LIST_HEAD(none);

	if (!zeros)
		return NULL;
	for (size_t i = 0; i < count; i++)
		zeros[i] = ZERO_PAGE(0);
	range.start = vmap(zeros, count, VM_MAP, PAGE_KERNEL_RO);
	kvfree(zeros);
	if (!range.start)
		return NULL;
	range.bytes = count << PAGE_SHIFT;
	pages_clear(range.start, range.bytes, __pte(0), &none);
	pages_flush();
	return PTR_ALIGN(range.start, align);
}

/* Address space is what a kernel has most of: it stays until the end. */
void port_release(void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
}

bool port_map_zeros(void *start, size_t bytes)
{
	LIST_HEAD(list);

	if (pages_clear(start, bytes, mk_pte(ZERO_PAGE(0), PAGE_KERNEL_RO), &list))
		pages_flush();
	pages_release(&list);
	return true;
}

/* 2^*@order pages that can be freed one by one, or one; NULL iff there are none. */
static struct page *pages_get(unsigned int *order, gfp_t gfp)
{
	struct page *page = NULL;

	if (*order && linux_kernel_charge(1ul << *order)) {
		page = alloc_pages((gfp | PAGES_GFP) & ~__GFP_DIRECT_RECLAIM, *order);
		if (page)
			split_page(page, *order);
		else
			linux_kernel_uncharge(1ul << *order);
	}
	if (page)
		return page;
	*order = 0;
	if (!linux_kernel_charge(1))
		return NULL;
	page = alloc_pages(gfp | PAGES_GFP, 0);
	if (!page)
		linux_kernel_uncharge(1);
	return page;
}

/* Who waits for pages, by a part of his number: what reclaims inside that knows itself so. */
static struct task_struct *pages_waiter[PAGES_WAITERS];

bool linux_kernel_is_waiting(void)
{
	return READ_ONCE(pages_waiter[(unsigned int)current->pid % PAGES_WAITERS]) == current;
}

/* PG2 */
static bool pages_fill(char *start, size_t bytes, gfp_t gfp)
{
	char *end = start + bytes;
	struct page *page = NULL;
	unsigned int left = 0; /* of the block that @page is in, and not used */
	pte_t *entry = NULL;
	bool flush = false;
	bool done = true;

	for (char *at = start; at < end && done; at += PAGE_SIZE) {
		entry = pages_entry(entry, at);
		if (pages_is_memory(*entry))
			continue;
		if (!left) {
			unsigned int order = min_t(unsigned int, PAGES_ORDER,
						   ilog2((size_t)(end - at) >> PAGE_SHIFT));

			page = pages_get(&order, gfp);
			left = 1u << order;
			done = page != NULL;
		}
		if (!done)
			continue;
		flush |= pte_present(*entry) != 0;
		set_pte(entry, mk_pte(page++, PAGE_KERNEL));
		left--;
	}
	for (; done && left; left--, page++) {
		__free_page(page);
		linux_kernel_uncharge(1);
	}
	if (flush)
		pages_flush();
	return done;
}

/* PG4: under the locks of growth. */
bool port_map(void *start, size_t bytes)
{
	return pages_fill(start, bytes, GFP_NOWAIT | __GFP_ZERO);
}

static gfp_t pages_gfp(unsigned int ask)
{
	return __GFP_KSWAPD_RECLAIM | (ask & PORT_ASK_WAIT ? __GFP_DIRECT_RECLAIM : 0) |
	       (ask & PORT_ASK_IO ? __GFP_IO : 0) | (ask & PORT_ASK_FS ? __GFP_FS : 0) |
	       (ask & PORT_ASK_URGENT ? __GFP_HIGH : 0);
}

bool port_populate(void *start, size_t bytes, unsigned ask)
{
	struct task_struct **waiter = &pages_waiter[(unsigned int)current->pid % PAGES_WAITERS];
	struct task_struct *before = READ_ONCE(*waiter);
	bool done;

	WRITE_ONCE(*waiter, current);
	done = pages_fill(start, bytes, pages_gfp(ask));
	WRITE_ONCE(*waiter, before);
	return done;
}

/* What is allocated and freed again makes Linux reclaim, where it has too little. */
bool port_relieve(unsigned ask)
{
	struct page *page[PAGES_RELIEF];
	unsigned int n = 0;
	bool done;

	while (n < PAGES_RELIEF && (page[n] = alloc_pages(pages_gfp(ask) | PAGES_GFP, 0)))
		n++;
	done = n == PAGES_RELIEF;
	while (n)
		__free_page(page[--n]);
	return done;
}

void port_unmap(void *start, size_t bytes)
{
	LIST_HEAD(list);

	if (pages_clear(start, bytes, __pte(0), &list))
		pages_flush();
	pages_release(&list);
}

/* PG1 asks for other CPUs' answers. */
bool port_discard(void *start, size_t bytes)
{
	if (!linux_kernel_may_wait())
		return false;
	port_unmap(start, bytes);
	return true;
}

void linux_kernel_release_all(void)
{
	if (!range.start)
		return;
	port_unmap(range.start, range.bytes);
	vunmap(range.start);
	range.start = NULL;
}
