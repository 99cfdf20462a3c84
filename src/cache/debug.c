/* SPDX-License-Identifier: MIT */
/*
 * debug.c - see debug.h: layout, patterns, and switching them while the program runs
 */
#include "cache/debug.h"
#include "ashlar/debug.h"
#include "base/check.h"
#include "base/memory.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/dossier.h"
#include "cache/fault.h"
#include "cache/init.h"
#include "cache/inspect.h"
#include "cache/letters.h"
#include "cache/option.h"
#include "page/node.h"
#include "port/port.h"

#define DEBUG_LAYOUT (SLAB_RED_ZONE | SLAB_STORE_USER) /* what needs room */
#define DEBUG_PATTERNS (DEBUG_LAYOUT | SLAB_POISON)    /* DB5 */
#define DEBUG_ALL (DEBUG_PATTERNS | SLAB_CONSISTENCY_CHECKS | SLAB_TRACE | SLAB_FAILSLAB)

#define DEBUG_EBUSY 16
#define DEBUG_EINVAL 22

/* ---- layout ------------------------------------------------------------------------------ */

/* Places, from the object's start on (debug.h's picture). */
static struct debug debug_lay_out(size_t object_size, u32 flags)
{
	struct debug d = { .flags = flags, .slow = flags != 0, .end = (u32)object_size };

	if (flags & SLAB_RED_ZONE) {
		d.red = DEBUG_RED_BYTES;
		d.end = (u32)size_align(object_size + 8, 8);
	}
	if (flags & DEBUG_LAYOUT) {
		d.size_at = (u32)size_align(d.end, 8);
		d.end = d.size_at + 8;
	}
	if (flags & SLAB_STORE_USER) {
		d.track_at = d.end;
		d.end += 2 * (u32)sizeof(struct port_trace);
	}
	return d;
}

/* DB6, and what a cache of ours never has. */
static u32 debug_choose(const struct kmem_cache *c, u32 flags)
{
	flags &= DEBUG_ALL | LETTERS_SAME_ORDER;
	if (c->flags & SLAB_TYPESAFE_BY_RCU)
		flags &= ~SLAB_POISON;
	return flags;
}

static bool debug_try(const struct kmem_cache *c, struct shape *shape, struct debug *d, u32 flags)
{
	*d = debug_lay_out(c->object_size, flags & DEBUG_ALL);
	return shape_choose_lead(shape, size_align(d->red + (size_t)d->end, c->align), c->align,
				 d->red);
}

/* The shape with @flags, or without what needs room where that cannot be, or must not. */
static bool debug_find_shape(const struct kmem_cache *c, struct shape *shape, struct debug *d,
			     u32 flags)
{
	struct shape plain;

	if (!shape_choose(&plain, size_align(c->object_size, c->align), c->align))
		return false;
	if (debug_try(c, shape, d, flags) &&
	    !((flags & LETTERS_SAME_ORDER) && shape->order > plain.order))
		return true;
	return debug_try(c, shape, d, flags & ~DEBUG_PATTERNS);
}

/* What slab_debug= asks for; its letter A is kept apart from a setting's of failslab. */
static u32 debug_letters(struct kmem_cache *c)
{
	u32 flags = letters_flags(options.slab_debug, c->name);
	u32 letter = flags & SLAB_FAILSLAB ? SLAB_LETTER_A : 0;

	WRITE_ONCE(c->flags, (c->flags & ~SLAB_LETTER_A) | letter);
	return flags;
}

bool debug_shape(struct kmem_cache *c)
{
	u32 flags = c->flags;

	if (!(flags & SLAB_NO_USER_FLAGS))
		flags |= debug_letters(c) | fault_flags(c->name);
	return debug_find_shape(c, &c->shape, &c->debug, debug_choose(c, flags));
}

bool debug_names(const char *name)
{
	return (letters_flags(options.slab_debug, name) | fault_flags(name)) & DEBUG_ALL;
}

bool debug_wants_callers(void)
{
	return letters_any(options.slab_debug) & (SLAB_STORE_USER | SLAB_TRACE);
}

struct port_trace *debug_track(const struct kmem_cache *c, const void *p, bool freed)
{
	char *at = (char *)(uintptr_t)p + c->debug.track_at;

