/* SPDX-License-Identifier: MIT */
/*
 * gfp_test.c - what each GFP flag means
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "fill_help.h"

static unsigned scans;
static unsigned give_after; /* scans after which there is something; 0: never */
static void *given;

static size_t count_some(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	return 1;
}

/* Says that it has freed something, so that it is asked again. */
static size_t scan_some(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)gfp;
	(void)n;
	if (++scans == give_after) {
		kfree(given);
		given = NULL;
	}
	return 1;
}

static struct shrinker shrinker = { .count = count_some, .scan = scan_some };

/* Memory is exhausted, and the shrinker is there. */
static bool setup_dry(ashlar_gfp_t needs)
{
	if (!setup_small())
		return false;
	given = kmalloc(20000, GFP_KERNEL);
	fill(32768, GFP_KERNEL | __GFP_NORETRY);
	while (kmalloc(20000, GFP_KERNEL | __GFP_NORETRY))
		;
	scans = 0;
	give_after = 0;
	shrinker.needs = needs;
	register_shrinker(&shrinker);
	return given != NULL;
}

/* Hints, and what is always so: nothing is different, and nothing is said. */
TEST(gfp_hints_are_taken_and_change_nothing)
{
	static const gfp_t hints[] = {
		__GFP_HIGHMEM, __GFP_MOVABLE,  __GFP_WRITE,          __GFP_HARDWALL,
		__GFP_COMP,    __GFP_COLD,     __GFP_NOLOCKDEP,      __GFP_ZEROTAGS,
		__GFP_NOWARN,  __GFP_NORETRY,  __GFP_RETRY_MAYFAIL,  __GFP_NOMEMALLOC,
		__GFP_HIGH,    __GFP_THISNODE, __GFP_KSWAPD_RECLAIM, __GFP_MEMALLOC,
	};

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(hints); i++) {
		char *p = ashlar_kmalloc(3000, GFP_KERNEL | hints[i]);
		struct page *page = alloc_pages(GFP_KERNEL | hints[i], 1);

		REQUIRE(p && page);
		memset(p, 1, 3000);
		memset(page_address(page), 1, 8192); /* __GFP_HIGHMEM: it is mapped */
		__free_pages(page, 1);               /* __GFP_COMP: it knows its order */
		kfree(p);
	}
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(gfp_THISNODE_takes_no_other)
{
	REQUIRE(setup());
	EXPECT_NOT_NULL(kmalloc_node(64, GFP_KERNEL | __GFP_THISNODE, 0));
	EXPECT_NULL(kmalloc_node(64, GFP_KERNEL | __GFP_THISNODE, 3));
	EXPECT_NOT_NULL(kmalloc_node(64, GFP_KERNEL, 3));
}

TEST(gfp_ZERO_the_whole_object)
{
	char *p;

	REQUIRE(setup());
	for (unsigned round = 0; round < 2; round++) {
		p = ashlar_kmalloc(100, GFP_KERNEL | __GFP_ZERO);
		REQUIRE(p != NULL);
		for (size_t i = 0; i < ksize(p); i++)
			EXPECT_EQ(p[i], 0);
		memset(p, 1, ksize(p));
		kfree(p);
	}
}

/* ---- what may be done -------------------------------------------------------------------- */

/* Each in a machine of its own. */
static unsigned run_cannot_wait(const void *gfp)
{
	uint64_t requests;
	uint64_t discarded;

	if (!EXPECT(setup_dry(__GFP_DIRECT_RECLAIM)))
		return 1;
	requests = sim.requests;
	discarded = sim.discarded;
	EXPECT_LT(fill(32768, *(const gfp_t *)gfp), 10); /* of the reserve */
	EXPECT_EQ(sim.requests, requests);
	EXPECT_EQ(sim.discarded, discarded);
	EXPECT_EQ(scans, 0);
	return tap_has_failed();
}

TEST(gfp_without_DIRECT_RECLAIM_no_call_and_no_shrinker)
{
	static const gfp_t cannot[] = { 0, GFP_NOWAIT, GFP_ATOMIC, __GFP_FS | __GFP_IO };

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	for (unsigned i = 0; i < ARRAY_SIZE(cannot); i++)
		EXPECT_EQ(tap_apart(run_cannot_wait, &cannot[i]), 0);
}

struct gate {
	gfp_t needs;
	gfp_t gfp;
	bool runs;
};

static unsigned run_gate(const void *p)
{
	const struct gate *gate = p;

	if (!EXPECT(setup_dry(gate->needs)))
		return 1;
	EXPECT_NULL(kmalloc(20000, gate->gfp));
	EXPECT_EQ(scans != 0, gate->runs);
	return tap_has_failed();
}

