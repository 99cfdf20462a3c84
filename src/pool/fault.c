/* SPDX-License-Identifier: MIT */
/*
 * fault.c - what is said when a pool was misused
 *
 * What    One line that says what was done to which object, and lines with what helps to find out.
 *         Nothing is allocated and no lock is taken.
 * State   fault_told: how many of the reports that do not end the program were printed
 */
#include "base/check.h"
#include "base/text.h"
#include "cache/anchor.h"
#include "pool/pool.h"

#define FAULT_TOLD_MAX 16u /* foreign pointers printed; the rest are counted */

static u32 fault_told;

static void fault_begin(struct text *t, const char *function, const void *p)
{
	text_init(t);
	text_str(t, "ashlar: ");
	text_str(t, function);
	text_char(t, '(');
	text_pointer(t, p);
	text_str(t, "): ");
}

_Noreturn static void fault_end(struct text *t)
{
	anchor_event(ASHLAR_EVENT_MISUSE);
	anchor_message(t->bytes, t->length);
	text_print(t);
	check_end();
}

_Noreturn void fault_pool(const char *function, const void *p)
{
	struct text t;

	fault_begin(&t, function, p);
	text_str(&t,
		 "no pool: this is not a pool, or it was destroyed\n"
		 "  hint     a pool is what slab_create or pool_create gave, until slab_destroy\n");
	fault_end(&t);
}

static void fault_say_object(struct text *t, const struct slab *pool, const void *start, u32 index)
{
	text_str(t, "\n  object   ");
	text_str(t, pool->name);
	text_str(t, " [");
	text_pointer(t, start);
	text_str(t, " - ");
	text_pointer(t, (const char *)start + pool->cut.stride);
	text_str(t, "), number ");
	text_dec(t, index);
	text_str(t, " of its block\n");
}

_Noreturn void fault_object(const char *function, const struct slab *pool, const void *p,
			    enum sheet_fault fault)
{
	const struct page *head = sheet_head(p);
	u32 index = sheet_index(head, &pool->cut, p);
	const void *start = sheet_object(head, &pool->cut, index);
	struct text t;

	fault_begin(&t, function, p);
	if (fault == SHEET_BEHIND) {
		text_str(&t, "invalid free: behind the last object in a block of ");
		text_str(&t, pool->name);
		text_str(&t, "\n  block    ");
		text_pointer(&t, map_page_address(head));
		text_str(&t, ", ");
		text_dec(&t, pool->cut.objects);
		text_str(&t, " objects of ");
		text_dec(&t, pool->cut.stride);
		text_str(&t, " bytes\n");
		fault_end(&t);
	}
	if (fault == SHEET_INSIDE) {
		text_str(&t, "invalid free: ");
		text_dec(&t, (u64)((const char *)p - (const char *)start));
		text_str(&t, (const char *)p - (const char *)start == 1 ? " byte" : " bytes");
		text_str(&t, " inside an object of ");
		text_str(&t, pool->name);
		text_str(&t, " that starts at ");
		text_pointer(&t, start);
	} else {
		text_str(&t, "double free: ");
		text_str(&t, fault == SHEET_PENDING ? "a constructor or destructor runs on " : "");
		text_str(&t, "this object of ");
		text_str(&t, pool->name);
		text_str(&t, fault == SHEET_PENDING ? "" : " is already free");
	}
	fault_say_object(&t, pool, start, index);
	fault_end(&t);
}

void fault_foreign(const char *function, const struct slab *pool, const void *p)
{
	const struct slab *owner = pool_owner(p);
	struct text t;

	anchor_event(ASHLAR_EVENT_MISUSE);
	if (__atomic_fetch_add(&fault_told, 1, __ATOMIC_RELAXED) >= FAULT_TOLD_MAX)
		return;
	fault_begin(&t, function, p);
	if (pool) {
		text_str(&t, "not in ");
		text_str(&t, pool->name);
	} else {
		text_str(&t, "not of the group");
	}
	if (owner && pool_is_pool(owner)) {
		text_str(&t, ", but in a block of ");
		text_str(&t, owner->name);
	} else if (!map_contains(p)) {
		text_str(&t, ", nor Ashlar's memory");
	}
	text_str(&t, pool ? ": ENOT_IN_SLAB\n" : ": ECANNOT_FREE_MEM\n");
	anchor_message(t.bytes, t.length);
	text_print(&t);
}

void fault_leak(const struct slab *pool, size_t used, void *const *objects, unsigned count,
		bool more)
{
	struct text t;

	text_init(&t);
	text_str(&t, "ashlar: slab_destroy(\"");
	text_str(&t, pool->name);
	text_str(&t, "\"): ");
	text_dec(&t, used);
	text_str(&t, used == 1 ? " object is still in use; the pool stays: ESLAB_NOTNULL\n" :
				 " objects are still in use; the pool stays: ESLAB_NOTNULL\n");
	if (count)
		text_str(&t, more ? "  first   " : "  in use  ");
	for (unsigned i = 0; i < count; i++) {
		text_char(&t, ' ');
		text_pointer(&t, objects[i]);
	}
	text_str(&t, count ? "\n" : "");
	if (!more && used > count) {
		text_str(&t, "  callback ");
		text_dec(&t, used - count);
		text_str(&t, used - count == 1 ?
				     " object: a constructor or destructor runs on it\n" :
				     " objects: constructors or destructors run on them\n");
	}
	anchor_event(ASHLAR_EVENT_LEAK);
	anchor_message(t.bytes, t.length);
	text_print(&t);
}
