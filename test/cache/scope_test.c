/* SPDX-License-Identifier: MIT */
/*
 * scope_test.c - memalloc_noreclaim_save and the reserve
 */
#include "ashlar/mm.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/scope.h"
#include "sim_help.h"

static unsigned scans;
static gfp_t seen;

static size_t count_some(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	seen = gfp;
	return 1;
}

static size_t scan_some(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)gfp;
	(void)n;
	scans++;
	return 1;
}

static struct shrinker shrinker = { .count = count_some, .scan = scan_some };

/* Memory is exhausted but for the reserve, and a shrinker asks for @needs. */
static bool setup(gfp_t needs)
{
	sim_reset();
	sim.arena_bytes = HELP_SMALL_ARENA;
	sim.mapping_bytes = 0;
	if (!init_ready())
		return false;
	while (ashlar_kmalloc(32768, GFP_KERNEL | __GFP_NORETRY))
		;
	shrinker.needs = needs;
	register_shrinker(&shrinker);
	scans = 0;
	return true;
}

TEST(scope_SC1_noreclaim_reclaims_nothing_and_has_the_reserve)
{
	unsigned before;

	REQUIRE(setup(0));
	while (alloc_pages(GFP_KERNEL | __GFP_NORETRY, 0))
		;
	before = memalloc_noreclaim_save();
	scans = 0;
	EXPECT_NULL(alloc_pages(GFP_KERNEL | __GFP_NOMEMALLOC, 0)); /* which wins */
	EXPECT_NOT_NULL(alloc_pages(GFP_KERNEL, 0));
	EXPECT_NOT_NULL(ashlar_kmalloc(4096, GFP_KERNEL));
	EXPECT_EQ(scans, 0);
	memalloc_noreclaim_restore(before);
	EXPECT_NULL(ashlar_kmalloc(32768, GFP_KERNEL | __GFP_NORETRY));
	EXPECT_NE(scans, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}