TEST(gfp_IO_and_FS_say_which_shrinkers)
{
	static const struct gate gates[] = {
		{ 0, GFP_KERNEL, true },
		{ 0, GFP_NOFS, false },
		{ 0, GFP_NOIO, false },
		{ __GFP_FS, GFP_KERNEL, true },
		{ __GFP_FS, GFP_NOFS, false },
		{ __GFP_IO, GFP_NOFS, true },
		{ __GFP_IO, GFP_NOIO, false },
		{ __GFP_IO | __GFP_FS, GFP_KERNEL, true },
		{ __GFP_IO | __GFP_FS, GFP_NOFS, false },
		{ __GFP_DIRECT_RECLAIM, GFP_NOIO, true },
	};

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	for (unsigned i = 0; i < ARRAY_SIZE(gates); i++)
		EXPECT_EQ(tap_apart(run_gate, &gates[i]), 0);
}

TEST(gfp_NORETRY_and_RETRY_MAYFAIL_count_rounds)
{
	REQUIRE(setup_dry(0));
	EXPECT_NULL(kmalloc(20000, GFP_KERNEL | __GFP_NORETRY));
	EXPECT_EQ(scans, 1);
	scans = 0;
	EXPECT_NULL(kmalloc(20000, GFP_KERNEL));
	EXPECT_EQ(scans, 4);
	scans = 0;
	EXPECT_NULL(kmalloc(20000, GFP_KERNEL | __GFP_RETRY_MAYFAIL));
	EXPECT_EQ(scans, 16);
	EXPECT_EQ(__GFP_REPEAT, __GFP_RETRY_MAYFAIL);
	unregister_shrinker(&shrinker);
	EXPECT_TEXT_EQ(sim.text, ""); /* that memory is exhausted is no error */
}

TEST(gfp_NOFAIL_waits_until_there_is_some)
{
	REQUIRE(setup_dry(0));
	give_after = 300;
	EXPECT_NOT_NULL(kmalloc(20000, GFP_KERNEL | __GFP_NOFAIL));
	EXPECT_EQ(scans, 300);
	unregister_shrinker(&shrinker);
}

TEST(gfp_NOFAIL_of_who_may_not_wait_is_refused)
{
	REQUIRE(setup_dry(0));
	unregister_shrinker(&shrinker);
	fill(32768, GFP_ATOMIC);
	help_clear();
	EXPECT_NULL(kmalloc(20000, GFP_NOWAIT | __GFP_NOFAIL));
	EXPECT_TEXT_EQ(sim.text, "ashlar: gfp(\"__GFP_NOFAIL\"): refused: it needs "
				 "__GFP_DIRECT_RECLAIM\n");
	EXPECT_NULL(ashlar_kmalloc(SIZE_MAX / 2 + 1, GFP_KERNEL | __GFP_NOFAIL)); /* cannot be */
	EXPECT_NULL(alloc_pages(GFP_KERNEL | __GFP_NOFAIL, MAX_ORDER + 1));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(gfp_composites)
{
	EXPECT_EQ(GFP_KERNEL, __GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM | __GFP_IO | __GFP_FS);
	EXPECT_EQ(GFP_ATOMIC, __GFP_HIGH | __GFP_KSWAPD_RECLAIM);
	EXPECT_EQ(GFP_NOWAIT & __GFP_DIRECT_RECLAIM, 0);
	EXPECT_EQ(GFP_NOIO, __GFP_RECLAIM);
	EXPECT_EQ(GFP_NOFS, __GFP_RECLAIM | __GFP_IO);
	EXPECT_EQ(GFP_USER, GFP_KERNEL | __GFP_HARDWALL);
	EXPECT_EQ(GFP_HIGHUSER, GFP_USER | __GFP_HIGHMEM);
	EXPECT_EQ(GFP_HIGHUSER_MOVABLE, GFP_HIGHUSER | __GFP_MOVABLE);
	EXPECT_EQ(GFP_KERNEL_ACCOUNT, GFP_KERNEL | __GFP_ACCOUNT);
	EXPECT_EQ(GFP_TRANSHUGE_LIGHT & __GFP_RECLAIM, 0);
	EXPECT_EQ(GFP_TRANSHUGE, GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM);
}

TEST(gfp_unknown_bits_are_told_once)
{
	REQUIRE(setup());
	EXPECT_NOT_NULL(ashlar_kmalloc(5000, GFP_KERNEL | 0x80000000u));
	EXPECT_TEXT_EQ(sim.text, "ashlar: gfp(\"0x80000000\"): refused: unknown flags, which mean "
				 "nothing here\n");
	help_clear();
	EXPECT_NOT_NULL(alloc_pages(GFP_KERNEL | 0x40000000u, 0));
	EXPECT_TEXT_EQ(sim.text, "");
}
