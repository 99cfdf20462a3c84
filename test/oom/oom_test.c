/* SPDX-License-Identifier: MIT */
/*
 * oom_test.c - every request for memory fails once; a tiny machine runs out and recovers
 *
 * What    A script uses all doors. For n = 1, 2, ... it runs in a machine whose n'th request to
 *         the port is refused (or all from the n'th on), until a run has no refusal. Each time
 *         the audit is clean, the script can be run again without refusals, and when all is
 *         freed, every online page is free or one of the core's own tables.
 */
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/large.h"
#include "sim_help.h"

#define BULK 700u
#define MIB ((size_t)1 << 20)

struct plan {
	uint64_t n; /* the request that fails */
	bool on;    /* all after it, too */
	bool lock_mode;
	unsigned nodes;
};

static bool must_work; /* no refusals now: nothing may fail */
static size_t constructed;

static void construct(void *p)
{
	constructed++;
	*(size_t *)p = 1;
}

static bool worked(const void *p)
{
	return p ? true : !EXPECT(!must_work) && false;
}

static void script_objects(struct kmem_cache *c, size_t count)
{
	static void *objects[BULK];
	size_t n = 0;

	for (; n < count; n++) {
		sim.cpu = n / 40 % 4;
		objects[n] = kmem_cache_alloc(c, n % 3 ? GFP_KERNEL : GFP_KERNEL | __GFP_NORETRY);
		if (!worked(objects[n]))
			break;
		EXPECT(!c->ctor || *(size_t *)objects[n] == 1);
		*(size_t *)objects[n] = 1;
	}
	for (size_t i = 0; i < n; i++) {
		sim.cpu = i / 150 % 4;
		kmem_cache_free(c, objects[i]);
	}
	n = (size_t)kmem_cache_alloc_bulk(c, GFP_KERNEL, count, objects);
	EXPECT(n == 0 || n == count);
	worked(n ? objects[0] : NULL);
	kmem_cache_free_bulk(c, n, objects);
}

/* Sizes up and down, through classes, runs and mappings; contents stay. */
static void script_resize(void)
{
	static const size_t sizes[] = { 100,     5000,     100 << 10, 1 << 20, 8400 << 10,
					9 << 20, 60 << 10, 400,       32768 };
	char *p = ashlar_kmalloc(10, GFP_KERNEL);

	if (!worked(p))
		return;
	memset(p, 0x3c, 10);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *q = krealloc(p, sizes[i], GFP_KERNEL);

		p = worked(q) ? q : p;
		for (unsigned k = 0; k < 10; k++)
			EXPECT_EQ(p[k], 0x3c);
		EXPECT(!q || ksize(p) >= sizes[i]);
	}
	kfree(p);
}

static void script_large(void)
{
	void *p[8];

	for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = kmalloc_aligned(i < 7 ? 40000 + i * 100000 : 9 * MIB, i < 7 ? 4096 : 64,
				       i % 2 ? GFP_KERNEL | __GFP_ZERO : GFP_KERNEL);
		if (worked(p[i]))
			memset(p[i], 1, 40000);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(p); i++)
		kfree(p[i]);
}

static void script(void)
{
	static const unsigned sizes[] = { 24, 3000, 50000 };

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *c =
			kmem_cache_create("oom", sizes[i], 0, 0, i == 1 ? construct : NULL);

		if (!worked(c))
			continue;
		script_objects(c, sizes[i] > 30000 ? 60 : BULK);
		if (i == 0)
			kmem_cache_shrink(c);
		EXPECT_EQ(ashlar_audit(), 0);
		kmem_cache_destroy(c);
	}
	script_resize();
	script_large();
	ashlar_purge();
}

/* Every online page is free, a table, or in a slab of a cache that the core made for itself. */
static void check_nothing_lost(void)
{
	struct page_stat s;
	size_t own = 0;
	size_t slabs = 0;

	ashlar_purge();
	page_stat(&s);
	for (size_t i = 0; i < map.granules >> (PAGE_SHIFT - GRANULE_SHIFT); i++) {
		const struct page *p = &map.pages[i];

		if (p->kind == PAGE_TABLE)
			own += (size_t)1 << p->order;
		if (p->kind == PAGE_SLAB)
			slabs += (size_t)1 << p->order;
		EXPECT(p->kind != PAGE_BLOCK && p->kind != PAGE_LARGE && p->kind != PAGE_PCP);
	}
	EXPECT_EQ(s.online_pages, s.free_pages + own + slabs);
	EXPECT_LE(slabs, 6 * 16); /* of kmem_cache and kmem_cache_node */
	EXPECT_EQ(s.dirty_pages + s.pcp_pages, 0);
	EXPECT_EQ(sim.mapped_bytes, 0);
	EXPECT_EQ(large_used_pages() + large_kept_pages(), 0);
}

