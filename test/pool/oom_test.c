/* SPDX-License-Identifier: MIT */
/*
 * oom_test.c - every request for memory fails once while pools are used
 *
 * What    A script uses all doors of pools. For n = 1, 2, ... it runs in a machine whose n'th
 *         request to the port is refused (or all from there on), until a run has no refusal. Each
 *         time the audit is clean, the script can be run again, and afterwards all pages are back.
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "pool/pool.h"
#include "sim_help.h"

#define MIB ((size_t)1 << 20)

struct plan {
	uint64_t n; /* the request that fails; 0: none */
	bool on;    /* all after it, too */
};

static bool must_work;
static size_t alive; /* constructed and not destroyed */

static bool worked(const void *p)
{
	return p ? true : !EXPECT(!must_work) && false;
}

static void *count_up(void *p, unsigned long arg)
{
	alive += arg;
	return p;
}

static void *count_down(void *p, unsigned long arg)
{
	alive -= arg;
	return p;
}

static void script_pool(size_t size, unsigned count, unsigned flags)
{
	struct pool_args args = {
		.size = size, .flags = flags, .arg = 1, .ctor = count_up, .dtor = count_down
	};
	void *p[16];
	struct pool_info info;
	struct slab *pool;
	unsigned n = 0;
	int error;

	pool = pool_create(&args, &error);
	EXPECT_EQ(error, pool ? 0 : -ESLAB_NOMEM);
	if (!worked(pool))
		return;
	for (; n < count; n++)
		if (!worked(p[n] = slab_malloc(pool, 0)))
			break;
	EXPECT_EQ(alive, n);
	pool_info(pool, &info);
	EXPECT_EQ(info.objects_using, n);
	while (n)
		EXPECT_EQ(slab_free(pool, p[--n], 0), 0);
	EXPECT_EQ(alive, 0);
	EXPECT_EQ(slab_destroy(pool), 0);
}

static void script(void)
{
	static const size_t sizes[] = { 1, 100, 5000, 900000, 3 << 20, 10 << 20 };
	void *p;

	script_pool(64, 3, POOL_PAGES_HUGE);
	script_pool(MIB, 7, POOL_PAGES_AUTO);
	EXPECT_EQ(slab_init() == 0 || !must_work, true);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = pool_kzalloc(sizes[i], GFP_KERNEL);
		if (worked(p))
			EXPECT_EQ(pool_kfree(p), 0);
	}
}

static unsigned run(const void *argument)
{
	const struct plan *plan = argument;
	struct page_stat s;
	bool refused;

	sim_reset();
	sim.arena_bytes = 128 * MIB;
	sim.fail_at = plan->n;
	sim.fail_on = plan->on;
	script();
	refused = sim.fail_on ? sim.requests >= plan->n : sim.fail_at == 0 && plan->n;
	sim.fail_at = 0;
	sim.fail_on = false;
	EXPECT_EQ(ashlar_audit(), 0);
	if (init_ready()) {
		must_work = true;
		script();
		ashlar_purge();
		EXPECT_EQ(ashlar_audit(), 0);
		page_stat(&s);
		EXPECT_LE(s.online_pages - s.free_pages, 200); /* no block is kept */
		EXPECT_EQ(s.dirty_pages, 0);
	}
	EXPECT_EQ(sim.waits, 0);
	if (tap_has_failed())
		tap_note_number("when this request is refused:", plan->n);
	return tap_has_failed() ? 2 : refused;
}

static void run_all(bool on)
{
	struct plan plan = { .n = 1, .on = on };

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	while (plan.n < 500 && tap_apart(run, &plan) == 1)
		plan.n++;
	EXPECT_EQ(tap_apart(run, &plan), 0);
	tap_note_number("requests refused:", plan.n - 1);
	EXPECT_GT(plan.n, 15);
}

TEST(oom_pools_each_request_once)
{
	run_all(false);
}

TEST(oom_pools_each_request_and_all_after)
{
	run_all(true);
}
