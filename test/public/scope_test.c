/* SPDX-License-Identifier: MIT */
/*
 * scope_test.c - memalloc_noreclaim_save, memalloc_noio_save, memalloc_nofs_save
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/mm.h"
#include "cache/scope.h"
#include "scope_help.h"

/* Does the shrinker run for a request that fails? */
static bool runs(gfp_t gfp)
{
	scans = 0;
	EXPECT_NULL(ashlar_kmalloc(32768, gfp | __GFP_NORETRY));
	return scans != 0;
}

TEST(scope_SC1_noio_and_nofs_keep_shrinkers_out)
{
	unsigned io;
	unsigned fs;

	REQUIRE(setup(__GFP_FS));
	EXPECT(runs(GFP_KERNEL));
	fs = memalloc_nofs_save();
	EXPECT_FALSE(runs(GFP_KERNEL));
	memalloc_nofs_restore(fs);
	EXPECT(runs(GFP_KERNEL));
	io = memalloc_noio_save();
	EXPECT_FALSE(runs(GFP_KERNEL));
	shrinker.needs = __GFP_IO;
	EXPECT_FALSE(runs(GFP_KERNEL));
	memalloc_noio_restore(io);
	fs = memalloc_nofs_save();
	EXPECT(runs(GFP_KERNEL)); /* which sees what it may do */
	EXPECT_EQ(seen & (__GFP_IO | __GFP_FS), __GFP_IO);
	memalloc_nofs_restore(fs);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(scope_SC1_noreclaim_reclaims_nothing)
{
	unsigned before;

	REQUIRE(setup(0));
	while (alloc_pages(GFP_KERNEL | __GFP_NORETRY, 0))
		;
	before = memalloc_noreclaim_save();
	scans = 0;
	EXPECT_NULL(alloc_pages(GFP_KERNEL | __GFP_NOMEMALLOC, 0));
	EXPECT_EQ(scans, 0);
	memalloc_noreclaim_restore(before);
	EXPECT(runs(GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

static void free_kept(void)
{
	if (sim.waits == 20)
		kfree(kept);
}

/* Who must not fail waits for others. */
TEST(scope_noreclaim_and_NOFAIL)
{
	unsigned before;

	PAGES_OF_4_KIB();
	REQUIRE(setup(0));
	before = memalloc_noreclaim_save();
	for (void *p = kept; p; p = ashlar_kmalloc(32768, GFP_KERNEL))
		kept = p;
	sim.watch = free_kept;
	EXPECT_PTR_EQ(ashlar_kmalloc(32768, GFP_KERNEL | __GFP_NOFAIL), kept);
	sim.watch = NULL;
	EXPECT_EQ(scans, 0);
	EXPECT_EQ(sim.waits, 21);
	memalloc_noreclaim_restore(before);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(scope_SC2_nested)
{
	unsigned a;
	unsigned b;
	unsigned c;

	sim_reset();
	EXPECT_EQ(scope_now(), 0);
	a = memalloc_noio_save();
	b = memalloc_nofs_save();
	c = memalloc_noio_save();
	EXPECT_EQ(scope_now(), SCOPE_NOIO | SCOPE_NOFS);
	memalloc_noio_restore(c);
	EXPECT_EQ(scope_now(), SCOPE_NOIO | SCOPE_NOFS);
	memalloc_nofs_restore(b);
	EXPECT_EQ(scope_now(), SCOPE_NOIO);
	memalloc_noio_restore(a);
	EXPECT_EQ(scope_now(), 0);
	sim.task_word = ~(uintptr_t)7; /* the other bits are not its */
	a = memalloc_noreclaim_save();
	memalloc_noreclaim_restore(a);
	EXPECT_EQ(sim.task_word, ~(uintptr_t)7);
	sim.task_word = 0;
}

TEST(scope_another_thread_has_its_own)
{
	uintptr_t mine;

	REQUIRE(setup(__GFP_FS));
	memalloc_nofs_save();
	mine = sim.task_word;
	sim.task_word = 0; /* another thread runs */
	EXPECT(runs(GFP_KERNEL));
	sim.task_word = mine;
	EXPECT_FALSE(runs(GFP_KERNEL));
}

TEST(scope_a_home_without_words_says_so)
{
	sim_reset();
	sim.task_refused = true;
	EXPECT_EQ(memalloc_noio_save(), 0);
	EXPECT_TEXT_EQ(sim.text, "ashlar: memalloc_noio_save(\"scope\"): refused: this home has no "
				 "word for each thread\n");
	memalloc_noio_restore(0);
	EXPECT_EQ(scope_now(), 0);
}