/* In a machine of its own. Without @check: does the script end before the n'th request? */
static unsigned run(const struct plan *plan, bool check)
{
	sim_reset();
	sim.arena_bytes = 48 * MIB;
	sim.lock_mode = plan->lock_mode;
	sim.nodes = plan->nodes;
	for (unsigned cpu = 0; cpu < sim.cpus; cpu++)
		sim.cpu_node[cpu] = cpu % plan->nodes;
	sim.fail_at = plan->n;
	sim.fail_on = plan->on && check;
	script();
	if (!check)
		return sim.fail_at != 0;
	sim.fail_at = 0;
	sim.fail_on = false;
	EXPECT_EQ(ashlar_audit(), 0);
	if (init_ready()) { /* else the first requests were refused, and nothing works for good */
		must_work = true;
		script();
		EXPECT_EQ(ashlar_audit(), 0);
		check_nothing_lost();
	}
	EXPECT_EQ(sim.waits, 0);
	if (tap_has_failed())
		tap_note_number("when this request is refused:", plan->n);
	return tap_has_failed();
}

static unsigned run_beyond(const void *plan)
{
	return run(plan, false);
}

static unsigned run_check(const void *plan)
{
	return run(plan, true);
}

/* Requests that the script makes when none is refused. */
static uint64_t count_requests(struct plan plan)
{
	uint64_t low = 0; /* is reached */
	uint64_t high = 1024;

	while (high - low > 1) {
		plan.n = (low + high) / 2;
		if (tap_apart(run_beyond, &plan))
			high = plan.n;
		else
			low = plan.n;
	}
	return low;
}

static void run_all(bool on, bool lock_mode, unsigned nodes)
{
	struct plan plan = { .on = on, .lock_mode = lock_mode, .nodes = nodes };
	uint64_t requests;

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	requests = count_requests(plan);
	tap_note_number("requests refused:", requests);
	EXPECT_GT(requests, 10);
	for (plan.n = 0; plan.n <= requests; plan.n++)
		EXPECT_EQ(tap_apart(run_check, &plan), 0);
}

TEST(oom_each_request_once)
{
	run_all(false, false, 1);
}

TEST(oom_each_request_and_all_after)
{
	run_all(true, false, 1);
}

TEST(oom_locks_each_request_once)
{
	run_all(false, true, 1);
}

TEST(oom_two_nodes_each_request_once)
{
	run_all(false, false, 2);
}

/* ---- a tiny machine ------------------------------------------------------------------------ */

static void *held[1 << 18];

/* Blocks of @size until there are no more; returns how many. */
static size_t fill(size_t size, gfp_t gfp)
{
	size_t n = 0;

	while (n < ARRAY_SIZE(held) && (held[n] = ashlar_kmalloc(size, gfp)))
		memset(held[n++], 0x77, size);
	return n;
}

/* Tables of each CPU, so that they do not come in between later. */
static void touch_cpus(void)
{
	for (sim.cpu = sim.cpus; sim.cpu-- > 0;) {
		kfree(ashlar_kmalloc(16, GFP_KERNEL));
		if (sim.cpu == 0)
			break;
	}
}

static void tiny(size_t arena_bytes)
{
	static const size_t sizes[] = { 16, 100, 1000, 5000, 20000, 100000, 500000 };
	size_t first[ARRAY_SIZE(sizes)];

	sim_reset();
	sim.arena_bytes = arena_bytes;
	sim.mapping_bytes = 0;
	REQUIRE(init_ready());
	REQUIRE(map.nr_pages << PAGE_SHIFT <= 4 * MIB);
	touch_cpus();
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
			size_t n = fill(sizes[i], GFP_KERNEL | __GFP_NOWARN);

			sim.cpu = round;
			first[i] = round ? first[i] : n;
			EXPECT_GT(n, 0);
			EXPECT_GE(n * sizes[i] + 64 * 1024, first[i] * sizes[i]); /* a slab less */
			EXPECT_EQ(ashlar_audit(), 0);
			kmem_cache_free_bulk(NULL, n, held);
			EXPECT_EQ(ashlar_audit(), 0);
		}
	}
	tap_note_number("objects of 16 bytes:", first[0]);
	tap_note_number("objects of 5000 bytes:", first[3]);
	tap_note_number("runs of 500000 bytes:", first[6]);
	check_nothing_lost();
}

TEST(oom_arena_of_two_mib)
{
	PAGES_OF_4_KIB();
	tiny(4 * MIB);
}

TEST(oom_arena_of_four_mib)
{
	PAGES_OF_4_KIB();
	tiny(5 * MIB);
}

TEST(oom_reserve_is_for_those_who_may)
{
	size_t n;
	size_t m;

	sim_reset();
	sim.arena_bytes = HELP_SMALL_ARENA;
	sim.mapping_bytes = 0;
	REQUIRE(init_ready());
	n = fill(32768, GFP_KERNEL | __GFP_NORETRY);
	EXPECT_GT(n, 0);
	m = fill(32768, GFP_ATOMIC);
	EXPECT_EQ(fill(32768, GFP_NOWAIT), 0);
	EXPECT_GE(fill(32768, GFP_KERNEL | __GFP_MEMALLOC), m);
	EXPECT_EQ(ashlar_audit(), 0);
}