	return (struct port_trace *)(void *)at + freed;
}

static u64 *debug_size_word(const struct kmem_cache *c, const void *p)
{
	return (u64 *)((uintptr_t)p + c->debug.size_at);
}

size_t debug_size(const struct kmem_cache *c, const void *p)
{
	if (!c->debug.size_at)
		return c->object_size;
	return size_min(*debug_size_word(c, p), c->object_size);
}

/* ---- patterns ---------------------------------------------------------------------------- */

static void debug_fill(char *from, const char *end, enum debug_byte byte)
{
	if (end > from)
		memset(from, (int)byte, (size_t)(end - from));
}

/* DB1: before the object, and from byte @from of it to what comes behind. */
static void debug_paint_red(const struct kmem_cache *c, char *p, size_t from, enum debug_byte byte)
{
	if (!c->debug.red)
		return;
	debug_fill(p - c->debug.red, p, byte);
	debug_fill(p + from, p + c->debug.size_at, byte);
}

/* DB2 */
static void debug_poison(const struct kmem_cache *c, char *p)
{
	if (!(c->debug.flags & SLAB_POISON))
		return;
	debug_fill(p, p + c->object_size - 1, DEBUG_FREE);
	p[c->object_size - 1] = (char)DEBUG_END;
}

void (*debug_ctor(const struct kmem_cache *c))(void *)
{
	return c->debug.flags & SLAB_POISON ? NULL : c->ctor;
}

void debug_prepare(const struct kmem_cache *c, struct page *head)
{
	const struct debug *d = &c->debug;
	char *start = map_page_address(head);
	char *p = slab_first(&c->shape, head);

	debug_fill(start, p - d->red, DEBUG_IN_USE);
	for (unsigned i = 0; i < c->shape.objects; i++, p += c->shape.stride) {
		debug_paint_red(c, p, c->object_size, DEBUG_RED_INACTIVE);
		debug_poison(c, p);
		if (d->size_at)
			memset(p + d->size_at, 0, d->end - d->size_at);
		debug_fill(p + d->end, p + c->shape.stride - d->red, DEBUG_IN_USE);
	}
	debug_fill(p - d->red, start + shape_slab_bytes(&c->shape), DEBUG_IN_USE);
}

/* ---- one object -------------------------------------------------------------------------- */

static void debug_note(const struct kmem_cache *c, void *p, bool freed, const char *what)
{
	struct port_trace now;
	struct port_trace *to = c->debug.track_at ? debug_track(c, p, freed) : &now;

	if (!c->debug.track_at && !(c->debug.flags & SLAB_TRACE))
		return;
	port_trace(to);
	if (c->debug.flags & SLAB_TRACE)
		dossier_trace(c, p, what, to);
}

void debug_alloc(struct kmem_cache *c, void *p, size_t size)
{
	inspect_expect(c, p, false, "its allocation");
	if (c->debug.size_at)
		*debug_size_word(c, p) = size;
	if (c->debug.flags & SLAB_POISON)
		memset(p, DEBUG_IN_USE, c->object_size);
	if (c->ctor && (c->debug.flags & SLAB_POISON))
		c->ctor(p);
	debug_paint_red(c, p, size, DEBUG_RED_ACTIVE);
	debug_note(c, p, false, "alloc");
	__atomic_thread_fence(__ATOMIC_RELEASE); /* DB3: then the state */
}

void debug_free(struct kmem_cache *c, void *p)
{
	inspect_expect(c, p, true, "its free");
	debug_note(c, p, true, "free");
	debug_paint_red(c, p, c->object_size, DEBUG_RED_INACTIVE);
	debug_poison(c, p);
}

/* ---- while the program runs ---------------------------------------------------------------- */

/* Close the arrays, which other threads may be filling, or let them be made again. */
static bool debug_close(struct kmem_cache *c)
{
	WRITE_ONCE(c->debug.slow, 1u);
	for (unsigned attempt = 0; attempt < 100; attempt++) {
		if (array_retire(c))
			return true;
		port_yield();
	}
	return false;
}

