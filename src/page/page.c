/* SPDX-License-Identifier: MIT */
/*
 * page.c - the front of the page floor: choose a list, a zone, a node
 *
 * What    page_alloc tries the CPU's list, then the zones in the order of the
 *         request's node, then more memory online; page_free is the way back.
 * See     page.h for the theory; zones.h, zone.h and pcp.h for the rooms behind
 */
#include "page/page.h"
#include "base/bits.h"
#include "base/check.h"
#include "base/memory.h"
#include "page/node.h"
#include "page/page_own.h"
#include "page/pcp.h"
#include "page/populate.h"
#include "page/zone.h"
#include "page/zones.h"
#include "port/port.h"

static struct {
	unsigned cpus;
	size_t mapped_pages; /* page_note_mapped */
	size_t peak_pages;   /* page_stat */
} memory;

/* Online at start, pages: enough for a small program without a second step. */
#define PAGE_FIRST ((size_t)2 << (20 - PORT_PAGE_SHIFT))

STATIC_ASSERT(!PORT_GROWS_ATOMIC || PORT_LOCKS_SPIN, "Z4: growing waits for locks");

/* More memory, and what the zones below keep of theirs for it (ZK3). */
static bool page_grow(struct zone *z, unsigned order, size_t pages, gfp_t gfp)
{
	bool grown = zone_grow(z, order, pages);

	/* Its tables found no memory, and locks were held. */
	if (PORT_POPULATES && !grown && (gfp & __GFP_DIRECT_RECLAIM) && zone_has_room(z) &&
	    port_relieve(populate_ask(gfp)))
		grown = zone_grow(z, order, pages);
	if (grown)
		zones_set_reserves();
	return grown;
}

bool page_init(size_t budget_bytes, unsigned cpus, size_t page_bytes)
{
	const u8 *order = node_table.order[node_here()];

	if (!map_init(budget_bytes, page_bytes, zones_are_several() ? 2 : 1))
		return false;
	memory.cpus = cpus;
	zones_init();
	pcp_init();
	for (unsigned i = 0; i < node_table.count; i++) {
		struct zone *z = zones.home[order[i]];

		if (z &&
		    page_grow(z, 0, size_min(PAGE_FIRST, z->end_pfn - z->first_pfn), GFP_KERNEL))
			return true;
	}
	return false;
}

static struct page *page_from_zone(struct zone *z, unsigned order, size_t count, gfp_t gfp,
				   bool *zero)
{
	bool grows =
		(gfp & __GFP_DIRECT_RECLAIM) || (PORT_GROWS_ATOMIC && (gfp & __GFP_KSWAPD_RECLAIM));
	gfp_t apart = NR_MIGRATE_TYPES > 1 && grows ? gfp | ZONE_GFP_APART : gfp;
	struct page *head = zone_alloc(z, order, count, apart, zero);

	if (head || !grows)
		return head;
	/* Twice, if somebody may have the lock all the time. */
	for (unsigned turn = 0; !head && (turn < 2 || (gfp & __GFP_DIRECT_RECLAIM)); turn++) {
		size_t reserve = READ_ONCE(z->watermark[WATERMARK_MIN]);
		size_t pages = reserve / 4 + ((size_t)1 << order);

		if (!page_grow(z, order, pages, gfp))
			break;
		head = zone_alloc(z, order, count, apart, zero);
	}
	if (NR_MIGRATE_TYPES > 1 && !head)
		head = zone_alloc(z, order, count, gfp, zero); /* B7 */
	return head;
}

/* More pages were handed out or mapped: is it the most there ever were? */
void page_note_peak(void)
{
	size_t used = READ_ONCE(memory.mapped_pages);

	for (unsigned i = 0; i < zones.count; i++)
		used += READ_ONCE(zones.of[i].managed_pages) - READ_ONCE(zones.of[i].free_pages);
	if (used > READ_ONCE(memory.peak_pages))
		WRITE_ONCE(memory.peak_pages, used);
}

void page_note_mapped(size_t pages)
{
	WRITE_ONCE(memory.mapped_pages, pages);
	page_note_peak();
}

/* From a node's highest kind that may serve, then the lower ones (ZK2). */
static struct page *page_from_node(const u8 *at, unsigned order, size_t count, gfp_t gfp,
				   bool *zero)
{
	for (unsigned kind = zones_kind(gfp) + 1; kind-- > 0;) {
		struct zone *z = at[kind] ? &zones.of[at[kind] - 1] : NULL;

		for (; z; z = zones_next(z)) {
			struct page *head = page_from_zone(z, order, count, gfp, zero);

			if (head && populate(z, map_page_pfn(head), count, gfp))
				return head;
		}
	}
	return NULL;
}

