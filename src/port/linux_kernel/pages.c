/* SPDX-License-Identifier: MIT */
/*
 * pages.c - a module inside Linux as the machine: memory
 *
 * What    A range of kernel addresses without memory, and pages of alloc_pages that are put
 *         behind parts of it and taken away again.
 * How     vmap makes the range, with the zero page everywhere; then its page table entries
 *         are ours to set. Pages come in blocks of 256 KiB where Linux has them, so that a slab is
 *         contiguous in memory too, and one by one otherwise.
 * Rules   PG1 an entry that was valid is flushed on every CPU before its page goes back
 *         PG2 what a range cannot get completely it does not get at all
 *         PG3 half of the machine's memory at most: the rest is for everybody else
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
#define PAGES_GFP (GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY)

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

static pte_t *pages_entry(char *address)
{
	unsigned int level;

	return lookup_address((unsigned long)address, &level);
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

/* Entries of [start, start + bytes) are no more; what was behind them comes into @list. Returns
 * whether any was valid. */
static bool pages_clear(char *start, size_t bytes, struct list_head *list)
{
	bool any = false;

	for (char *at = start; at < start + bytes; at += PAGE_SIZE) {
		pte_t *entry = pages_entry(at);

		if (!entry || !pte_present(*entry))
			continue;
		any = true;
		if (pte_page(*entry) != ZERO_PAGE(0))
			list_add(&pte_page(*entry)->lru, list);
		set_pte(entry, __pte(0));
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
	pages_clear(range.start, range.bytes, &none);
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
	for (char *at = start; at < (char *)start + bytes; at += PAGE_SIZE)
		if (pte_none(*pages_entry(at)))
			set_pte(pages_entry(at), mk_pte(ZERO_PAGE(0), PAGE_KERNEL_RO));
	return true;
}

/* 2^@order pages that can be freed one by one, linked into @list. */
static bool pages_get(unsigned int order, struct list_head *list)
{
	struct page *page;

	if (!linux_kernel_charge(1ul << order))
		return false;
	page = alloc_pages(PAGES_GFP, order);
	if (!page) {
		linux_kernel_uncharge(1ul << order);
		return false;
	}
	if (order)
		split_page(page, order);
	for (unsigned int i = 0; i < 1u << order; i++)
		list_add_tail(&page[i].lru, list);
	return true;
}

/* PG2 */
bool port_map(void *start, size_t bytes)
{
	size_t wanted = bytes >> PAGE_SHIFT;
	bool flush = false;
	struct page *page;
	LIST_HEAD(list);

	while (wanted) {
		if (wanted >= 1u << PAGES_ORDER && pages_get(PAGES_ORDER, &list)) {
			wanted -= 1u << PAGES_ORDER;
		} else if (pages_get(0, &list)) {
			wanted--;
		} else {
			pages_release(&list);
			return false;
		}
	}
	for (char *at = start; at < (char *)start + bytes; at += PAGE_SIZE) {
		page = list_first_entry(&list, struct page, lru);
		list_del(&page->lru);
		flush |= pte_present(*pages_entry(at)) != 0;
		set_pte(pages_entry(at), mk_pte(page, PAGE_KERNEL));
	}
	if (flush)
		pages_flush();
	return true;
}

void port_unmap(void *start, size_t bytes)
{
	LIST_HEAD(list);

	if (pages_clear(start, bytes, &list))
		pages_flush();
	pages_release(&list);
}

/* Nothing would bring the memory back when it is touched again. */
bool port_discard(void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
	return false;
}

void linux_kernel_release_all(void)
{
	if (!range.start)
		return;
	port_unmap(range.start, range.bytes);
	vunmap(range.start);
	range.start = NULL;
}
