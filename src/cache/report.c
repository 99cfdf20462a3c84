/* SPDX-License-Identifier: MIT */
/*
 * report.c - see report.h
 */
#include "cache/report.h"
#include "base/check.h"
#include "base/text.h"
#include "cache/anchor.h"
#include "cache/cache.h"
#include "cache/dossier.h"
#include "cache/guard_slot.h"
#include "cache/kmalloc.h"
#include "engine/walk.h"
#include "port/port.h"

#define REPORT_BYTES 32u /* of the object shown */
#define REPORT_LEAKED 8u /* objects that are named one by one */

/* "ashlar: free(0x1234): " */
static void report_begin(struct text *t, const char *function, const void *p)
{
	text_init(t);
	text_str(t, "ashlar: ");
	text_str(t, function);
	text_char(t, '(');
	text_pointer(t, p);
	text_str(t, "): ");
}

static void report_bytes(struct text *t, const void *p)
{
	const u8 *bytes = p;

	text_str(t, "  bytes   ");
	for (unsigned i = 0; i < REPORT_BYTES; i++) {
		text_char(t, ' ');
		text_hex(t, bytes[i], 2);
	}
	text_char(t, '\n');
}

/* @p, or NULL: whoever took and freed this object is named, too. */
_Noreturn static void report_end(struct text *t, const void *p)
{
	const struct guard_slot *s = guard_find(p);
	const struct kmem_cache_node *n = NULL;
	struct slab_object o;

	anchor_event(ASHLAR_EVENT_MISUSE);
	anchor_message(t->bytes, t->length);
	text_print(t);
	if (p && map_contains(p))
		n = cache_node_at(map.ids[map_pfn(p)]);
	if (s)
		dossier_print_tracks(s->cache, p);
	if (n && slab_find(n, p, &o))
		dossier_print_tracks(n->cache, o.start);
	check_end();
}

/* Frees say "double free" of what is free already; everything else says "use after free". */
static bool report_is_free(const char *function)
{
	size_t n = 0;

	while (function[n])
		n++;
	return text_equals(function, size_min(n, 4), "free") ||
	       text_equals(function, size_min(n, 5), "kfree") ||
	       text_equals(function, size_min(n, 6), "kvfree") ||
	       text_equals(function, n, "mempool_free") || function[0] == 'o' ||
	       text_equals(function, n, "kmem_cache_free");
}

/* Where an object is: what its state says, and of a free one its slab's bitmap. */
static const char *report_place(const struct slab_object *o)
{
	switch (*map_state(o->start)) {
	case STATE_FREE:
		return o->free ? "in the slab" : "in an array";
	case STATE_PENDING:
		return "freed, on its way to the slab";
	case STATE_NONE:
		return "in a slab that is gone";
	case STATE_HELD:
	case STATE_HELD_CHARGED:
		return "held: it waits in a mempool, in a sheaf or for RCU";
	default:
		return "in use";
	}
}

static void report_distance(struct text *t, const void *p, const void *start)
{
	u64 bytes = (u64)((const char *)p - (const char *)start);

	text_dec(t, bytes);
	text_str(t, bytes == 1 ? " byte" : " bytes");
}

static void report_object(struct text *t, const struct kmem_cache *c, const struct slab_object *o)
{
	text_str(t, "  object   ");
	text_str(t, c->name);
	text_str(t, " [");
	text_pointer(t, o->start);
	text_str(t, " - ");
	text_pointer(t, (char *)o->start + c->shape.stride);
	text_str(t, "), number ");
	text_dec(t, o->index);
	text_str(t, " of its slab, ");
	text_str(t, report_place(o));
	text_char(t, '\n');
}

static void report_in_slab(struct text *t, const char *function, const void *p,
			   const struct kmem_cache_node *n)
{
	const struct kmem_cache *c = n->cache;
	bool is_free = report_is_free(function);
	struct slab_object o;

	if (!slab_find(n, p, &o)) {
		text_str(t, is_free ? "invalid free: " : "invalid pointer: ");
		text_str(t, "no object starts here, between the objects of ");
		text_str(t, c->name);
		text_char(t, '\n');
		return;
	}
	if (o.start != p) {
		text_str(t, is_free ? "invalid free: " : "invalid pointer: ");
		report_distance(t, p, o.start);
		text_str(t, " inside an object of ");
		text_str(t, c->name);
		text_str(t, " that starts at ");
		text_pointer(t, o.start);
	} else {
		text_str(t, is_free ? "double free: " : "use after free: ");
		text_str(t, "this object of ");
		text_str(t, c->name);
		text_str(t, " is already free");
	}
	text_char(t, '\n');
	report_object(t, c, &o);
	report_bytes(t, o.start);
}

/* The head of the run or pool's block in use that holds page @pfn, or NULL: heads lie before their
 * tails. */