/* DB5: the patterns of the cache change, which has no slab and nobody who uses it. */
static int debug_change(struct kmem_cache *c, u32 flags)
{
	struct shape shape;
	struct debug d;

	if (cache_shrink(c))
		return -DEBUG_EBUSY;
	if (!debug_find_shape(c, &shape, &d, flags))
		return -DEBUG_EINVAL;
	c->shape = shape;
	c->debug = d;
	for (unsigned node = 0; node < node_table.count; node++)
		slab_node_reshape(&c->node[node]);
	c->states = c->node->states;
	return 0;
}

static int debug_switch(struct kmem_cache *c, u32 flags)
{
	u32 now = c->debug.flags;
	int result = 0;

	flags = debug_choose(c, flags);
	if (flags && !debug_close(c)) {
		WRITE_ONCE(c->debug.slow, (u32)(now != 0));
		return -DEBUG_EBUSY;
	}
	if ((flags ^ now) & DEBUG_PATTERNS)
		result = debug_change(c, flags);
	else
		c->debug.flags = flags & DEBUG_ALL;
	WRITE_ONCE(c->debug.slow, (u32)(c->debug.flags != 0));
	return result;
}

bool debug_arm(struct kmem_cache *c, bool on)
{
	u32 flags = c->debug.flags & ~SLAB_FAILSLAB;

	if (c->flags & SLAB_NO_USER_FLAGS || on == !!(c->debug.flags & SLAB_FAILSLAB))
		return true;
	return debug_switch(c, on ? flags | SLAB_FAILSLAB : flags) == 0;
}

/* FT1: letter A of its own, which no setting takes away. */
static bool debug_has_letter(const struct kmem_cache *c)
{
	return READ_ONCE(c->flags) & (SLAB_FAILSLAB | SLAB_LETTER_A);
}

static bool debug_some_have_letter(void)
{
	bool some = false;

	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		some |= debug_has_letter(n->cache);
		cache_leave(n);
	}
	return some;
}

int fault_spread(void)
{
	int result = 0;

	fault_set_lettered(debug_some_have_letter());
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		if (!debug_arm(n->cache,
			       debug_has_letter(n->cache) || fault_flags(n->cache->name) != 0))
			result = -DEBUG_EBUSY;
		cache_leave(n);
	}
	return result;
}

int ashlar_kmem_cache_debug(struct kmem_cache *c, const char *letters)
{
	size_t length = 0;
	u32 flags = 0;
	int result;

	while (letters && letters[length])
		length++;
	if (!init_ready() || (length && !letters_read(letters, length, &flags)))
		return -DEBUG_EINVAL;
	cache_check(c, "kmem_cache_debug");
	if (c->flags & SLAB_NO_USER_FLAGS)
		return -DEBUG_EINVAL;
	if (flags & (SLAB_STORE_USER | SLAB_TRACE))
		port_trace_start();
	result = debug_switch(c, flags | fault_flags(c->name));
	if (result == 0) {
		WRITE_ONCE(c->flags,
			   (c->flags & ~(SLAB_FAILSLAB | SLAB_LETTER_A)) | (flags & SLAB_FAILSLAB));
		if (fault_is_set())
			result = fault_spread();
	}
	return result;
}

/* A cache that there is gets what it would get if it were made now. */
static int debug_follow(struct kmem_cache *c)
{
	u32 flags = c->flags & DEBUG_ALL;

	if (c->flags & SLAB_NO_USER_FLAGS)
		return 0;
	flags |= debug_letters(c) | fault_flags(c->name);
	return debug_choose(c, flags) == c->debug.flags ? 0 : debug_switch(c, flags);
}

int ashlar_slab_debug(const char *setting)
{
	int result = 0;

	if (!init_ready() || !option_set_debug(setting ? setting : ""))
		return -DEBUG_EINVAL;
	if (debug_wants_callers())
		port_trace_start();
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		if (n->node == 0 && debug_follow(n->cache) != 0)
			result = -DEBUG_EBUSY;
		cache_leave(n);
	}
	if (fault_is_set() && fault_spread() != 0)
		result = -DEBUG_EBUSY;
	return result;
}

int ashlar_kmem_cache_validate(struct kmem_cache *c)
{
	cache_check(c, "kmem_cache_validate");
	return (int)size_min(inspect_cache(c), INT32_MAX);
}

bool ashlar_kmem_dump_obj(const void *p)
{
	return dossier_describe(p);
}
