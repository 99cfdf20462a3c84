/* SPDX-License-Identifier: MIT */
/*
 * inspect_test.c - validation, leaks, switching debugging while it runs, no memory
 */
#include "debug_help.h"

/* ---- walks --------------------------------------------------------------------------- */

TEST(debug_validate_finds_each)
{
	u8 *held[200];

	REQUIRE(setup());
	for (unsigned i = 0; i < 200; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, held[3]);
	kmem_cache_free(c, held[150]);
	EXPECT_EQ(kmem_cache_validate(c), 0);
	held[3][5] = 1;
	held[20][100] = 1;
	held[199][-1] = 1;
	help_clear();
	EXPECT_EQ(kmem_cache_validate(c), 3);
	EXPECT_EQ(kmem_cache_validate(c), 3); /* nothing was changed */
	held[3][5] = 0x6b;
	held[20][100] = 0xcc;
	held[199][-1] = 0xcc;
	EXPECT_EQ(kmem_cache_validate(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(debug_leaks_by_stack)
{
	REQUIRE(setup());
	for (unsigned i = 0; i < 30; i++) {
		sim.frames[0] = (void *)(uintptr_t)(0x5000 + i / 10 * 0x100);
		EXPECT_NOT_NULL(kmem_cache_alloc(c, GFP_KERNEL));
	}
	kmem_cache_free(c, p);
	help_clear();
	kmem_cache_destroy(c);
	EXPECT(help_contains(sim.text,
			     "ashlar: kmem_cache_destroy(\"cats\"): 30 objects are still"));
	EXPECT(help_contains(sim.text, "  10 objects, one at 0x"));
	EXPECT(help_contains(sim.text, "    #0  0x5000 "));
	EXPECT(help_contains(sim.text, "    #0  0x5100 "));
	EXPECT(help_contains(sim.text, "    #0  0x5200 "));
}

/* ---- while it runs ------------------------------------------------------------------- */

TEST(debug_DB5_switching_an_empty_cache)
{
	REQUIRE(setup_flags(100, 0, NULL));
	EXPECT_EQ(kmem_cache_debug(c, "FZPU"), -16); /* p is in use */
	EXPECT_EQ(c->debug.flags, 0);
	EXPECT(!c->debug.slow);
	kmem_cache_free(c, p);
	EXPECT_EQ(kmem_cache_debug(c, "FZPU"), 0);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	REQUIRE(p);
	EXPECT_EQ(p[100], 0xcc);
	EXPECT_EQ(array_count(c), 0);
	EXPECT_EQ(kmem_cache_debug(c, "-"), -16);
	EXPECT_EQ(p[-1], 0xcc);
	kmem_cache_free(c, p);
	EXPECT_EQ(kmem_cache_debug(c, NULL), 0);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	REQUIRE(p);
	EXPECT_EQ(c->shape.stride, 112);
	EXPECT_GT(array_count(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(debug_switching_checks_and_traces_at_any_time)
{
	REQUIRE(setup_flags(100, 0, NULL));
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		sim.cpu = cpu;
		kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
	}
	EXPECT_GT(array_count(c), 0);
	EXPECT_EQ(kmem_cache_debug(c, "FT"), 0);
	EXPECT_EQ(array_count(c), 0);
	kmem_cache_free(c, p);
	EXPECT(help_contains(sim.text, "trace: cats free"));
	EXPECT_EQ(kmem_cache_debug(c, ""), 0);
	EXPECT_EQ(kmem_cache_debug(c, "X"), -22);
	EXPECT_NOT_NULL(kmem_cache_alloc(c, GFP_KERNEL));
	EXPECT_GT(array_count(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(debug_larger_orders_can_be_declined)
{
	u8 before;

	REQUIRE(setup_flags(16384, 0, NULL));
	before = c->shape.order;
	kmem_cache_free(c, p);
	EXPECT_EQ(kmem_cache_debug(c, "FZPUO"), 0);
	EXPECT_EQ(c->shape.order, before);
	if (c->debug.red == 0)
		EXPECT_EQ(c->debug.flags, SLAB_CONSISTENCY_CHECKS);
	EXPECT_EQ(kmem_cache_debug(c, "FZPU"), 0);
	EXPECT_NE(c->debug.red, 0);
}

TEST(debug_from_the_option)
{
	sim_reset();
	sim.options = "slab_debug=FZ,cat*;P,kmalloc-96";
	c = kmem_cache_create("cats", 100, 0, 0, NULL);
	REQUIRE(c);
	EXPECT_EQ(c->debug.flags, SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE);
	EXPECT_EQ(kmem_cache_create("dogs", 100, 0, 0, NULL)->debug.flags, 0);
	EXPECT_EQ(kmem_cache_create("cat2", 100, 0, SLAB_NO_USER_FLAGS, NULL)->debug.flags, 0);
	EXPECT_EQ(kmalloc_cache(96, 1)->debug.flags, SLAB_POISON);
	EXPECT_EQ(kmalloc_cache(64, 1)->debug.flags, 0);
}

/* ---- no memory ------------------------------------------------------------------------- */

/* The nth request for memory fails. Returns whether there were fewer. */
static unsigned with_failure(const void *n)
{
	static void *held[10000]; /* enough for the arena to grow several times */
	unsigned count = 0;

	if (!EXPECT(setup()))
		return 1;
	sim.fail_at = *(const uint64_t *)n;
	for (unsigned i = 0; i < ARRAY_SIZE(held); i++) {
		held[count] = kmem_cache_alloc(c, GFP_KERNEL | __GFP_NORETRY);
		count += held[count] != NULL;
	}
	EXPECT_GE(count, ARRAY_SIZE(held) - 1);
	for (unsigned i = 0; i < count; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(kmem_cache_validate(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	return tap_has_failed() ? 2 : sim.fail_at != 0;
}

TEST(debug_every_request_for_memory_fails_once)
{
	unsigned result = 0;
	uint64_t n = 0;

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	while (result == 0) {
		n++;
		result = tap_apart(with_failure, &n);
	}
	EXPECT_EQ(result, 1);
	EXPECT_GT(n, 3);
}

TEST(debug_bulk)
{
	void *held[200];

	REQUIRE(setup());
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL | __GFP_ZERO, 200, held), 200);
	for (unsigned i = 0; i < 200; i++) {
		EXPECT(all_are(held[i], 100, 0));
		EXPECT_EQ(((u8 *)held[i])[100], 0xcc);
	}
	kmem_cache_free_bulk(c, 200, held);
	EXPECT_EQ(kmem_cache_validate(c), 0);
	kmem_cache_free(c, p);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(debug_caches_are_never_merged)
{
	struct kmem_cache *plain;

	sim_reset();
	sim.options = "slab_merge=1;slab_debug=Z,cats";
	plain = kmem_cache_create("mice", 100, 0, 0, NULL);
	c = kmem_cache_create("cats", 100, 0, 0, NULL);
	REQUIRE(plain && c);
	EXPECT_PTR_NE(plain, c);
	EXPECT_PTR_EQ(kmem_cache_create("rats", 100, 0, 0, NULL), plain);
	EXPECT_PTR_NE(kmem_cache_create("dogs", 100, 0, SLAB_POISON, NULL), plain);
}
