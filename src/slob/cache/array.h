/* SPDX-License-Identifier: MIT */
/*
 * array.h - CPUs' arrays on slob: there are none (see src/cache/array.h)
 */
#ifndef ASHLAR_SLOB_ARRAY_H
#define ASHLAR_SLOB_ARRAY_H

/* CPUs that have arrays. */
static inline unsigned array_cpus(void)
{
	return 0;
}

#endif
