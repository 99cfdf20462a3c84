/* SPDX-License-Identifier: MIT */
/*
 * misuse.h - what the programs of misuse share: they say what they are about to do
 *
 * say(arg, base) prints the pointer that is handed over and the start of the block it
 * belongs to; run.py expects both in the report.
 */
#ifndef ASHLAR_TEST_MISUSE_H
#define ASHLAR_TEST_MISUSE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *say(volatile void *arg, volatile void *base)
{
	printf("%p %p\n", (void *)arg, (void *)base);
	fflush(stdout);
	return (void *)arg;
}

#endif
