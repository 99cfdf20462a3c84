/* SPDX-License-Identifier: MIT */
/*
 * init.c - from nothing to a working slob, once; what stops it (see src/cache/init.h)
 *
 * What    Where the port gives address space (PORT_SLOB_STEP) the first call starts everything; on
 *         a small machine the first region does (ashlar/heap.h).
 */
#include "cache/init.h"
#include "base/check.h"
#include "cache/anchor.h"
#include "cache/block.h"
#include "cache/option.h"
#include "cache/report.h"
#include "cache/watch.h"
#include "page/arena.h"
#include "port/port.h"

/* A quarter of the user address space of today's processors. */
#define INIT_ADDRESS_QUARTER ((size_t)1 << (sizeof(size_t) > 4 ? 45 : 30))

enum init_state { INIT_NONE, INIT_BUSY, INIT_DONE, INIT_FAILED };

static u32 init_state;

static bool init_run(void)
{
	struct port_machine m;
	const char *text;
	size_t budget;
	bool secure;

	port_init(&m);
	text = port_options(&secure);
	option_read(text, secure);
	watch_start();
	budget = size_min(size_min(m.ram_bytes, SIZE_MAX / 4) * 4, INIT_ADDRESS_QUARTER);
	if (m.address_bytes != SIZE_MAX)
		budget = size_min(budget, m.address_bytes / 2);
	if (options.limit)
		budget = size_min(budget, (size_t)options.limit);
	if (!arena_start(options.limit ? (size_t)options.limit : SIZE_MAX, m.nodes) &&
	    !pages_reserve(budget, m.page_bytes))
		return false;
	anchor_init();
	return true;
}

/* The first caller runs it; the others wait. */
static noinline bool init_slow(void)
{
	u32 expected = INIT_NONE;

	if (__atomic_compare_exchange_n(&init_state, &expected, INIT_BUSY, false, __ATOMIC_ACQUIRE,
					__ATOMIC_ACQUIRE)) {
		STORE_RELEASE(init_state, init_run() ? INIT_DONE : INIT_FAILED);
		return init_state == INIT_DONE;
	}
	while (LOAD_ACQUIRE(init_state) == INIT_BUSY)
		port_yield();
	return LOAD_ACQUIRE(init_state) == INIT_DONE;
}

bool init_ready(void)
{
	if (!PORT_SLOB_STEP)
		return pages_zones != NULL;
	return likely(LOAD_ACQUIRE(init_state) == INIT_DONE) || init_slow();
}

bool init_done(void)
{
	return PORT_SLOB_STEP ? LOAD_ACQUIRE(init_state) == INIT_DONE : pages_zones != NULL;
}

bool init_begun(void)
{
	return PORT_SLOB_STEP ? LOAD_ACQUIRE(init_state) != INIT_NONE : pages_zones != NULL;
}

/* ---- everything stands still: fork and audits ------------------------------------ */

static void init_turn(struct lock *lock, bool take)
{
	if (take)
		lock_acquire_more(lock);
	else
		lock_release(lock);
}

void init_guards(bool take)
{
	if (PORT_ONE_CPU)
		return; /* its caller sees to it that nothing else runs */
	for (struct zone *z = pages_zones; z; z = z->next) {
		for (unsigned s = 0; s < PORT_SLOB_SHARDS; s++)
			init_turn(&z->shard[s].lock, take);
		init_turn(&z->growing, take);
		init_turn(&z->lock, take);
	}
}

void init_audit_point(bool now)
{
	size_t faults;

	if (!now || !options.audit)
		return;
	faults = ashlar_audit();
	if (faults) {
		anchor_event(ASHLAR_EVENT_FAULT);
		report_refusal("audit", "heap", "rules of the heap are broken");
		check_end();
	}
}
