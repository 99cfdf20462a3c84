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
#include "cache/hold.h"
#include "cache/kmalloc.h"
#include "cache/report_own.h"
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

/* The node whose slab @p is in, or NULL: @p may be anything. */
static const struct kmem_cache_node *report_node(const void *p)
{
	return map_contains(p) ? cache_node_at(map.ids[map_pfn(p)]) : NULL;
}

/* @p, or NULL: whoever took and freed this object is named, too. */
_Noreturn static void report_end(struct text *t, const void *p)
{
	const struct guard_slot *s = guard_find(p);
	const struct kmem_cache_node *n = report_node(p);
	struct slab_object o;

	anchor_event(ASHLAR_EVENT_MISUSE);
	anchor_message(t->bytes, t->length);
	text_print(t);
	if (s)
		dossier_print_tracks(s->cache, p);
	if (n && slab_find(n, p, &o))
		dossier_print_tracks(n->cache, o.start);
	check_end();
}

static bool report_begins(const char *function, const char *with)
{
	while (*with && *function == *with) {
		function++;
		with++;
	}
	return !*with;
}

bool report_is_free(const char *function)
{
	return report_begins(function, "free") || report_begins(function, "kfree") ||
	       report_begins(function, "kvfree") || report_begins(function, "mempool_free") ||
	       report_begins(function, "kmem_cache_free") || function[0] == 'o';
}

bool report_wants_pages(const char *function)
{
	return report_begins(function, "free_pages") || report_begins(function, "get_page") ||
	       report_begins(function, "put_page") || report_begins(function, "page_count");
}

const char *report_wants(const char *function)
{
	if (report_wants_pages(function))
		return "block of pages";
	if (report_begins(function, "kmem_cache_free"))
		return "object of a cache";
	return report_begins(function, "kmem_cache_") ? "cache" : NULL;
}

void report_invalid(struct text *t, const char *function)
{
	text_str(t, report_is_free(function) ? "invalid free: " : "invalid pointer: ");
}

void report_again(struct text *t, const char *function)
{
	text_str(t, report_is_free(function) ? "double free: " : "use after free: ");
}

void report_no(struct text *t, const char *function, const char *what)
{
	report_invalid(t, function);
	text_str(t, "this is no ");
	text_str(t, what);
	text_str(t, ", but ");
}

static bool report_is_used(const struct slab_object *o)
{
	u8 state = *map_state(o->start);

	return state == map_state_in_use(o->start) || state == STATE_CHARGED;
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
		return "held: Ashlar's own, or waiting in a mempool, in a sheaf or for RCU";
	default:
		return "in use";
	}
}

/* @start is held: no free of it is right, the first or a later one. */
static void report_held(struct text *t, const char *function, const struct kmem_cache_node *n,
			const void *start)
{
	const struct kmem_cache *described = cache_described(n, start);

	if (described) {
		report_invalid(t, function);
		text_str(t, "this describes the cache ");
		text_str(t, described->name);
		text_str(t, ": kmem_cache_destroy ends it");
	} else {
		report_again(t, function);
		text_str(t, "this object of ");
		text_str(t, n->cache->name);
		text_str(t, " is held");
	}
}

void report_distance(struct text *t, const void *p, const void *start)
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
	const char *wanted = report_wants(function);
	struct slab_object o;

	if (!slab_find(n, p, &o)) {
		report_invalid(t, function);
		text_str(t, "no object starts here, between the objects of ");
		text_str(t, c->name);
		text_char(t, '\n');
		return;
	}
	if (wanted && (report_wants_pages(function) || (o.start == p && report_is_used(&o)))) {
		report_no(t, function, wanted);
		text_str(t, o.start == p ? "an object of " : "inside an object of ");
		text_str(t, c->name);
	} else if (o.start != p) {
		report_invalid(t, function);
		report_distance(t, p, o.start);
		text_str(t, " inside an object of ");
		text_str(t, c->name);
		text_str(t, " that starts at ");
		text_pointer(t, o.start);
	} else if (hold_is(p)) {
		report_held(t, function, n, p);
	} else {
		report_again(t, function);
		text_str(t, "this object of ");
		text_str(t, c->name);
		text_str(t, " is already free");
	}
	text_char(t, '\n');
	report_object(t, c, &o);
	report_bytes(t, o.start);
}

/* A pointer into a slot, at no object in use or not at its start. */
static void report_in_slot(struct text *t, const char *function, const char *p,
			   const struct guard_slot *s)
{
	if (s->object == p && guard_is_free(s)) {
		report_again(t, function);
		text_str(t, "this object of ");
		text_str(t, s->name);
		text_str(t, " is already free\n");
	} else if (s->object == p) {
		report_again(t, function);
		text_str(t, "this object of ");
		text_str(t, s->name);
		text_str(t, " is held\n");
	} else {
		report_invalid(t, function);
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
		report_outside(&t, function, p);
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
	const struct kmem_cache_node *n = report_node(p);
	struct text t;

	text_init(&t);
	text_str(&t, "ashlar: malloc: corruption: object ");
	text_pointer(&t, p);
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
	const struct kmem_cache_node *n = report_node(p);
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
		size_t bytes = kmalloc_usable(p, function);

		text_str(&t, " bytes, this is a large block of ");
		text_dec(&t, bytes);
		text_str(&t, " bytes\n  block    [");
		text_pointer(&t, p);
		text_str(&t, " - ");
		text_pointer(&t, (const char *)p + bytes);
		text_str(&t, ")\n");
	}
	report_end(&t, p);
}

_Noreturn void report_cache(const struct kmem_cache *c, const void *p)
{
	const struct kmem_cache_node *n = report_node(p);
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
