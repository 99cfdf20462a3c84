/* SPDX-License-Identifier: MIT */
/*
 * account_work_test.c - groups that pay: every way to large blocks, no memory, random work
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "account_help.h"
#include "ashlar/mm.h"
#include "fail_help.h"
#include "interval.h"
#include "start_help.h"

/* ---- memory that runs out -------------------------------------------------------------------- */

static void script(bool must_work)
{
	struct ashlar_group *g = ashlar_group_create("g", NULL, 0);
	struct kmem_cache *c = kmem_cache_create("paid", 700, 0, SLAB_ACCOUNT, NULL);
	static void *p[700];

	EXPECT((g && c) || !must_work);
	ashlar_group_set_default(g);
	for (unsigned i = 0; c && i < ARRAY_SIZE(p); i++) {
		p[i] = i % 10 ? kmem_cache_alloc(c, GFP_KERNEL) :
				ashlar_kmalloc(20000 + i * 100, GFP_KERNEL_ACCOUNT);
		EXPECT(p[i] || !must_work);
	}
	for (unsigned i = 0; c && i < ARRAY_SIZE(p); i++)
		kfree(p[i]);
	kmem_cache_destroy(c);
	ashlar_group_set_default(NULL);
	if (g)
		EXPECT_EQ(bytes_of(g), 0);
	EXPECT_EQ(ashlar_group_destroy(g), 0);
	EXPECT_TEXT_EQ(sim.text, "");
	ashlar_purge();
}

static unsigned run_ways(const void *limit)
{
	const size_t most = *(const size_t *)limit;
	struct ashlar_group *g;
	void *p[5];

	sim_reset();
	sim.nodes = 2;
	if (!EXPECT(init_ready()))
		return 1;
	g = payer("ways", NULL, most);
	p[4] = kmalloc(13 * PAGE_SIZE, GFP_KERNEL);
	ashlar_group_set_default(g);
	p[0] = kmalloc_node(100000, GFP_KERNEL_ACCOUNT, 1);
	p[1] = kvmalloc(100000, GFP_KERNEL_ACCOUNT);
	p[2] = kvmalloc((size_t)32 << 20, GFP_KERNEL_ACCOUNT);
	p[3] = alloc_pages_exact(100000, GFP_KERNEL_ACCOUNT);
	p[4] = krealloc(p[4], 15 * PAGE_SIZE, GFP_KERNEL_ACCOUNT); /* it could grow where it is */
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(p[i] != NULL, most == 0);
	if (most == 0) {
		EXPECT_EQ(bytes_of(g), 2 * size_align(100000, PAGE_SIZE) + ((size_t)32 << 20) +
					       size_align(100000, PAGE_SIZE) + 15 * PAGE_SIZE);
	} else {
		EXPECT_NULL(p[4]);
		EXPECT_GE(refused_of(g), 5);
	}
	for (unsigned i = 0; i < 5; i++)
		if (i != 3)
			kfree(p[i]);
	free_pages_exact(p[3], 100000);
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_EQ(objects_of(g), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	return tap_has_failed();
}

/* No way to a large block goes past the group: another node, a mapping, growing in place. */
TEST(account_work_every_way_to_large_blocks)
{
	static const size_t limits[] = { 0, 50000 };

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQ(tap_apart(run_ways, &limits[i]), 0);
}

TEST(account_work_each_request_fails)
{
	fail_each(setup, script);
}

/* Random work, some of it paid for and some refused: in the end all is paid back. */
TEST(account_work_random_work)
{
	static uint8_t program[20000];
	static struct interval_run run;
	uint64_t seed = help_setting("ASHLAR_SEED", 61);
	struct ashlar_group *g[2];

	REQUIRE(setup());
	g[0] = payer("top", NULL, (size_t)1 << 20);
	g[1] = payer("below", g[0], 0);
	for (unsigned n = 0; n < 4 * help_effort(); n++) {
		const char *fault;

		ashlar_group_set_default(g[n % 2]);
		for (size_t i = 0; i < sizeof(program); i++)
			program[i] = (uint8_t)help_random(&seed);
		fault = interval_run(&run, program, sizeof(program), 300000);
		EXPECT(!fault);
		EXPECT_EQ(bytes_of(g[0]), 0);
		EXPECT_EQ(objects_of(g[0]), 0);
	}
	EXPECT_GE(refused_of(g[0]), 1);
	EXPECT_EQ(ashlar_audit(), 0);
}
