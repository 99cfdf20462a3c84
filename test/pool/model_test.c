/* SPDX-License-Identifier: MIT */
/*
 * model_test.c - random work on pools against a table of who owns which bytes
 *
 * Seed    ASHLAR_SEED, printed; the same seed does the same on every machine.
 */
#include "tap.h"
#define MODEL_CHECK(held) EXPECT(held)
#include "pool_model.h"

static void run(bool lock_mode, size_t arena_bytes, unsigned steps)
{
	uint64_t seed = help_setting("ASHLAR_SEED", 20220401);
	struct page_stat s;

	sim_reset();
	sim.lock_mode = lock_mode;
	sim.arena_bytes = arena_bytes;
	tap_note_number("ASHLAR_SEED", seed);
	REQUIRE(init_ready());
	work_begin();
	steps *= help_effort();
	for (unsigned i = 0; i < steps && !tap_has_failed(); i++) {
		uint64_t bytes = help_random(&seed);

		work_step((unsigned char)bytes, (unsigned char)(bytes >> 8));
		if (i % 256 == 0 && !EXPECT_EQ(ashlar_audit(), 0))
			tap_note_number("at step", i);
	}
	work_end();
	ashlar_purge();
	page_stat(&s);
	EXPECT_LE(s.online_pages - s.free_pages, 600);
	EXPECT_EQ(s.dirty_pages, 0);
	EXPECT_EQ(sim.huge_bytes, 0);
}

TEST(model_pools)
{
	run(false, (size_t)192 << 20, 20000);
}

TEST(model_pools_locks)
{
	run(true, (size_t)192 << 20, 10000);
}

TEST(model_pools_little_memory)
{
	run(false, (size_t)40 << 20, 20000);
}
