/* SPDX-License-Identifier: MIT */
/*
 * firmware_fuzz.h - the kernel around a firmware parser that is fuzzed
 *
 * What    What a parser says to the boot map must be sensible, what it leaves in struct machine,
 *         too; what does not hold aborts. Reads outside the input are AddressSanitizer's to
 *         find: the input is a block of malloc's of exactly its size.
 */
#ifndef ASHLAR_FUZZ_FIRMWARE_H
#define ASHLAR_FUZZ_FIRMWARE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ashlar/bare.h"
#include "kernel.h"

#define HOLDS(what)                                                                       \
	do {                                                                              \
		if (!(what)) {                                                            \
			fprintf(stderr, "firmware_fuzz: line %d: %s\n", __LINE__, #what); \
			abort();                                                          \
		}                                                                         \
	} while (0)

struct machine machine;
static size_t printed; /* bytes on the console: a hostile table cannot fill it */

void print(const char *text)
{
	printed += strlen(text);
}

void settings_set(const char *line)
{
	HOLDS(strlen(line) < 1 << 20);
}

bool ashlar_boot_memory(uint64_t start, uint64_t bytes, unsigned node)
{
	HOLDS(start + bytes >= start);
	HOLDS(node < KERNEL_MAX_NODES);
	return true;
}

void ashlar_boot_node(uint64_t start, uint64_t bytes, unsigned node)
{
	(void)start;
	(void)bytes;
	HOLDS(node < KERNEL_MAX_NODES);
}

void ashlar_boot_take(uint64_t start, uint64_t bytes)
{
	(void)start;
	(void)bytes;
}

static void firmware_begin(void)
{
	memset(&machine, 0, sizeof(machine));
	machine.cpus = 1;
	machine.nodes = 1;
	printed = 0;
}

static void firmware_end(void)
{
	HOLDS(machine.cpus >= 1 && machine.cpus <= KERNEL_MAX_CPUS);
	HOLDS(machine.nodes >= 1 && machine.nodes <= KERNEL_MAX_NODES);
	for (unsigned i = 0; i < machine.cpus; i++) {
		HOLDS(machine.cpu[i].node < KERNEL_MAX_NODES);
		for (unsigned j = 0; j < i; j++)
			HOLDS(machine.cpu[i].hardware != machine.cpu[j].hardware);
	}
}

#endif
