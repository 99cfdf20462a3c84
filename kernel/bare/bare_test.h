/* SPDX-License-Identifier: MIT */
/*
 * bare_test.h - what the tests on the bare port share
 */
#ifndef ASHLAR_KERNEL_BARE_TEST_H
#define ASHLAR_KERNEL_BARE_TEST_H

#include "ashlar/bare.h"
#include "ashlar/mm.h"
#include "ashlar/slab.h"
#include "machine.h"
#include "page/page.h"
#include "tap.h"

#define MIB ((uint64_t)1 << 20)
#define PAGE_BYTES ((size_t)1 << PORT_PAGE_SHIFT)

/* The same numbers for one seed (splitmix64); a state for each CPU. */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Instructions of ashlar_boot_start, with icount. */
extern uint64_t boot_cost;
/* Bytes that it has taken from the boot map: its tables, and pages that are online. */
extern uint64_t boot_bytes;

/* How much work each CPU does, of the boot line. */
static inline unsigned rounds(unsigned ordinary)
{
	return (unsigned)(ordinary * setting_number("rounds", 100) / 100);
}

#endif
