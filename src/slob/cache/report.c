/* SPDX-License-Identifier: MIT */
/*
 * report.c - what is said when the heap was misused, before the program ends (slob)
 *
 * What    As src/cache/report.c, in a line of its own length: no stack to speak of is needed, and
 *         no division.
 */
#include "cache/report.h"
#include "base/check.h"
#include "cache/anchor.h"
#include "cache/block.h"
#include "cache/cache.h"
#include "port/port.h"

#define LINE_BYTES 160u

struct line {
	unsigned length;
	char bytes[LINE_BYTES];
};

static void report_str(struct line *l, const char *s)
{
	while (*s && l->length < LINE_BYTES)
		l->bytes[l->length++] = *s++;
}

/* Hexadecimal, or decimal: by subtraction where a small processor does not divide and numbers are
 * small. */
static void report_number(struct line *l, size_t n, bool hex)
{
	char digits[24];
	unsigned at = sizeof(digits);

	digits[--at] = '\0';
	do {
		size_t digit = n & 15;
		size_t rest = n >> 4;

		if (!hex) {
			rest = PORT_SLOB_STEP ? n / 10 : 0;
			for (digit = n - rest * 10; digit >= 10; digit -= 10)
				rest++;
		}
		digits[--at] = (char)(digit + (digit < 10 ? '0' : 'a' - 10));
		n = rest;
	} while (n);
	report_str(l, digits + at);
}

static void report_hex(struct line *l, uintptr_t n)
{
	report_str(l, "0x");
	report_number(l, n, true);
}

static void report_dec(struct line *l, size_t n)
{
	report_number(l, n, false);
}

/* The first line of a report outlives the terminal: it begins with our name. */
static void report_print(struct line *l)
{
	if (PORT_SLOB_STEP && l->bytes[0] == 'a')
		anchor_message(l->bytes, l->length);
	port_write(l->bytes, l->length);
	l->length = 0;
}

static void report_function(struct line *l, const char *function)
{
	l->length = 0;
	report_str(l, "ashlar: ");
	report_str(l, function);
	report_str(l, "(");
}

static void report_begin(struct line *l, const char *function, const void *p)
{
	report_function(l, function);
	report_hex(l, (uintptr_t)p);
	report_str(l, "): ");
}

_Noreturn static void report_end(struct line *l)
{
	report_print(l);
	if (PORT_SLOB_STEP) {
		anchor_event(ASHLAR_EVENT_MISUSE);
		check_end();
	}
	port_abort();
}

/* Frees say "double free" of what is free already; everything else says "use after free". */
static bool report_is_free(const char *function)
{
	for (; *function; function++)
		if ((function[0] == 'f' && function[1] == 'r' && function[2] == 'e') ||
		    (function[0] == 'd' && function[1] == 'e' && function[2] == 'l'))
			return true;
	return false;
}

/* Pages are asked for, and these have blocks of kmalloc and caches, or are one. */
static bool report_is_no_page(const char *function, const struct page *pg)
{
	struct page seen = page_look(pg);

	while (*function && !(function[0] == 'p' && function[1] == 'a' && function[2] == 'g'))
		function++;
	return *function &&
	       (seen.kind == PAGE_SLOB ||
		(seen.kind == PAGE_RUN && (seen.list == RUN_KMALLOC || seen.list == RUN_OBJECT)));
}

/* A cache is asked for: all that begin with kmem_cache_ but the free of an object. */
static bool report_is_cache(const char *function)
{
	return !report_is_free(function) && function[0] == 'k' && function[1] == 'm' &&
	       function[2] == 'e' && function[3] == 'm';
}

/* "invalid free: ", or of what is no free "invalid pointer: ". */
static void report_invalid(struct line *l, const char *function)
{
	report_str(l, "invalid ");
	report_str(l, report_is_free(function) ? "free: " : "pointer: ");
}

