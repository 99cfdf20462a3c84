/* SPDX-License-Identifier: MIT */
/*
 * firmware.c - see firmware.h
 */
#include "firmware.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ashlar/bare.h"

struct machine machine;
struct firmware firmware;

void firmware_reset(void)
{
	memset(&firmware, 0, sizeof(firmware));
	memset(&machine, 0, sizeof(machine));
	machine.cpus = 1;
	machine.nodes = 1;
}

uint8_t *firmware_guard(const void *from, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (bytes + page - 1) / page * page;
	uint8_t *at =
		mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + room, page, PROT_NONE) != 0)
		_exit(99);
	return memcpy(at + room - bytes, from, bytes);
}

bool firmware_has(char what, uint64_t start, uint64_t bytes, unsigned node)
{
	for (unsigned i = 0; i < firmware.calls && i < 64; i++) {
		const struct firmware_call *c = &firmware.call[i];

		if (c->what == what && c->start == start && c->bytes == bytes && c->node == node)
			return true;
	}
	return false;
}

bool firmware_says(const char *text)
{
	return strstr(firmware.console, text) != NULL;
}

/* ---- what the parsers call ---------------------------------------------------------- */

void print(const char *text)
{
	size_t used = strlen(firmware.console);

	if (used + strlen(text) < sizeof(firmware.console))
		strcpy(firmware.console + used, text);
}

void settings_set(const char *line)
{
	strncpy(firmware.settings, line, sizeof(firmware.settings) - 1);
}

static void firmware_note(char what, uint64_t start, uint64_t bytes, unsigned node)
{
	if (firmware.calls < 64)
		firmware.call[firmware.calls] = (struct firmware_call){ what, start, bytes, node };
	firmware.calls++;
}

bool ashlar_boot_memory(uint64_t start, uint64_t bytes, unsigned node)
{
	firmware_note('m', start, bytes, node);
	return true;
}

void ashlar_boot_node(uint64_t start, uint64_t bytes, unsigned node)
{
	firmware_note('n', start, bytes, node);
}

void ashlar_boot_take(uint64_t start, uint64_t bytes)
{
	firmware_note('t', start, bytes, 0);
}

/* Of the ranges that a test gave: what lies above @start goes, whatever @bytes says. */
void ashlar_boot_hole(uint64_t start, uint64_t bytes)
{
	unsigned kept = 0;

	firmware_note('h', start, bytes, 0);
	for (unsigned i = 0; i < firmware.ranges; i++) {
		struct firmware_call r = firmware.range[i];

		if (r.start >= start)
			continue;
		if (r.bytes > start - r.start)
			r.bytes = start - r.start;
		firmware.range[kept++] = r;
	}
	firmware.ranges = kept;
}

uint64_t ashlar_boot_total(void)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < firmware.ranges; i++)
		bytes += firmware.range[i].bytes;
	return bytes;
}

bool ashlar_boot_range(unsigned index, uint64_t *start, uint64_t *end, unsigned *node)
{
	if (index >= firmware.ranges)
		return false;
	*start = firmware.range[index].start;
	*end = *start + firmware.range[index].bytes;
	*node = 0;
	return true;
}
