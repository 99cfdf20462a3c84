/* SPDX-License-Identifier: MIT */
/*
 * dossier.c - see dossier.h
 */
#include "cache/dossier.h"
#include "base/bits.h"
#include "base/memory.h"
#include "base/text.h"
#include "cache/anchor.h"
#include "cache/cache.h"
#include "cache/guard_slot.h"
#include "port/port.h"

#define DOSSIER_LINE 16u   /* bytes in a line of a dump */
#define DOSSIER_BEFORE 32u /* bytes shown before the first wrong one */
#define DOSSIER_LINES 6u

static const struct {
	const char *word;
	const char *what;
} dossier_kinds[] = {
	[DOSSIER_OVERFLOW] = { "overflow", "was written past its end" },
	[DOSSIER_UNDERFLOW] = { "underflow", "was written before its start" },
	[DOSSIER_FREE_OVERFLOW] = { "overflow", "was written past its end while it was free" },
	[DOSSIER_FREE_UNDERFLOW] = { "underflow",
				     "was written before its start while it was free" },
	[DOSSIER_WRITTEN_FREE] = { "use after free", "was written after it was freed" },
	[DOSSIER_PADDING] = { "overflow", "was written far past its end: into the padding" },
	[DOSSIER_SLAB] = { "corruption", "is not what its slab says of it" },
};

/* ---- pieces -------------------------------------------------------------------------------- */

/* "  found    " */
static void dossier_label(struct text *t, const char *label)
{
	size_t n = 0;

	text_str(t, "  ");
	for (; label[n]; n++)
		text_char(t, label[n]);
	for (; n < 9; n++)
		text_char(t, ' ');
}

static void dossier_count(struct text *t, size_t n, const char *one)
{
	text_dec(t, n);
	text_char(t, ' ');
	text_str(t, one);
	if (n != 1)
		text_char(t, 's');
}

/* Bytes that were asked for; 0: of this object that is not kept. */
static size_t dossier_asked(const struct kmem_cache *c, const void *p)
{
	const struct guard_slot *s = guard_find(p);

	if (s)
		return s->size;
	return c->debug.size_at ? debug_size(c, p) : 0;
}

static void dossier_object(struct text *t, const struct kmem_cache *c, const char *p)
{
	dossier_label(t, "object");
	text_str(t, c->name);
	text_str(t, " [");
	text_pointer(t, p);
	text_str(t, " - ");
	text_pointer(t, p + c->object_size);
	text_str(t, ")");
	if (dossier_asked(c, p)) {
		text_str(t, ", ");
		dossier_count(t, dossier_asked(c, p), "byte");
		text_str(t, " asked for");
	}
}

void dossier_place(struct text *t, const void *at, const void *start, size_t size)
{
	size_t inside = (uintptr_t)at - (uintptr_t)start;

	text_str(t, " at ");
	text_pointer(t, at);
	text_str(t, ", ");
	if ((uintptr_t)at < (uintptr_t)start) {
		dossier_count(t, (uintptr_t)start - (uintptr_t)at, "byte");
		text_str(t, " before its start");
	} else if (inside >= size) {
		dossier_count(t, inside - size + 1, "byte");
		text_str(t, " past its end");
	} else {
		text_str(t, "byte ");
		text_dec(t, inside);
		text_str(t, " of it");
	}
}

/* Where the first wrong byte lies, seen from the object. */
static void dossier_first(struct text *t, const struct dossier *d)
{
	size_t asked = d->active ? dossier_asked(d->cache, d->object) : 0;

	dossier_place(t, d->at, d->object, asked ? asked : d->cache->object_size);
}

static void dossier_found(struct text *t, const struct dossier *d)
{
	dossier_label(t, "found");
	text_hex(t, *d->at, 2);
	text_str(t, " instead of ");
	text_hex(t, d->want, 2);
	dossier_first(t, d);
	text_str(t, "; ");
	dossier_count(t, d->wrong, "byte");
	text_str(t, d->wrong == 1 ? " is wrong" : " are wrong");
	if (d->wrong == 1 && (d->bits & (d->bits - 1)) == 0)
		text_str(t, ", by one bit: it may be the machine's memory");
	text_char(t, '\n');
}

