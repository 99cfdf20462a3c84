/* SPDX-License-Identifier: MIT */
/*
 * pool_fuzz.c - a fuzzer's bytes as work on pools, on the simulated machine
 *
 * What    Two bytes are a step of test/pool/pool_model.h. After each input all is given back and
 *         audited, so that inputs do not depend on each other. What does not hold ends the
 *         process, which is what a fuzzer looks for.
 * Use     test/fuzz/pool.sh builds and runs it; pool_fuzz FILE repeats what it found.
 */
#include <stdio.h>
#include <stdlib.h>

#define MODEL_CHECK(held)                                                                     \
	do {                                                                                  \
		if (!(held)) {                                                                \
			fprintf(stderr, "pool_fuzz: %s:%d: %s\n", __FILE__, __LINE__, #held); \
			abort();                                                              \
		}                                                                             \
	} while (0)
/* tap.h's settings are not used here. */
#include "pool/pool_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

const char *tap_setting(const char *name)
{
	(void)name;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static bool started;

	if (!started) {
		sim_reset();
		sim.arena_bytes = (size_t)96 << 20;
		started = init_ready();
	}
	work_begin();
	for (size_t i = 0; i + 1 < count; i += 2)
		work_step(bytes[i], bytes[i + 1]);
	work_end();
	return 0;
}
