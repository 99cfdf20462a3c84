/* SPDX-License-Identifier: MIT */
/*
 * firmware.h - what the tests of the test kernels' firmware parsers see of a kernel
 *
 * What    What a parser prints, and what it says to the boot map, is written down; where it may
 *         read ends at a page that nobody may touch.
 */
#ifndef ASHLAR_TEST_FIRMWARE_H
#define ASHLAR_TEST_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel.h"

struct firmware_call {
	char what; /* m memory, h hole, n node, t taken */
	uint64_t start;
	uint64_t bytes;
	unsigned node;
};

struct firmware {
	char console[4096];
	char settings[256];
	unsigned calls; /* also those that had no room in the list */
	struct firmware_call call[64];
	unsigned ranges;
	struct firmware_call range[8]; /* the boot map, where a test gives one */
};

extern struct firmware firmware;

/* Forget everything; nothing of the machine is known. */
void firmware_reset(void);

/* A copy of @bytes that end where memory ends. */
uint8_t *firmware_guard(const void *from, size_t bytes);

/* Was this said to the boot map? */
bool firmware_has(char what, uint64_t start, uint64_t bytes, unsigned node);

/* Is @text on the console? */
bool firmware_says(const char *text);

#endif