static const struct page *report_find_head(size_t pfn)
{
	size_t lowest = pfn > (size_t)1 << MAX_ORDER ? pfn - ((size_t)1 << MAX_ORDER) : 0;

	for (size_t i = pfn + 1; i-- > lowest;) {
		const struct page *head = &map.pages[i];

		if (!map_is_known(i))
			return NULL;
		if (head->kind == PAGE_LARGE)
			return i + head->pages > pfn ? head : NULL;
		if (head->kind == PAGE_POOL)
			return i + ((size_t)1 << head->order) > pfn ? head : NULL;
		if (head->kind != PAGE_TAIL)
			return NULL;
	}
	return NULL;
}

const struct page *report_find_run(size_t pfn)
{
	const struct page *head = report_find_head(pfn);

	return head && head->kind == PAGE_LARGE ? head : NULL;
}

static void report_in_pages(struct text *t, const char *function, const void *p)
{
	const struct page *head = report_find_head(map_pfn(p));
	bool is_free = report_is_free(function);

	if (head && head->kind == PAGE_POOL) {
		text_str(t, is_free ? "invalid free: " : "invalid pointer: ");
		text_str(t, "this is in a pool's block: slab_free or pool_kfree takes it back");
	} else if (head && map_page_address(head) != p) {
		text_str(t, is_free ? "invalid free: " : "invalid pointer: ");
		report_distance(t, p, map_page_address(head));
		text_str(t, " inside a large block of ");
		text_dec(t, head->pages << PAGE_SHIFT);
		text_str(t, " bytes that starts at ");
		text_pointer(t, map_page_address(head));
	} else if (((uintptr_t)p & (PAGE_SIZE - 1)) == 0 &&
		   map.pages[map_pfn(p)].kind != PAGE_GUARD) {
		text_str(t, is_free ? "double free: " : "use after free: ");
		text_str(t, "this large block is already free");
	} else {
		text_str(t, is_free ? "invalid free: " : "invalid pointer: ");
		text_str(t, "no block starts here");
	}
	text_str(t, "\n  address  in Ashlar's memory, page ");
	text_dec(t, map_pfn(p));
	text_char(t, '\n');
}

/* A pointer into a slot, at no object in use or not at its start. */
static void report_in_slot(struct text *t, const char *function, const char *p,
			   const struct guard_slot *s)
{
	bool is_free = report_is_free(function);

	if (s->object == p && guard_is_free(s)) {
		text_str(t, is_free ? "double free: " : "use after free: ");
		text_str(t, "this object of ");
		text_str(t, s->name);
		text_str(t, " is already free\n");
	} else if (s->object == p) {
		text_str(t, is_free ? "double free: " : "use after free: ");
		text_str(t, "this object of ");
		text_str(t, s->name);
		text_str(t, " is held\n");
	} else {
		text_str(t, is_free ? "invalid free: " : "invalid pointer: ");
		if (p < s->object || p >= s->object + s->size) {
			text_str(t, "no object starts here, beside one of ");
			text_str(t, s->name);
		} else {
			report_distance(t, p, s->object);
			text_str(t, " inside an object of ");
			text_str(t, s->name);
			text_str(t, " that starts at ");
			text_pointer(t, s->object);
		}
		text_char(t, '\n');
	}
	guard_line(t, s);
}

_Noreturn void report_pointer(const char *function, const void *p)
{
	const struct guard_slot *s = guard_find(p);
	struct text t;
	u32 header_offset;

	report_begin(&t, function, p);
	if (!map_contains(p)) {
		bool ours = (uintptr_t)p - map.base < map.nr_pages << PAGE_SHIFT;

		text_str(&t, report_is_free(function) ? "invalid free: " : "invalid pointer: ");
		text_str(&t, ours ? "no block starts here" : "this memory is not Ashlar's");
		text_str(&t, "\n  arena    [");
		text_pointer(&t, (void *)map.base);
		text_str(&t, " - ");
		text_pointer(&t, map_address(map.nr_pages));
		text_str(&t, "), in use below ");
		text_pointer(&t, (void *)(map.base + (map.granules << GRANULE_SHIFT)));
		text_str(&t, "\n");
		report_end(&t, p);
	}
	header_offset = map.ids[map_pfn(p)];
	if (header_offset && cache_node_at(header_offset))
		report_in_slab(&t, function, p, cache_node_at(header_offset));
	else if (s && s->object)
		report_in_slot(&t, function, p, s);
	else
		report_in_pages(&t, function, p);
	report_end(&t, p);
}

_Noreturn void report_claim(const void *p)
{
	const struct kmem_cache_node *n = NULL;
	struct text t;

	text_init(&t);
	text_str(&t, "ashlar: malloc: corruption: object ");
	text_pointer(&t, p);
	if (map_contains(p))
		n = cache_node_at(map.ids[map_pfn(p)]);
	if (n) {
		text_str(&t, " of ");
		text_str(&t, n->cache->name);
		text_str(&t,
			 " was handed out while in use\n  cause    it was freed twice at the same "
			 "time, or an array of Ashlar's was overwritten\n");
	} else {
		text_str(&t,
			 " was in an array, but is no object\n  cause    an array of Ashlar's was "
			 "overwritten\n");
	}
	report_end(&t, p);
}

