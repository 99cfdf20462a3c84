/* SPDX-License-Identifier: MIT */
/*
 * init.c - see init.h: the start, one line per step
 */
#include "cache/init.h"
#include "base/check.h"
#include "base/text.h"
#include "cache/above.h"
#include "cache/account.h"
#include "cache/anchor.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/fault.h"
#include "cache/guard.h"
#include "cache/kmalloc.h"
#include "cache/large.h"
#include "cache/mempool.h"
#include "cache/option.h"
#include "cache/rcu.h"
#include "cache/reclaim.h"
#include "page/node.h"
#include "port/port.h"

/* A quarter of the user address space of today's 64-bit processors. */
#define INIT_ADDRESS_QUARTER ((size_t)1 << 45)

/* With audit=1, slabs made between two audits. */
#define INIT_AUDIT_EVERY 512u

enum init_state { INIT_NONE, INIT_BUSY, INIT_DONE, INIT_FAILED };

static u32 init_state;
static bool init_fenced;         /* array_lock: no sequence was running when everything stopped */
static struct above *init_above; /* array_lock: the floors above that were stopped */
struct init_facts init_facts;

/* The least of four times the memory, half the address space that is left, and a quarter of
 * what there is: one range that never has to grow. */
static size_t init_budget(const struct port_machine *m)
{
	size_t budget = size_min(m->ram_bytes * 4, INIT_ADDRESS_QUARTER);

	if (m->address_bytes != SIZE_MAX)
		budget = size_min(budget, m->address_bytes / 2);
	if (options.limit)
		budget = size_min(budget, options.limit);
	return budget;
}

static bool init_run(void)
{
	static const char *const names[] = { "rseq", "lock", "pretend" };
	struct port_machine machine;
	enum port_percpu_mode mode;
	const char *text;
	bool secure;

	port_init(&machine);
	text = port_options(&secure);
	option_read(text, secure);
	fault_init();
	node_init(machine.nodes, (unsigned)options.fake_numa);
	if (!page_init(init_budget(&machine), machine.cpus, machine.page_bytes))
		return false;
	if (options.random_seq)
		slab_set_random(machine.random | 1);
	if (!cache_boot() || !large_init() || !kmalloc_init())
		return false;
	cache_boot_end();
	guard_init(machine.page_bytes, machine.random);
	mode = port_percpu_init((int)options.percpu - 1, (void *)(uintptr_t)map_dummy,
				&init_facts.percpu_why);
	array_init(machine.cpus);
	init_facts.percpu = names[mode];
	init_facts.arena_bytes = map.nr_pages << PAGE_SHIFT;
	init_facts.ram_bytes = machine.ram_bytes;
	init_facts.cpus = machine.cpus;
	kmalloc_open(mode == PORT_PERCPU_LOCK);
	anchor_init();
	return true;
}

static cold bool init_start(void)
{
	u32 expected = INIT_NONE;

	if (__atomic_compare_exchange_n(&init_state, &expected, INIT_BUSY, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		STORE_RELEASE(init_state, init_run() ? INIT_DONE : INIT_FAILED);
	while (LOAD_ACQUIRE(init_state) == INIT_BUSY)
		port_yield();
	return LOAD_ACQUIRE(init_state) == INIT_DONE;
}

bool init_ready(void)
{
	return likely(LOAD_ACQUIRE(init_state) == INIT_DONE) || init_start();
}

bool init_done(void)
{
	return LOAD_ACQUIRE(init_state) == INIT_DONE;
}

bool init_begun(void)
{
	return LOAD_ACQUIRE(init_state) != INIT_NONE;
}

/* The floors above; arrays (no CPU works on its own any more); then the locks from the top down. */
void init_stop(void)
{
	struct above *above = above_stop();

	init_fenced = array_lock_all();
	init_above = above;
	cache_lock_all();
	large_lock_all();
	guard_lock_all();
	reclaim_lock_all();
	account_lock_all();
	rcu_lock_all();
	mempool_lock_all();
	page_lock_all();
}

void init_resume(void)
{
	struct above *above = init_above;

	page_unlock_all();
	mempool_unlock_all();
	rcu_unlock_all();
	account_unlock_all();
	reclaim_unlock_all();
	guard_unlock_all();
	large_unlock_all();
	cache_unlock_all();
	array_unlock_all();
	above_resume(above);
}

void init_resume_child(void)
{
	if (!init_fenced)
		array_forget();
	cache_forget();
	reclaim_forget();
	guard_forget();
	above_forget(init_above);
	init_resume();
}

size_t ashlar_audit(void)
{
	size_t faults;

	if (!init_ready())
		return 0;
	init_stop();
	faults = init_fenced ? array_audit() : 0;
	faults += cache_audit() + large_audit() + guard_audit() + account_audit() + page_audit();
	faults += above_audit(init_above);
	init_resume();
	for (size_t i = 0; i < faults; i++)
		anchor_event(ASHLAR_EVENT_FAULT);
	return faults;
}

/* audit=1: every so often, and at the end; a fault ends the program. */
void init_audit_point(bool now)
{
	static u32 points;
	struct text t;
	size_t faults;

	if (!now && __atomic_add_fetch(&points, 1, __ATOMIC_RELAXED) % INIT_AUDIT_EVERY != 0)
		return;
	faults = ashlar_audit();
	if (faults == 0)
		return;
	text_init(&t);
	text_str(&t, "ashlar: audit: ");
	text_dec(&t, faults);
	text_str(&t, " faults in the heap's own tables\n");
	anchor_message(t.bytes, t.length);
	text_print(&t);
	check_end();
}
