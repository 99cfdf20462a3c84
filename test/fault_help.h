/* SPDX-License-Identifier: MIT */
/*
 * fault_help.h - which of a row of allocations fail
 */
#ifndef ASHLAR_TEST_FAULT_HELP_H
#define ASHLAR_TEST_FAULT_HELP_H

#include "cache/kmalloc.h"
#include "start_help.h"

/* Of @calls, bit i is set if call i + 1 fails. */
static inline uint64_t failures(size_t size, unsigned calls, gfp_t gfp)
{
	uint64_t failed = 0;

	for (unsigned i = 0; i < calls; i++) {
		void *q = ashlar_kmalloc(size, gfp | __GFP_NOWARN);

		if (!q)
			failed |= (uint64_t)1 << i;
		kfree(q);
	}
	return failed;
}

#endif
