/* SPDX-License-Identifier: MIT */
/*
 * report_pages.c - what is said of a wrong pointer that is in no slab
 *
 * What    The descriptors tell which block a page is in, and whose that is; outside the arena
 *         the registry of mappings does.
 */
#include "cache/large.h"
#include "cache/report.h"
#include "cache/report_own.h"
#include "page/map.h"

/* Pages of the block that @head begins. */
static size_t report_length(const struct page *head)
{
	bool counted =
		head->kind == PAGE_LARGE || head->kind == PAGE_HELD || head->order > MAX_ORDER;

	return counted ? head->pages : (size_t)1 << head->order;
}

/* The head of the block that page @pfn is in, or NULL: heads lie before their tails. */
static const struct page *report_find_head(size_t pfn)
{
	size_t lowest = pfn > (size_t)1 << MAX_ORDER ? pfn - ((size_t)1 << MAX_ORDER) : 0;

	for (size_t i = pfn + 1; i-- > lowest;) {
		const struct page *head = &map.pages[i];

		if (!map_is_known(i))
			return NULL;
		if (head->kind == PAGE_GUARD)
			return i == pfn ? head : NULL;
		if (head->kind != PAGE_TAIL)
			return i + report_length(head) > pfn ? head : NULL;
	}
	return NULL;
}

const struct page *report_find_run(size_t pfn)
{
	const struct page *head = report_find_head(pfn);

	return head && head->kind == PAGE_LARGE ? head : NULL;
}

static void report_large(struct text *t, size_t bytes)
{
	text_str(t, "a large block of ");
	text_dec(t, bytes);
	text_str(t, " bytes");
}

static void report_block(struct text *t, const struct page *head)
{
	text_str(t, "a block of ");
	text_dec(t, (u64)1 << head->order);
	text_str(t, head->order ? " pages" : " page");
}

static void report_inside(struct text *t, const char *function, const void *p, const void *start)
{
	report_invalid(t, function);
	report_distance(t, p, start);
	text_str(t, " inside ");
}

static void report_starts(struct text *t, const void *start)
{
	text_str(t, " that starts at ");
	text_pointer(t, start);
}

/* @p is in a large block in use, in the arena or not. */
static void report_in_large(struct text *t, const char *function, const char *p, const char *start,
			    size_t bytes)
{
	const char *wanted = report_wants(function);

	if (p != start) {
		report_inside(t, function, p, start);
		report_large(t, bytes);
		report_starts(t, start);
	} else if (wanted) {
		report_no(t, function, wanted);
		report_large(t, bytes);
	} else {
		report_again(t, function);
		text_str(t, "this large block was given back by somebody else at the same time");
	}
}

/* In a block of alloc_pages, which somebody has. */
static void report_in_block(struct text *t, const char *function, const void *p,
			    const struct page *head)
{
	const char *wanted = report_wants(function);

	if (p != map_page_address(head)) {
		report_inside(t, function, p, map_page_address(head));
		report_block(t, head);
		report_starts(t, map_page_address(head));
	} else if (report_wants_pages(function)) {
		text_str(t, "wrong order: this is ");
		report_block(t, head);
		text_str(t, ", order ");
		text_dec(t, head->order);
	} else {
		report_no(t, function, wanted ? wanted : "object");
		report_block(t, head);
		text_str(t, ": free_pages takes it back");
	}
}

/* In a free block: a second free of what was a block or an object there, or a wild pointer. */
static void report_in_free(struct text *t, const char *function, const void *p)
{
	if ((uintptr_t)p & (GRANULE_SIZE - 1)) {
		report_invalid(t, function);
		text_str(t, "no block starts here");
	} else if (map.ids[map_pfn(p)] == MAP_DIRTY) {
		report_again(t, function);
		text_str(t, "this memory is already free");
	} else {
		report_invalid(t, function);
		text_str(t, "this memory is free: nobody had it, or it went back to the system");
	}
}

void report_in_pages(struct text *t, const char *function, const void *p)
{
	const struct page *head = report_find_head(map_pfn(p));

	switch (head ? head->kind : PAGE_GUARD) {
	case PAGE_POOL:
		report_invalid(t, function);
		text_str(t, "this is in a pool's block: slab_free or pool_kfree takes it back");
		break;
	case PAGE_LARGE:
		report_in_large(t, function, p, map_page_address(head), head->pages << PAGE_SHIFT);
		break;
	case PAGE_HELD:
		report_again(t, function);
		text_str(t, "this large block is held: Ashlar's own, or waiting in a mempool");
		text_str(t, " or for RCU");
		break;
	case PAGE_BLOCK:
		if ((int)READ_ONCE(head->refs) > 0)
			report_in_block(t, function, p, head);
		else /* its last reference has just gone */
			report_in_free(t, function, p);
		break;
	case PAGE_TABLE:
		report_invalid(t, function);
		text_str(t, "this memory is Ashlar's own");
		break;
	case PAGE_GUARD:
		report_invalid(t, function);
		text_str(t, "no block starts here");
		break;
	default:
		report_in_free(t, function, p);
		break;
	}
	text_str(t, "\n  address  in Ashlar's memory, page ");
	text_dec(t, map_pfn(p));
	text_char(t, '\n');
}

static void report_in_mapping(struct text *t, const char *function, const char *p,
			      const struct large_place *m)
{
	if (m->used) {
		report_in_large(t, function, p, m->start, m->bytes);
	} else if (p == m->start) {
		report_again(t, function);
		text_str(t, "this large block is already free");
	} else {
		report_inside(t, function, p, m->start);
		text_str(t, "a large block that is already free");
	}
	text_str(t, "\n  block    [");
	text_pointer(t, m->start);
	text_str(t, " - ");
	text_pointer(t, m->start + m->bytes);
	text_str(t, "), a mapping of its own\n");
}

void report_outside(struct text *t, const char *function, const void *p)
{
	bool ours = (uintptr_t)p - map.base < map.nr_pages << PAGE_SHIFT;
	struct large_place mapping;

	if (large_look(p, &mapping)) {
		report_in_mapping(t, function, p, &mapping);
		return;
	}
	report_invalid(t, function);
	text_str(t, ours ? "no block starts here" : "this memory is not Ashlar's");
	text_str(t, "\n  arena    [");
	text_pointer(t, (void *)map.base);
	text_str(t, " - ");
	text_pointer(t, map_address(map.nr_pages));
	text_str(t, "), in use below ");
	text_pointer(t, (void *)(map.base + (map.granules << GRANULE_SHIFT)));
	text_str(t, "\n");
}