/* Pages whose kind is not set yet, from the wanted node or, if allowed, any other (ZK2). */
static struct page *page_find(unsigned order, size_t count, gfp_t gfp, unsigned node, bool *zero)
{
	for (unsigned i = 0; i < node_table.count; i++) {
		const u8 *at = zones.at[node_table.order[node][i]];
		struct page *head = page_from_node(at, order, count, gfp, zero);

		if (head)
			page_note_peak();
		if (head || (gfp & __GFP_THISNODE))
			return head;
	}
	return NULL;
}

struct page *page_find_hard(unsigned order, size_t count, gfp_t gfp, unsigned node, bool *zero)
{
	struct page *head = page_find(order, count, gfp, node, zero);

	if (head || !(gfp & __GFP_DIRECT_RECLAIM) || !pcp_has_any())
		return head;
	page_drain();
	return page_find(order, count, gfp, node, zero);
}

bool page_serves(gfp_t gfp)
{
	return zones.has[zones_kind(gfp)];
}

/* Several blocks come at once to a CPU that runs empty often; one of them is returned. For those
 * who may wait: what the CPU cannot keep goes back under the zone's lock. */
static struct page *page_refill(unsigned cpu, unsigned order, struct zone *z, gfp_t gfp)
{
	unsigned count = z ? pcp_miss(cpu, order) : 0; /* a node may have no memory */
	struct page *head = NULL;
	struct list blocks;

	if (count < 2)
		return NULL;
	list_init(&blocks);
	if (zone_alloc_list(z, order, count, GFP_KERNEL, &blocks) == 0)
		return NULL;
	populate_list(z, &blocks, order, gfp);
	if (PORT_POPULATES && list_is_empty(&blocks))
		return NULL;
	head = list_first_entry(&blocks, struct page, link);
	list_remove(&head->link);
	pcp_fill(cpu, &blocks);
	if (!list_is_empty(&blocks))
		zone_free_list(z, &blocks);
	page_note_peak();
	return head;
}

struct page *page_alloc(unsigned order, gfp_t gfp, unsigned node, bool *zero)
{
	struct page *head = NULL;
	unsigned cpu;

	if (order > MAX_ORDER)
		return NULL;
	cpu = percpu_cpu();
	if (page_may_be_kept(gfp) && node_of_cpu(cpu) == node) {
		head = pcp_take(cpu, order);
		if (unlikely(!head) && (gfp & __GFP_DIRECT_RECLAIM))
			head = page_refill(cpu, order, zones.home[node], gfp);
	}
	if (head) {
		*zero = map_clear_dirty(map_page_pfn(head), (size_t)1 << order) == 0 &&
			PORT_ZERO_PAGES;
	} else {
		head = page_find_hard(order, (size_t)1 << order, gfp, node, zero);
	}
	if (!head)
		return NULL;
	head->kind = PAGE_BLOCK;
	head->order = (u8)order;
	return head;
}

/* A page that was on a list becomes the caller's. */
static void page_hand_over(struct page *page, gfp_t gfp)
{
	bool dirty = map_clear_dirty(map_page_pfn(page), 1) != 0;

	page->kind = PAGE_BLOCK;
	page->order = 0;
	if ((gfp & __GFP_ZERO) && (dirty || !PORT_ZERO_PAGES))
		memset(map_page_address(page), 0, PAGE_SIZE);
}

/* What the lists have that are the nearest. */
static size_t page_bulk_near(struct page **pages, size_t count, gfp_t gfp, unsigned node)
{
	struct zone *z = zones.home[node];
	unsigned cpu = port_cpu();
	struct list blocks;
	size_t n = 0;

	if (!page_may_be_kept(gfp) || !z)
		return 0;
	if (node_of_cpu(cpu) == node)
		n = pcp_take_bulk(cpu, pages, count);
	list_init(&blocks);
	if (n < count)
		zone_alloc_list(z, 0, (unsigned)size_min(count - n, UINT16_MAX), gfp, &blocks);
	populate_list(z, &blocks, 0, gfp);
	while (!list_is_empty(&blocks)) {
		pages[n] = list_first_entry(&blocks, struct page, link);
		list_remove(&pages[n++]->link);
	}
	for (size_t i = 0; i < n; i++)
		page_hand_over(pages[i], gfp);
	page_note_peak();
	return n;
}

size_t page_alloc_bulk(struct page **pages, size_t count, gfp_t gfp, unsigned node)
{
	size_t n = 0;

	while (n < count) {
		size_t got = page_bulk_near(pages + n, count - n, gfp, node);
		bool zero;

		n += got;
		if (n == count || (pages[n] = page_alloc(0, gfp, node, &zero)) == NULL)
			break;
		if ((gfp & __GFP_ZERO) && !zero)
			memset(map_page_address(pages[n]), 0, PAGE_SIZE);
		n++;
	}
	return n;
}

unsigned page_node(const struct page *page)
{
	return zones_of(map_page_pfn(page))->node;
}

