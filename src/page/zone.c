/* SPDX-License-Identifier: MIT */
/*
 * zone.c - see zone.h
 */
#include "page/zone.h"
#include "base/bits.h"
#include "base/check.h"
#include "page/node.h"
#include "page/zones.h"
#include "port/port.h"

#define ZONE_OFFLINE_ORDER (MAX_ORDER - 2) /* smaller free blocks stay online: 2 MiB in a process */
/* Growth comes in steps of an eighth of what is online, at most this many pages. */
#define ZONE_STEP_MAX (PORT_GROW_BYTES >> PORT_PAGE_SHIFT)

struct lock zone_growth;

/* Z3 */
static void zone_bind(const struct zone *z, size_t pfn, size_t count)
{
	if (node_table.count > 1 && !node_table.fake)
		port_bind(map_address(pfn), count << PAGE_SHIFT, z->node);
}

void zone_init(struct zone *z, unsigned index, unsigned node, size_t first, size_t end)
{
	*z = (struct zone){
		.index = (u8)index,
		.node = (u8)node,
		.kind = ZONE_NORMAL,
		.first_pfn = first,
		.end_pfn = end,
		.online_end = first,
	};
	list_init(&z->offline);
	buddy_init(z);
}

/* Integer square root, by bits: for the watermarks only. */
static size_t zone_square_root(size_t n)
{
	size_t root = 0;

	for (size_t bit = (size_t)1 << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	return root;
}

/* P7: min is sqrt(16 * size) in KiB, low and high a quarter of min apart. */
static void zone_set_watermarks(struct zone *z)
{
	size_t kib = z->managed_pages << PAGE_SHIFT >> 10;
	size_t min = zone_square_root(16 * kib) << 10 >> PAGE_SHIFT;

	z->watermark[WATERMARK_MIN] = min;
	z->watermark[WATERMARK_LOW] = min + min / 4;
	z->watermark[WATERMARK_HIGH] = min + min / 2;
}

/* Z1, ZK3: pages that must stay free after this request. */
static size_t zone_reserve(const struct zone *z, gfp_t gfp)
{
	size_t min = z->watermark[WATERMARK_MIN];

	if ((gfp & __GFP_MEMALLOC) && !(gfp & __GFP_NOMEMALLOC))
		return 0;
	if (gfp & __GFP_HIGH)
		min -= min / 2;
	return min + READ_ONCE(z->lowmem_reserve[zones_kind(gfp)]);
}

/* Pages leave the zone: learn what of them had been given back. */
static void zone_learn(struct zone *z, size_t pfn, size_t count, size_t dirty)
{
	if (dirty < count && pfn < z->touched_end)
		z->refaulted += size_min(count, z->touched_end - pfn) - size_min(dirty, count);
}

/* The same, and forget what was dirty in them. */
static void zone_hand_out(struct zone *z, struct page *head, size_t count, bool *zero)
{
	size_t pfn = map_page_pfn(head);
	size_t dirty = head->pages ? map_clear_dirty(pfn, count) : 0;

	zone_learn(z, pfn, count, dirty);
	*zero = PORT_ZERO_PAGES && dirty == 0;
}

/* The first @count pages of a block of 2^order; the rest of the block stays here. */
static struct page *zone_take(struct zone *z, unsigned order, size_t count, gfp_t gfp, bool *zero)
{
	size_t size = (size_t)1 << order;
	struct page *head;

	if (z->free_pages < size + zone_reserve(z, gfp))
		return NULL;
	head = buddy_take_type(z, order, buddy_type_of(gfp), !(gfp & ZONE_GFP_APART));
	if (!head)
		return NULL;
	if (count < size)
		zone_give(z, map_page_pfn(head) + count, size - count);
	zone_hand_out(z, head, count, zero);
	return head;
}

/* Z5: whoever deals in pages does first what was left to him. */
static inline void zone_lock(struct zone *z)
{
	lock_acquire(&z->lock);
	if (unlikely(LOAD_ACQUIRE(z->late)))
		zone_late_sweep(z);
}

/* Z4 */
static inline bool zone_lock_for(struct zone *z, gfp_t gfp)
{
	if (!lock_acquire_for(&z->lock, gfp))
		return false;
	if (unlikely(LOAD_ACQUIRE(z->late)))
		zone_late_sweep(z);
	return true;
}

struct page *zone_alloc(struct zone *z, unsigned order, size_t count, gfp_t gfp, bool *zero)
{
	struct page *head;

	if (!zone_lock_for(z, gfp))
		return NULL;
	head = zone_take(z, order, count, gfp, zero);
	lock_release(&z->lock);
	return head;
}

unsigned zone_alloc_list(struct zone *z, unsigned order, unsigned count, gfp_t gfp,
			 struct list *blocks)
{
	size_t size = (size_t)1 << order;
	unsigned n = 0;

	if (!zone_lock_for(z, gfp))
		return 0;
	for (; n < count && z->free_pages >= size + zone_reserve(z, 0); n++) {
		struct page *head = buddy_take_type(z, order, MIGRATE_UNMOVABLE, false);

		if (!head)
			break;
		zone_learn(z, map_page_pfn(head), size, head->pages);
		list_add_tail(blocks, &head->link);
	}
	lock_release(&z->lock);
	return n;
}

/* The largest aligned blocks that it is made of. */
void zone_give(struct zone *z, size_t pfn, size_t count)
{
	size_t end = pfn + count;

	while (pfn < end) {
		unsigned order = zone_largest_order(pfn, end);

		buddy_give(z, pfn, order);
		pfn += (size_t)1 << order;
	}
}

void zone_free(struct zone *z, size_t pfn, size_t count)
{
	map_set_dirty(pfn, count);
	zone_lock(z);
	zone_give(z, pfn, count);
	lock_release(&z->lock);
}

void zone_free_list(struct zone *z, struct list *blocks)
{
	zone_lock(z);
	while (!list_is_empty(blocks)) {
		struct page *head = list_first_entry(blocks, struct page, link);
		size_t pfn = map_page_pfn(head);

		list_remove(&head->link);
		if (head->order == PAGE_RUN)
			zone_give(z, pfn, head->pages);
		else
			buddy_give(z, pfn, head->order);
	}
	lock_release(&z->lock);
}

/* A run that is new to the zone becomes free; under the lock. */
static void zone_add(struct zone *z, size_t pfn, size_t count)
{
	z->managed_pages += count;
	zone_set_watermarks(z);
	zone_give(z, pfn, count);
}

/* Where the next growth by @count pages would end, or the zone does; 0: there is no room. */
static size_t zone_next_end(const struct zone *z, unsigned order, size_t count, size_t grain)
{
	size_t size = (size_t)1 << order;
	size_t end = size_align(z->online_end + size_align(count, map_grain()), grain);
	size_t block_end = size_align(z->online_end, size) + size;

	end = size_max(end, size_align(block_end, map_grain()));
	end = size_min(end, z->end_pfn & ~(map_grain() - 1));
	return end > z->online_end ? end : 0;
}

static void zone_set_offline(struct zone *z, struct page *head)
{
	lock_acquire(&z->lock);
	list_add(&z->offline, &head->link);
	z->offline_pages += (size_t)1 << head->order;
	lock_release(&z->lock);
}

/* A block that went offline comes online again; under the growth lock. */
static bool zone_reonline(struct zone *z)
{
	struct page *head = NULL;

	lock_acquire(&z->lock);
	if (!list_is_empty(&z->offline)) {
		head = list_first_entry(&z->offline, struct page, link);
		list_remove(&head->link);
		z->offline_pages -= (size_t)1 << head->order;
	}
	lock_release(&z->lock);
	if (!head)
		return false;
	if (!map_online_again(map_page_pfn(head), (size_t)1 << head->order)) {
		zone_set_offline(z, head);
		return false;
	}
	zone_bind(z, map_page_pfn(head), (size_t)1 << head->order);
	lock_acquire(&z->lock);
	zone_add(z, map_page_pfn(head), (size_t)1 << head->order);
	lock_release(&z->lock);
	return true;
}

/* Pages before @end are known now, but are no memory until they are added. Growth lock. */
static void zone_know(struct zone *z, size_t end)
{
	z->absent_pages += end - z->online_end;
	STORE_RELEASE(z->online_end, end);
}

/* New memory; under the growth lock. */
static void zone_add_run(struct zone *z, size_t pfn, size_t count)
{
	z->absent_pages -= count;
	lock_acquire(&z->lock);
	zone_add(z, pfn, count);
	lock_release(&z->lock);
}

/* What there is memory for in [pfn, end) becomes free. */
static bool zone_add_memory(struct zone *z, size_t pfn, size_t end)
{
	void *start = map_address(pfn);
	size_t bytes = (end - pfn) << PAGE_SHIFT;
	bool added = false;

	while (pfn < end && port_memory(&start, &bytes, true)) {
		zone_add_run(z, map_pfn(start), bytes >> PAGE_SHIFT);
		added = true;
		pfn = map_pfn(start) + (bytes >> PAGE_SHIFT);
		start = map_address(pfn);
		bytes = (end - pfn) << PAGE_SHIFT;
	}
	return added;
}

/* Step over a hole in the machine's memory; false iff there is no more memory behind it. */
static bool zone_skip(struct zone *z)
{
	size_t begin = z->online_end;
	void *start = map_address(begin);
	size_t bytes = (z->end_pfn - begin) << PAGE_SHIFT;
	size_t next;

	if (begin >= z->end_pfn || !port_memory(&start, &bytes, false))
		return false;
	next = map_pfn(start) & ~(map_grain() - 1);
	if (next <= begin)
		return true;
	if (!map_skip(begin, next - begin))
		return false;
	zone_know(z, next);
	return true;
}

/* Bring [online_end, end) online and make it free; under the growth lock. */
static bool zone_extend(struct zone *z, size_t end)
{
	size_t begin = z->online_end;

	if (end == 0 || !map_online(begin, end - begin))
		return false;
	zone_bind(z, begin, end - begin);
	zone_know(z, end);
	return zone_add_memory(z, begin, end);
}

bool zone_grow(struct zone *z, unsigned order, size_t pages)
{
	size_t seen = READ_ONCE(z->managed_pages);
	size_t step = size_min(seen / 8, ZONE_STEP_MAX);
	size_t want = size_max(size_max(pages, step), (size_t)1 << order);
	size_t whole = NR_MIGRATE_TYPES > 1 ? (size_t)1 << PAGEBLOCK_ORDER : 1; /* B7 */
	bool grown;

	lock_acquire_outer(&zone_growth);
	grown = READ_ONCE(z->managed_pages) > seen || zone_reonline(z);
	while (!grown && zone_skip(z)) {
		size_t begin = z->online_end;

		grown = zone_extend(z, zone_next_end(z, order, want, whole)) ||
			zone_extend(z, zone_next_end(z, order, pages, 1));
		if (z->online_end == begin)
			break;
	}
	lock_release_outer(&zone_growth);
	return grown;
}

bool zone_claim(struct zone *z, size_t pfn, size_t extra, bool *zero)
{
	size_t end = pfn + extra;
	size_t at = pfn;
	size_t dirty = 0;
	bool got;

	lock_acquire(&z->lock);
	got = end <= LOAD_ACQUIRE(z->online_end) && z->free_pages >= extra + zone_reserve(z, 0);
	while (got && at < end) {
		struct page *head = buddy_find(z, at);

		got = head != NULL && (at > pfn || map_page_pfn(head) == pfn);
		if (got)
			at = map_page_pfn(head) + ((size_t)1 << head->order);
	}
	for (at = pfn; got && at < end;) {
		struct page *head = buddy_find(z, at);
		size_t size = (size_t)1 << head->order;

		buddy_remove(z, head);
		dirty += map_count_dirty(at, size_min(size, end - at));
		if (at + size > end)
			zone_give(z, end, at + size - end);
		at += size;
	}
	if (got) {
		map_clear_dirty(pfn, extra);
		*zero = PORT_ZERO_PAGES && dirty == 0;
	}
	lock_release(&z->lock);
	return got;
}

/* Give the memory of a block's dirty pages back, run by run; the block is nobody's now. */
static size_t zone_discard_block(size_t pfn, size_t count)
{
	size_t end = pfn + count;
	size_t done = 0;

	for (size_t i = pfn; i < end;) {
		size_t run = i;

		while (run < end && map.ids[run])
			run++;
		if (run > i && port_discard(map_address(i), (run - i) << PAGE_SHIFT)) {
			map_clear_dirty(i, run - i);
			done += run - i;
		}
		i = size_max(run, i + 1);
	}
	return done;
}

size_t zone_discard(struct zone *z, size_t keep)
{
	size_t total = 0;

	for (;;) {
		struct page *head = NULL;
		size_t done;
		size_t pfn;

		lock_acquire(&z->lock);
		if (z->dirty_pages > keep && z->dirty_pages >= z->discard_again)
			head = buddy_find_dirty(z);
		if (head) {
			buddy_remove(z, head);
			head->kind = PAGE_ISOLATED;
		}
		lock_release(&z->lock);
		if (!head)
			return total;
		pfn = map_page_pfn(head);
		done = zone_discard_block(pfn, (size_t)1 << head->order);
		if (head->order == MAX_ORDER && !PORT_POPULATES) /* no fault restores a table */
			map_discard_tables(pfn, (size_t)1 << MAX_ORDER);
		lock_acquire(&z->lock);
		__atomic_fetch_add(&z->discarded, done, __ATOMIC_RELAXED); /* page_free_holed */
		z->discard_again =
			done ? 0 : z->dirty_pages * 2; /* locked memory: not at each free */
		buddy_give(z, pfn, head->order);
		lock_release(&z->lock);
		total += done;
		if (done == 0)
			return total;
	}
}

/* The largest free block, no free block any more; NULL iff none is worth taking offline. */
static struct page *zone_take_offline(struct zone *z)
{
	struct page *head = NULL;

	lock_acquire(&z->lock);
	for (unsigned o = MAX_ORDER; !head && o >= ZONE_OFFLINE_ORDER; o--)
		for (unsigned side = 0; !head && side < BUDDY_LISTS; side++)
			if (!list_is_empty(&z->area[o].free[side]))
				head = list_first_entry(&z->area[o].free[side], struct page, link);
	if (head) {
		buddy_remove(z, head);
		head->kind = PAGE_OFFLINE;
		z->managed_pages -= (size_t)1 << head->order;
		zone_set_watermarks(z);
	}
	lock_release(&z->lock);
	return head;
}

size_t zone_offline(struct zone *z)
{
	size_t total = 0;

	for (;;) {
		struct page *head;
		size_t count = 0;

		lock_acquire_outer(&zone_growth);
		head = zone_take_offline(z);
		if (head) {
			count = (size_t)1 << head->order;
			map_offline(map_page_pfn(head), count);
			zone_set_offline(z, head);
		}
		lock_release_outer(&zone_growth);
		if (!head)
			return total;
		total += count;
	}
}