static void report_object(struct line *l, const struct slob_place *place)
{
	const struct kmem_cache *c = NULL;

	if (place->id)
		c = PORT_SLOB_STEP ? cache_seen(place->id, NULL) : cache_of(place->id);
	report_str(l, "\n  object   ");
	report_str(l, c ? c->name : PORT_SLOB_STEP && place->id ? "a cache's" : "kmalloc");
	report_str(l, ", ");
	report_dec(l, slob_usable(place));
	report_str(l, " bytes\n");
}

static void report_again(struct line *l, const char *function)
{
	report_str(l, report_is_free(function) ? "double" : "use after");
	report_str(l, " free: ");
}

/* What starts at @p is held: no free of it is right, the first or a later one. */
static void report_held(struct line *l, const char *function, const void *p)
{
	const struct kmem_cache *described = cache_seen(0, p);

	if (described) {
		report_invalid(l, function);
		report_str(l, "this describes the cache ");
		report_str(l, described->name);
		report_str(l, ": kmem_cache_destroy ends it\n");
	} else {
		report_again(l, function);
		report_str(l, "this block is held\n");
	}
}

static void report_in_page(struct line *l, const char *function, const void *p,
			   const struct slob_place *place)
{
	size_t inside = ((uintptr_t)p & (PAGE_SIZE - 1)) - place->start * SLOB_UNIT;
	bool held = PORT_SLOB_STEP && place->held;

	switch (held && inside != place->header ? SLOB_INSIDE : place->found) {
	case SLOB_USED:
	case SLOB_INSIDE:
		report_invalid(l, function);
		if (PORT_SLOB_STEP && inside == place->header && report_is_cache(function)) {
			report_str(l, "this is no cache, but a block in use");
		} else if (inside < place->header) {
			report_str(l, "it points to the header before an object");
		} else {
			report_dec(l, inside - place->header);
			report_str(l, PORT_SLOB_STEP && inside - place->header == 1 ?
					      " byte inside" :
					      " bytes inside");
			report_str(l, " a block that starts at ");
			report_hex(l, (uintptr_t)p - inside + place->header);
		}
		report_object(l, place);
		break;
	case SLOB_UNUSED:
		if (held) {
			report_held(l, function, p);
			break;
		}
		report_again(l, function);
		report_str(l, "this block is already free\n");
		break;
	case SLOB_DAMAGED:
		report_str(l, "damage: headers of the page were overwritten before ");
		report_hex(l, (uintptr_t)p);
		report_str(l, "\n");
		break;
	}
}

_Noreturn void report_damage(const void *page)
{
	struct slob_place place = { .found = SLOB_DAMAGED };
	struct line l;

	report_begin(&l, "kmalloc", page);
	report_in_page(&l, "kmalloc", page, &place);
	report_end(&l);
}

/* A run that is somebody's no more, and nobody's yet (cache/hold.h). */
static bool report_is_held(const struct page *pg)
{
	struct page seen = page_look(pg);

	return seen.kind == PAGE_RUN && seen.list == RUN_HELD;
}

_Noreturn void report_pointer(const char *function, const void *p)
{
	struct zone *z = pages_zone(p);
	struct slob_place place = { .found = SLOB_UNUSED };
	struct line l;
	size_t i;

	report_begin(&l, function, p);
	if (!z) {
		report_invalid(&l, function);
		report_str(&l, "this memory is not Ashlar's\n");
		report_end(&l);
	}
	i = pages_number(z, p);
	if (PORT_SLOB_STEP && report_is_no_page(function, &z->pages[i])) {
		report_invalid(&l, function);
		report_str(&l, "this memory is kmalloc's or a cache's, not a block of pages\n");
		report_end(&l);
	}
	if (page_look(&z->pages[i]).kind == PAGE_SLOB)
		slob_find(z, p, &place);
	else if (PORT_SLOB_STEP && report_is_held(&z->pages[i]) && pages_address(z, i) == p) {
		report_held(&l, function, p);
		report_end(&l);
	} else if (!pages_is_free(z, i)) {
		report_invalid(&l, function);
		report_str(&l, "no block starts here\n");
		report_end(&l);
	}
	report_in_page(&l, function, p, &place);
	report_end(&l);
}

