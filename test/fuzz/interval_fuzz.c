/* SPDX-License-Identifier: MIT */
/*
 * interval_fuzz.c - libFuzzer against the model of intervals, for either engine
 *
 * What    The input is a program (interval.h); each starts on a machine of its own.
 *         What the model finds wrong, and every report of Ashlar's, ends it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cache/init.h"
#include "interval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void fuzz_forget(void);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct interval_run run;
	static bool begun;

	if (!begun) {
		sim_reset();
		if (!init_ready())
			abort();
		begun = true;
	}
	if (size == 0)
		return 0;
	sim.cpu = 0;
	sim.fail_at = data[0] < 32 ? data[0] : 0; /* one request of the next is refused */
	sim.fail_on = data[0] % 2;
	if (interval_run(&run, data, size, 40000)) {
		tap_write(run.fault, __builtin_strlen(run.fault));
		abort();
	}
	sim.fail_at = 0;
	ashlar_purge();
	return 0;
}

void tap_write(const char *text, size_t bytes)
{
	sim.text_bytes = 0;
	if (bytes)
		sim.text[0] = text[0];
}