void page_free_list(struct list *blocks)
{
	while (!list_is_empty(blocks)) {
		struct zone *z = page_zone(list_first_entry(blocks, struct page, link));
		struct list own;
		struct list *link;
		struct list *next;

		if (zones.count == 1) {
			zone_free_list(z, blocks);
			return;
		}
		list_init(&own);
		for (link = blocks->next; link != blocks; link = next) {
			next = link->next;
			if (page_zone(container_of(link, struct page, link)) != z)
				continue;
			list_remove(link);
			list_add_tail(&own, link);
		}
		zone_free_list(z, &own);
	}
}

/* Does the CPU keep pages of its node's highest zone, and is this one? Now it is known (C5). */
static noinline bool page_begins_to_be_kept(unsigned cpu, size_t pfn)
{
	unsigned node = node_of_cpu(cpu);
	const struct zone *z = node < node_table.count ? zones.home[node] : NULL;

	if (!z)
		return false;
	if (!READ_ONCE(pcp[cpu].span))
		pcp_open(cpu, z->first_pfn, z->end_pfn - z->first_pfn);
	return pfn - z->first_pfn < z->end_pfn - z->first_pfn;
}

bool page_is_kept(unsigned cpu, size_t pfn)
{
	if (NR_MIGRATE_TYPES > 1 && unlikely(buddy_type(pfn) != MIGRATE_UNMOVABLE))
		return false;
	return likely(pcp_serves(cpu, pfn)) || page_begins_to_be_kept(cpu, pfn);
}

void page_free(struct page *head, unsigned order)
{
	ASSERT(head->kind != PAGE_FREE && head->kind != PAGE_TAIL && head->order == order);
	page_give(head, (size_t)1 << order, false);
}

void page_free_holed(struct page *head, u64 absent)
{
	size_t pfn = map_page_pfn(head);
	size_t count = (size_t)1 << head->order;

	map_set_dirty(pfn, count);
	__atomic_fetch_add(&page_zone(head)->discarded, bits_count(absent), __ATOMIC_RELAXED);
	for (; absent; absent &= absent - 1)
		map_clear_dirty(pfn + bits_lowest(absent), 1);
	zone_try_return(page_zone(head), pfn, count);
}

size_t page_discard(size_t keep)
{
	size_t total = 0;

	if (!PORT_GIVES_BACK)
		return 0;
	for (unsigned i = 0; i < zones.count; i++)
		total += zone_discard(&zones.of[i], keep / zones.count);
	return total;
}

size_t page_offline(void)
{
	size_t total = 0;

	if (!PORT_GIVES_BACK)
		return 0;
	for (unsigned i = 0; i < zones.count; i++)
		total += zone_offline(&zones.of[i]);
	if (total)
		zones_set_reserves();
	return total;
}

void page_drain(void)
{
	struct list out;

	list_init(&out);
	for (unsigned cpu = 0; cpu < pcp_cpus(); cpu++)
		pcp_drain(cpu, &out);
	if (!list_is_empty(&out))
		page_free_list(&out);
}

void page_stat(struct page_stat *stat)
{
	*stat = (struct page_stat){ 0 };
	for (unsigned i = 0; i < zones.count; i++) {
		const struct zone *z = &zones.of[i];

		stat->online_pages += READ_ONCE(z->managed_pages);
		stat->free_pages += READ_ONCE(z->free_pages);
		stat->dirty_pages += READ_ONCE(z->dirty_pages);
		stat->refaulted += READ_ONCE(z->refaulted);
		stat->discarded += READ_ONCE(z->discarded);
	}
	for (unsigned cpu = 0; cpu < pcp_cpus(); cpu++)
		stat->pcp_pages += pcp_pages(cpu);
	stat->peak_pages = READ_ONCE(memory.peak_pages);
}

void page_tables(struct page_tables *tables)
{
	*tables = (struct page_tables){
		.zones = zones.of,
		.zone_count = zones.count,
		.peak_pages = &memory.peak_pages,
	};
	tables->pcp_pages = pcp_pages_table(&tables->pcp_step);
}

size_t page_audit(void)
{
	size_t faults = zones_audit();

	for (unsigned cpu = 0; cpu < memory.cpus; cpu++)
		faults += pcp_audit(cpu);
	return faults;
}

void page_lock_all(void)
{
	for (unsigned cpu = 0; cpu < memory.cpus; cpu++)
		pcp_lock(cpu);
	lock_acquire_more(&zone_growth);
	for (unsigned i = 0; i < zones.count; i++)
		lock_acquire_more(&zones.of[i].lock);
	map_lock_all();
}

void page_unlock_all(void)
{
	map_unlock_all();
	for (unsigned i = 0; i < zones.count; i++)
		lock_release(&zones.of[i].lock);
	lock_release(&zone_growth);
	for (unsigned cpu = 0; cpu < memory.cpus; cpu++)
		pcp_unlock(cpu);
}
