/* SPDX-License-Identifier: MIT */
/*
 * run.c - runs of pages: as many as are asked for, not a power of two
 *
 * What    A run is the front of a block whose tail went back at once. It is freed into its CPU's
 *         list of runs, which the next request for as many pages looks through, or joined with its
 *         neighbours. Growing takes the free pages behind it.
 * See     page.h; pcp.h for what a CPU keeps
 */
#include "base/bits.h"
#include "page/node.h"
#include "page/page_own.h"
#include "page/pcp.h"
#include "page/populate.h"
#include "port/port.h"

/* A run that this CPU keeps, of as many pages. */
static struct page *page_take_run(size_t count, size_t align, gfp_t gfp, unsigned node, bool *zero)
{
	unsigned cpu = percpu_cpu();
	struct page *head;

	if (!pcp_keeps_run(count) || !page_may_be_kept(gfp) || node_of_cpu(cpu) != node)
		return NULL;
	head = pcp_take_run(cpu, count, align);
	if (head)
		*zero = map_clear_dirty(map_page_pfn(head), count) == 0 && PORT_ZERO_PAGES;
	return head;
}

struct page *page_alloc_exact(size_t count, size_t align, gfp_t gfp, unsigned node, bool *zero)
{
	unsigned order = bits_log2_ceil(size_max(count, align));
	struct page *head;

	if (order > MAX_ORDER || align << PAGE_SHIFT > map.align)
		return NULL;
	if (count == (size_t)1 << order)
		return page_alloc(order, gfp, node, zero);
	head = page_take_run(count, align, gfp, node, zero);
	if (!head)
		head = page_find_hard(order, count, gfp, node, zero);
	if (head)
		head->kind = PAGE_BLOCK;
	return head;
}

/* Blocks of an order that CPUs keep, and runs of a length that they do, go to the CPU's list. */
void page_free_exact(struct page *head, size_t count)
{
	size_t pfn = map_page_pfn(head);

	if (count >> CONFIG_PCP_ORDERS || !bits_is_power_of_two(count) || (pfn & (count - 1))) {
		page_give(head, count, true);
		return;
	}
	head->kind = PAGE_BLOCK;
	head->order = (u8)bits_lowest(count);
	page_free(head, head->order);
}

void page_undo(struct page *head, size_t count, gfp_t gfp)
{
	if (gfp & __GFP_DIRECT_RECLAIM)
		page_free_exact(head, count);
	else
		zone_try_free(page_zone(head), map_page_pfn(head), count);
}

/* Is @pfn the first of a run that a CPU keeps? A hint: it may be handed out meanwhile. */
static bool page_begins_kept_run(const struct zone *z, size_t pfn)
{
	const struct page *head = &map.pages[pfn];

	return pfn < READ_ONCE(z->online_end) && READ_ONCE(head->kind) == PAGE_PCP &&
	       READ_ONCE(head->order) == PAGE_RUN;
}

bool page_extend(struct page *head, size_t count, size_t extra, bool *zero)
{
	struct zone *z = page_zone(head);
	size_t pfn = map_page_pfn(head) + count;
	bool got = zone_claim(z, pfn, extra, zero);

	if (!got && page_begins_kept_run(z, pfn)) {
		page_drain();
		got = zone_claim(z, pfn, extra, zero);
	}
	got = got && populate(z, pfn, extra, GFP_NOWAIT);
	if (got)
		page_note_peak();
	return got;
}
