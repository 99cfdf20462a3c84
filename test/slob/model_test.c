/* SPDX-License-Identifier: MIT */
/*
 * model_test.c - random work on slob against the model of intervals (interval.h)
 *
 * Seed    ASHLAR_SEED, printed; the same seed does the same on every machine.
 */
#include "interval.h"
#include "slob_help.h"

static uint8_t program[20000];
static struct interval_run run;

static void play(uint64_t seed, unsigned times, size_t largest)
{
	for (unsigned n = 0; n < times; n++) {
		const char *fault;

		for (size_t i = 0; i < sizeof(program); i++)
			program[i] = (uint8_t)help_random(&seed);
		fault = interval_run(&run, program, sizeof(program), largest);
		if (fault) {
			tap_note(fault);
			tap_note_number("in program", n);
		}
		REQUIRE(!fault);
		EXPECT_EQ(pages_taken(), 0);
		EXPECT_EQ(sim.waits, 0);
	}
}

static uint64_t seed_of_run(void)
{
	uint64_t seed = help_setting("ASHLAR_SEED", 20240229);

	tap_note_number("ASHLAR_SEED", seed);
	return seed;
}

TEST(model_all_sizes)
{
	REQUIRE(slob_setup());
	play(seed_of_run(), 10 * help_effort(), 100000);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(model_small_objects)
{
	REQUIRE(slob_setup());
	play(seed_of_run() + 1, 10 * help_effort(), 400);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(model_little_memory)
{
	sim_reset();
	sim.arena_bytes = (size_t)2 << 20;
	REQUIRE(init_ready());
	play(seed_of_run() + 2, 10 * help_effort(), 200000);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(model_requests_refused)
{
	uint64_t seed;

	REQUIRE(slob_setup());
	seed = seed_of_run();
	for (unsigned n = 1; n < 20; n++) {
		sim.fail_at = n;
		sim.fail_on = n % 2;
		play(seed + n, 1, 500000);
		sim.fail_at = 0;
		ashlar_purge();
	}
	EXPECT_TEXT_EQ(sim.text, "");
}