_Noreturn void report_size(const char *function, const void *p, size_t size)
{
	const struct guard_slot *s = guard_find(p);
	const struct kmem_cache_node *n = cache_node_at(map.ids[map_pfn(p)]);
	struct text t;

	report_begin(&t, function, p);
	text_str(&t, "wrong size: freed with ");
	text_dec(&t, size);
	if (n) {
		text_str(&t, " bytes, this object is of ");
		text_str(&t, n->cache->name);
		text_str(&t, "\n  sizes    this cache serves up to ");
		text_dec(&t, n->cache->object_size);
		text_str(&t, " bytes\n");
	} else if (s) {
		text_str(&t, " bytes, this object is of ");
		text_str(&t, s->name);
		text_char(&t, '\n');
		guard_line(&t, s);
	} else {
		text_str(&t, " bytes, this is a large block of ");
		text_dec(&t, kmalloc_usable(p, function));
		text_str(&t, " bytes\n");
	}
	report_end(&t, p);
}

_Noreturn void report_cache(const struct kmem_cache *c, const void *p)
{
	const struct kmem_cache_node *n = cache_node_at(map.ids[map_pfn(p)]);
	const struct guard_slot *s = guard_find(p);
	struct text t;

	report_begin(&t, "kmem_cache_free", p);
	if (cache_is_cache(c)) {
		text_str(&t, "wrong cache: freed to ");
		text_str(&t, c->name);
	} else {
		text_str(&t, "use after free: freed to a cache that is destroyed");
	}
	text_str(&t, ", this object is of ");
	text_str(&t, s ? s->name : n ? n->cache->name : "no cache (a large block)");
	text_str(&t, "\n  hint     kfree frees objects of any cache\n");
	report_end(&t, p);
}

_Noreturn void report_nolock(const void *p, const char *why)
{
	struct text t;

	report_begin(&t, "kfree_nolock", p);
	text_str(&t, "wrong function: ");
	text_str(&t, why);
	text_str(&t, "\n  hint     kfree takes it back\n");
	report_end(&t, p);
}

void report_refusal(const char *function, const char *name, const char *why)
{
	struct text t;

	text_init(&t);
	text_str(&t, "ashlar: ");
	text_str(&t, function);
	text_str(&t, name ? "(\"" : "()");
	text_str(&t, name ? name : "");
	text_str(&t, name ? "\"): refused: " : ": refused: ");
	text_str(&t, why);
	text_char(&t, '\n');
	anchor_event(ASHLAR_EVENT_REFUSAL);
	anchor_message(t.bytes, t.length);
	text_print(&t);
}

/* Name the first of @live objects that users still have. */
static void report_leaked(struct text *t, const struct kmem_cache *c, size_t live)
{
	void *objects[REPORT_LEAKED];
	unsigned found = walk_in_use(c->header_offset, objects, REPORT_LEAKED);

	found += guard_in_use(c, objects + found, REPORT_LEAKED - found);
	for (unsigned i = 0; i < found; i++) {
		text_str(t, "  object   ");
		text_pointer(t, objects[i]);
		text_char(t, '\n');
		text_print(t);
		if (guard_find(objects[i]))
			dossier_print_tracks(c, objects[i]);
	}
	if (live > found) {
		text_str(t, "  and ");
		text_dec(t, live - found);
		text_str(t, " more\n");
		text_print(t);
	}
}

void report_leak(const char *function, const char *what, const struct kmem_cache *c, size_t objects)
{
	struct text t;

	text_init(&t);
	text_str(&t, "ashlar: ");
	text_str(&t, function);
	text_str(&t, "(\"");
	text_str(&t, c->name);
	text_str(&t, "\"): ");
	text_dec(&t, objects);
	text_str(&t, objects == 1 ? " object is" : " objects are");
	text_str(&t, " still in use; the ");
	text_str(&t, what);
	text_str(&t, " stays\n");
	anchor_event(ASHLAR_EVENT_LEAK);
	anchor_message(t.bytes, t.length);
	text_print(&t);
	report_leaked(&t, c, objects);
}

_Noreturn void report_usercopy(const void *p, size_t bytes, bool to_user, const char *why)
{
	const struct kmem_cache_node *n = NULL;
	struct text t;

	report_begin(&t, "check_object_size", p);
	text_str(&t, to_user ? "user copy: reading " : "user copy: writing ");
	text_dec(&t, bytes);
	text_str(&t, " bytes is refused: ");
	text_str(&t, why);
	text_char(&t, '\n');
	if (map_contains(p))
		n = cache_node_at(map.ids[map_pfn(p)] & ~15u);
	if (n) {
		text_str(&t, "  window   ");
		text_str(&t, n->cache->name);
		text_str(&t, " lets through ");
		text_dec(&t, n->cache->flags & SLAB_KMALLOC ? n->cache->object_size :
							      n->cache->usersize);
		text_str(&t, " bytes at offset ");
		text_dec(&t, n->cache->useroffset);
		text_char(&t, '\n');
	}
	report_end(&t, p);
}