static void dossier_dump_line(struct text *t, const u8 *at, size_t bytes)
{
	dossier_label(t, "bytes");
	text_pointer(t, at);
	text_char(t, ' ');
	for (size_t i = 0; i < bytes; i++) {
		text_char(t, ' ');
		text_hex(t, at[i], 2);
	}
	text_str(t, "  ");
	for (size_t i = 0; i < bytes; i++)
		text_char(t, at[i] >= ' ' && at[i] < 127 ? (char)at[i] : '.');
	text_char(t, '\n');
}

/* The bytes around the first wrong one, inside the slab or slot. */
static noinline void dossier_dump(const struct dossier *d)
{
	const struct guard_slot *s = guard_find(d->object);
	size_t slab = s ? guard_pool()->room_bytes : shape_slab_bytes(&d->cache->shape);
	uintptr_t start = s ? (uintptr_t)s->start :
			      map.base + (((uintptr_t)d->object - map.base) & ~(slab - 1));
	uintptr_t at = (uintptr_t)d->at & ~(uintptr_t)(DOSSIER_LINE - 1);
	struct text t;

	at = at - start > DOSSIER_BEFORE ? at - DOSSIER_BEFORE : start;
	text_init(&t);
	for (unsigned i = 0; i < DOSSIER_LINES && at < start + slab; i++) {
		dossier_dump_line(&t, (const u8 *)at, DOSSIER_LINE);
		text_print(&t);
		at += DOSSIER_LINE;
	}
}

static noinline void dossier_stack(const struct port_trace *by)
{
	struct text t;
	char name[160];

	text_init(&t);
	for (unsigned i = 0; i < PORT_TRACE_FRAMES && by->frames[i]; i++) {
		text_str(&t, "    #");
		text_dec(&t, i);
		text_str(&t, i < 10 ? "  " : " ");
		text_pointer(&t, by->frames[i]);
		text_char(&t, ' ');
		port_symbol(by->frames[i], name, sizeof(name));
		text_str(&t, name);
		text_char(&t, '\n');
		text_print(&t);
	}
}

/* "thread 12 on CPU 1, 3 ms ago"; nothing of time where there is no clock */
static void dossier_who(struct text *t, const struct port_trace *by)
{
	struct port_trace now;

	port_trace(&now);
	text_str(t, "thread ");
	text_dec(t, by->thread);
	text_str(t, " on CPU ");
	text_dec(t, by->cpu);
	if (by->now_ns != PORT_NO_CLOCK) {
		text_str(t, ", ");
		text_dec(t, (now.now_ns - by->now_ns) / 1000000);
		text_str(t, " ms ago");
	}
	text_char(t, '\n');
}

noinline void dossier_print_who(const struct port_trace *by, const char *what)
{
	struct text t;

	text_init(&t);
	text_str(&t, "  ");
	text_str(&t, what);
	text_str(&t, " by ");
	dossier_who(&t, by);
	text_print(&t);
	dossier_stack(by);
}

static void dossier_two(const struct port_trace *taken, const struct port_trace *given)
{
	if (taken->now_ns)
		dossier_print_who(taken, "allocated");
	if (given->now_ns)
		dossier_print_who(given, "freed");
}

noinline void dossier_print_tracks(const struct kmem_cache *c, const void *p)
{
	const struct guard_slot *s = guard_find(p);

	if (s)
		dossier_two(&s->taken, &s->given);
	else if (c->debug.track_at)
		dossier_two(debug_track(c, p, false), debug_track(c, p, true));
}

/* ---- whole texts --------------------------------------------------------------------------- */

