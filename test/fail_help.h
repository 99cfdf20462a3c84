/* SPDX-License-Identifier: MIT */
/*
 * fail_help.h - each request for memory that a script makes fails once
 *
 * What    fail_each(setup, script): for n = 1, 2, ... the script runs in a machine of its own
 *         whose n'th request is refused, and then in one where all from the n'th on are, until a
 *         run has no refusal left. After each the audit is clean, and the script works again.
 */
#ifndef ASHLAR_TEST_FAIL_HELP_H
#define ASHLAR_TEST_FAIL_HELP_H

#include "ashlar/slab.h"
#include "sim_help.h"

struct fail_plan {
	bool (*setup)(void);            /* a machine that has started */
	void (*script)(bool must_work); /* frees all that it gets */
	uint64_t n;
	bool on;
};

/* Does the script end before the n'th request? */
static unsigned fail_beyond(const void *plan)
{
	const struct fail_plan *p = plan;

	if (!p->setup())
		return 1;
	sim.fail_at = p->n;
	p->script(false);
	return sim.fail_at != 0;
}

static unsigned fail_check(const void *plan)
{
	const struct fail_plan *p = plan;

	if (!EXPECT(p->setup()))
		return 1;
	sim.fail_at = p->n;
	sim.fail_on = p->on;
	p->script(false);
	EXPECT_EQ(ashlar_audit(), 0);
	sim.fail_at = 0;
	sim.fail_on = false;
	p->script(true);
	EXPECT_EQ(ashlar_audit(), 0);
	if (tap_has_failed())
		tap_note_number("when this request is refused:", p->n);
	return tap_has_failed();
}

static void fail_each(bool (*setup)(void), void (*script)(bool must_work))
{
	struct fail_plan plan = { setup, script, 0, false };
	uint64_t low = 0;
	uint64_t high = 512;

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	while (high - low > 1) {
		plan.n = (low + high) / 2;
		if (tap_apart(fail_beyond, &plan))
			high = plan.n;
		else
			low = plan.n;
	}
	tap_note_number("requests refused:", low);
	EXPECT_GT(low, 0);
	for (plan.n = 1; plan.n <= low + 1; plan.n++) {
		plan.on = false;
		EXPECT_EQ(tap_apart(fail_check, &plan), 0);
		plan.on = true;
		EXPECT_EQ(tap_apart(fail_check, &plan), 0);
	}
}

#endif