_Noreturn void report_cache(const struct kmem_cache *c, const void *p)
{
	struct zone *z = pages_zone(p);
	const struct page *pg = &z->pages[pages_number(z, p)];
	struct slob_place place = { .id = 0 };
	const struct kmem_cache *owner;
	struct line l;

	slob_find(z, p, &place);
	if (page_look(pg).kind == PAGE_RUN && page_look(pg).list != RUN_BLOCK)
		place.id = (u16)READ_ONCE(pg->prev);
	owner = place.id ? cache_of(place.id) : NULL;
	report_begin(&l, "kmem_cache_free", p);
	if (PORT_SLOB_STEP && c->id == CACHE_GONE) {
		report_str(&l, "use after free: freed to a cache that is destroyed");
	} else {
		report_str(&l, "wrong cache: freed to ");
		report_str(&l, c->name);
	}
	report_str(&l, ", this object is of ");
	report_str(&l, owner ? owner->name : "no cache (kmalloc)");
	report_str(&l, "\n");
	report_end(&l);
}

_Noreturn void report_nolock(const void *p, const char *why)
{
	struct line l;

	report_begin(&l, "kfree_nolock", p);
	report_str(&l, "wrong function: ");
	report_str(&l, why);
	report_str(&l, "\n  hint     kfree takes it back\n");
	report_end(&l);
}

_Noreturn void report_size(const char *function, const void *p, size_t size)
{
	struct line l;

	report_begin(&l, function, p);
	report_str(&l, "wrong size: freed with ");
	report_dec(&l, size);
	report_str(&l, " bytes, this block has ");
	report_dec(&l, block_usable(p, function));
	report_str(&l, "\n");
	report_end(&l);
}

_Noreturn void report_usercopy(const void *p, size_t bytes, bool to_user, const char *why)
{
	struct kmem_cache *c = NULL;
	const char *start;
	size_t length;
	struct line l;

	report_begin(&l, "check_object_size", p);
	report_str(&l, to_user ? "user copy: reading " : "user copy: writing ");
	report_dec(&l, bytes);
	report_str(&l, " bytes is refused: ");
	report_str(&l, why);
	report_str(&l, "\n");
	report_print(&l);
	if (pages_zone(p))
		block_extent(p, &start, &length, &c);
	if (c) {
		report_str(&l, "  window   ");
		report_str(&l, c->name);
		report_str(&l, " lets through ");
		report_dec(&l, c->usersize);
		report_str(&l, " bytes at offset ");
		report_dec(&l, c->useroffset);
		report_str(&l, "\n");
	}
	report_end(&l);
}

/* What begins a line about something that has a name, or (@name is NULL) none. */
static void report_named(struct line *l, const char *function, const char *name)
{
	report_function(l, function);
	if (name) {
		report_str(l, "\"");
		report_str(l, name);
		report_str(l, "\"");
	}
	report_str(l, "): ");
}

void report_refusal(const char *function, const char *name, const char *why)
{
	struct line l;

	report_named(&l, function, name);
	report_str(&l, "refused: ");
	report_str(&l, why);
	report_str(&l, "\n");
	if (PORT_SLOB_STEP)
		anchor_event(ASHLAR_EVENT_REFUSAL);
	report_print(&l);
}

void report_leak(const char *function, const char *what, const struct kmem_cache *c, size_t objects)
{
	struct line l;

	report_named(&l, function, c->name);
	report_dec(&l, objects);
	report_str(&l, objects == 1 ? " object is" : " objects are");
	report_str(&l, " still in use; the ");
	report_str(&l, what);
	report_str(&l, " stays\n");
	if (PORT_SLOB_STEP)
		anchor_event(ASHLAR_EVENT_LEAK);
	report_print(&l);
}
