/* SPDX-License-Identifier: MIT */
/*
 * guard_fault.c - what an access did that met a closed page
 *
 * What    From an address to the slot it belongs to, to one of three: past an object's end, before
 *         its start, after its free. Between two slots the object in use that is nearer is meant.
 * State   none: it may be told in a signal handler, while others allocate and free
 */
#include "base/text.h"
#include "cache/anchor.h"
#include "cache/dossier.h"
#include "cache/guard_slot.h"

static size_t guard_fault_distance(const struct guard_slot *s, const char *at)
{
	if (!s || !s->object)
		return SIZE_MAX;
	if (at < s->object)
		return (size_t)(s->object - at);
	return at < s->object + s->size ? 0 : (size_t)(at - s->object) - s->size + 1;
}

/* Which of two neighbours is meant: one in use rather than one that is free, then the nearer. */
static const struct guard_slot *guard_fault_choose(const struct guard_slot *a,
						   const struct guard_slot *b, const char *at)
{
	if (!a || !b)
		return a ? a : b;
	if (guard_is_free(a) != guard_is_free(b))
		return guard_is_free(a) ? b : a;
	return guard_fault_distance(b, at) < guard_fault_distance(a, at) ? b : a;
}

/* The slot that @at, an address in the pool, has to do with. */
static const struct guard_slot *guard_fault_slot(const char *at)
{
	const struct guard_pool *pool = guard_pool();
	size_t room = (size_t)(at - pool->start) / pool->room_bytes;
	size_t right = room / 2;

	if (room % 2)
		return &pool->slots[right];
	return guard_fault_choose(right ? &pool->slots[right - 1] : NULL,
				  right < pool->count ? &pool->slots[right] : NULL, at);
}

static const char *guard_fault_word(const struct guard_slot *s, const char *at)
{
	if (!s->object)
		return "wild access: ";
	if (guard_is_free(s))
		return "use after free: ";
	return at < s->object ? "underflow: " : "overflow: ";
}

static void guard_fault_line(struct text *t, const struct guard_slot *s, const char *at,
			     enum guard_access access)
{
	static const char *const words[] = { "access to ", "read of ", "write to " };

	text_str(t, "ashlar: ");
	text_str(t, guard_fault_word(s, at));
	text_str(t, words[access]);
	if (!s->object) {
		text_str(t, "memory at ");
		text_pointer(t, at);
		text_str(t, ", where no object was yet\n");
		return;
	}
	text_str(t, "object ");
	text_pointer(t, s->object);
	text_str(t, " of ");
	text_str(t, s->name);
	dossier_place(t, at, s->object, s->size);
	text_char(t, '\n');
}

void guard_line(struct text *t, const struct guard_slot *s)
{
	u32 state = LOAD_ACQUIRE(s->state);

	text_str(t, "  object   ");
	text_str(t, s->name);
	text_str(t, " [");
	text_pointer(t, s->object);
	text_str(t, " - ");
	text_pointer(t, s->object + s->size);
	text_str(t, "), guarded, ");
	text_str(t, guard_is_free(s) ? "free" : state == GUARD_HELD ? "held" : "in use");
	text_char(t, '\n');
}

bool guard_describe(const struct guard_slot *s, const void *p)
{
	struct text t;

	if (!s->object)
		return false;
	text_init(&t);
	text_str(&t, "ashlar: ");
	text_pointer(&t, p);
	text_str(&t, " lies where an object is or was:");
	dossier_place(&t, p, s->object, s->size);
	text_char(&t, '\n');
	guard_line(&t, s);
	text_print(&t);
	dossier_print_tracks(s->cache, s->object);
	return true;
}

/* Who did it: the frames below the handler's, which begin at @pc. */
static void guard_fault_trace(struct port_trace *by, const void *pc)
{
	unsigned from = 0;

	port_trace(by);
	while (from < PORT_TRACE_FRAMES && by->frames[from] && by->frames[from] != pc)
		from++;
	if (from == 0 || from == PORT_TRACE_FRAMES || !by->frames[from])
		return;
	for (unsigned i = 0; i < PORT_TRACE_FRAMES; i++)
		by->frames[i] = i + from < PORT_TRACE_FRAMES ? by->frames[i + from] : NULL;
	by->frames[0] = (char *)by->frames[0] + 1; /* as where a call returns to: behind it */
}

bool guard_fault(const void *address, enum guard_access access, const void *pc)
{
	static const char *const words[] = { "touched", "read", "written" };
	const struct guard_pool *pool = guard_pool();
	size_t bytes = (2 * (size_t)pool->count + 1) * pool->room_bytes;
	const struct guard_slot *s;
	struct port_trace by;
	struct text t;

	if (!guard_is_on() || (size_t)((const char *)address - pool->start) >= bytes)
		return false;
	s = guard_fault_slot(address);
	text_init(&t);
	guard_fault_line(&t, s, address, access);
	anchor_event(ASHLAR_EVENT_MISUSE);
	anchor_message(t.bytes, t.length);
	if (s->object)
		guard_line(&t, s);
	text_print(&t);
	guard_fault_trace(&by, pc);
	dossier_print_who(&by, words[access]);
	if (s->object)
		dossier_print_tracks(s->cache, s->object);
	return true;
}
