/* SPDX-License-Identifier: MIT */
/*
 * memblock_fuzz.c - a fuzzer's bytes as a firmware's memory map, beside a model of one entry a page
 *
 * What    Six bytes are a call: which one, where (near 0 or near the end of the address space, at
 *         any byte), how long (up to the whole of it), a node or an alignment. The model knows
 *         of the first and last 512 pages what they are, by MB2 and "the last paint wins". As
 *         long as no table was full both agree exactly; afterwards there is never more memory,
 *         and never less taken, than the model says (MB3, MB4). What does not hold aborts.
 * Use     test/fuzz/memblock.sh builds and runs it; memblock_fuzz FILE repeats what it found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/bare/memblock.h"

#define PAGE ((uint64_t)1 << PORT_PAGE_SHIFT)
#define END_PAGES 512u
#define PAGES (2 * END_PAGES)
#define STEP_BYTES 6u

#define HOLDS(what)                                                                       \
	do {                                                                              \
		if (!(what)) {                                                            \
			fprintf(stderr, "memblock_fuzz: line %d: %s\n", __LINE__, #what); \
			abort();                                                          \
		}                                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static struct memblock m;
static struct {
	bool memory;
	bool taken;
	uint8_t node;
} model[PAGES];
static bool exact; /* no table was full */

/* The last page of all is no memory: one past its end is no number. */
static uint64_t address_of(unsigned i)
{
	return i < END_PAGES ? i * PAGE : (uint64_t)0 - (PAGES + 1 - i) * PAGE;
}

static uint64_t end_of(uint64_t start, uint64_t bytes)
{
	return start + bytes < start ? UINT64_MAX : start + bytes;
}

static bool is_within(unsigned i, uint64_t start, uint64_t bytes)
{
	uint64_t at = address_of(i);

	return at >= start && end_of(start, bytes) >= at + PAGE;
}

static bool is_touched(unsigned i, uint64_t start, uint64_t bytes)
{
	uint64_t at = address_of(i);

	return bytes && start < at + PAGE && end_of(start, bytes) > at;
}

static bool list_has(const struct memblock_list *l, uint64_t at, uint32_t *node)
{
	for (unsigned i = 0; i < l->count; i++)
		if (at >= l->range[i].start && at < l->range[i].end) {
			*node = l->range[i].node;
			return true;
		}
	return false;
}

static void compare(void)
{
	HOLDS(memblock_is_sound(&m));
	HOLDS(memblock_free_bytes(&m) <= memblock_bytes(&m.memory));
	for (unsigned i = 0; i < PAGES; i++) {
		uint32_t node = 0;
		uint32_t nothing;
		bool memory = list_has(&m.memory, address_of(i), &node);
		bool taken = list_has(&m.taken, address_of(i), &nothing);

		HOLDS(!memory || model[i].memory);
		HOLDS(taken || !model[i].taken);
		HOLDS(!exact || memory == model[i].memory);
		HOLDS(!exact || taken == model[i].taken);
		HOLDS(!exact || !memory || node == model[i].node);
	}
}

/* What is given out was free, is where it was asked for, and is taken from now on. */
static void allocate(uint64_t low, uint64_t bytes, uint64_t align)
{
	uint64_t free_before = memblock_free_bytes(&m);
	uint64_t at;

	bytes = bytes % (64 * PAGE) + 1;
	at = memblock_alloc(&m, bytes, align, low & ~(PAGE - 1), UINT64_MAX);
	if (at == MEMBLOCK_NONE)
		return;
	HOLDS(at % align == 0 && at >= (low & ~(PAGE - 1)));
	HOLDS(memblock_free_bytes(&m) + bytes <= free_before);
	for (unsigned i = 0; i < PAGES; i++)
		if (is_touched(i, at, bytes)) {
			HOLDS(model[i].memory && !model[i].taken);
			model[i].taken = true;
		}
}

static void paint(unsigned what, uint64_t start, uint64_t bytes, unsigned node)
{
	if (what == 0)
		memblock_add(&m, start, bytes, node);
	else if (what == 1)
		memblock_remove(&m, start, bytes);
	else if (what == 2)
		memblock_set_node(&m, start, bytes, node);
	else
		memblock_take(&m, start, bytes);
	for (unsigned i = 0; i < PAGES; i++) {
		if (what == 0 && is_within(i, start, bytes)) {
			model[i].memory = true;
			model[i].node = (uint8_t)node;
		}
		if (what == 1 && is_touched(i, start, bytes))
			model[i].memory = false;
		if (what == 2 && is_within(i, start, bytes))
			model[i].node = (uint8_t)node;
		if (what == 3 && is_touched(i, start, bytes))
			model[i].taken = true;
	}
}

/* One call; @b[0] what, [1] and [3] kinds, [2] and [4] pages, [5] node and alignment. */
static void step(const uint8_t *b)
{
	uint64_t odd = b[1] & 8 ? b[5] * 16 + 1 : 0;
	uint64_t pages = (uint64_t)b[2] + (b[1] & 4 ? 256 : 0);
	uint64_t start = b[1] & 1 ? (uint64_t)0 - pages * PAGE - odd : pages * PAGE + odd;
	uint64_t bytes = b[4] * PAGE + (b[3] & 2 ? b[3] : 0);

	if (b[3] & 1)
		bytes = UINT64_MAX - bytes;
	if (b[0] % 5 == 4)
		allocate(start, bytes, PAGE << b[5] % 8);
	else
		paint(b[0] % 5, start, bytes, b[5] % 4);
	if (m.memory.count + 3 > MEMBLOCK_RANGES || m.taken.count + 3 > MEMBLOCK_RANGES)
		exact = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	memset(&m, 0, sizeof(m));
	memset(model, 0, sizeof(model));
	exact = true;
	for (size_t i = 0; i + STEP_BYTES <= count; i += STEP_BYTES) {
		step(bytes + i);
		compare();
	}
	return 0;
}