void dossier_print(const struct dossier *d)
{
	struct text t;

	text_init(&t);
	text_str(&t, "ashlar: ");
	text_str(&t, dossier_kinds[d->kind].word);
	text_str(&t, ": object ");
	text_pointer(&t, d->object);
	text_str(&t, " of ");
	text_str(&t, d->cache->name);
	text_char(&t, ' ');
	text_str(&t, dossier_kinds[d->kind].what);
	text_char(&t, '\n');
	anchor_event(ASHLAR_EVENT_MISUSE);
	anchor_message(t.bytes, t.length);
	dossier_object(&t, d->cache, d->object);
	text_str(&t, d->active ? ", in use; seen at " : ", free; seen at ");
	text_str(&t, d->moment);
	text_char(&t, '\n');
	if (d->wrong)
		dossier_found(&t, d);
	text_print(&t);
	if (d->wrong)
		dossier_dump(d);
	dossier_print_tracks(d->cache, d->object);
}

bool dossier_describe(const void *p)
{
	const struct guard_slot *s = guard_find(p);
	const struct kmem_cache_node *n = NULL;
	struct slab_object o;
	struct text t;

	if (s)
		return guard_describe(s, p);
	if (map_contains(p))
		n = cache_node_at(map.ids[map_pfn(p)]);
	if (!n || !slab_find(n, p, &o))
		return false;
	text_init(&t);
	text_str(&t, "ashlar: ");
	text_pointer(&t, p);
	text_str(&t, " is byte ");
	text_dec(&t, (u64)((const char *)p - (char *)o.start));
	text_str(&t, " of an object\n");
	dossier_object(&t, n->cache, o.start);
	text_str(&t, *map_state(o.start) == map_state_in_use(o.start) ? ", in use, number " :
									", free, number ");
	text_dec(&t, o.index);
	text_str(&t, " of its slab\n");
	text_print(&t);
	dossier_print_tracks(n->cache, o.start);
	return true;
}

void dossier_trace(const struct kmem_cache *c, const void *p, const char *what,
		   const struct port_trace *by)
{
	struct text t;

	text_init(&t);
	text_str(&t, "ashlar: trace: ");
	text_str(&t, c->name);
	text_char(&t, ' ');
	text_str(&t, what);
	text_char(&t, ' ');
	text_pointer(&t, p);
	text_str(&t, " by thread ");
	text_dec(&t, by->thread);
	text_str(&t, " on CPU ");
	text_dec(&t, by->cpu);
	text_char(&t, '\n');
	text_print(&t);
	dossier_stack(by);
}

/* ---- leaks --------------------------------------------------------------------------------- */

void dossier_add_leak(struct dossier_leaks *leaks, const void *p)
{
	const struct port_trace *taken = debug_track(leaks->cache, p, false);

	for (unsigned i = 0; i < leaks->stacks; i++) {
		if (memcmp(leaks->leak[i].taken->frames, taken->frames, sizeof(taken->frames)) ==
		    0) {
			leaks->leak[i].count++;
			return;
		}
	}
	if (leaks->stacks == DOSSIER_STACKS)
		leaks->others++;
	else
		leaks->leak[leaks->stacks++] =
			(struct dossier_leak){ .taken = taken, .object = p, .count = 1 };
}

void dossier_print_leaks(const struct dossier_leaks *leaks)
{
	struct text t;

	text_init(&t);
	for (unsigned i = 0; i < leaks->stacks; i++) {
		text_str(&t, "  ");
		dossier_count(&t, leaks->leak[i].count, "object");
		text_str(&t, ", one at ");
		text_pointer(&t, leaks->leak[i].object);
		text_str(&t, ", allocated by ");
		dossier_who(&t, leaks->leak[i].taken);
		text_print(&t);
		dossier_stack(leaks->leak[i].taken);
	}
	if (!leaks->others)
		return;
	text_str(&t, "  ");
	dossier_count(&t, leaks->others, "object");
	text_str(&t, " from other places\n");
	text_print(&t);
}
