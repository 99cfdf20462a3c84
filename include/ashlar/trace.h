/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the file that `ashlar record` writes: what a program asked its malloc for
 *
 * What    A header, then one event after the other, to header.length. Objects have no addresses but
 *         numbers: the first that is allocated is 0, the next 1, and so on, so that any
 *         allocator can do the same work again. Both the recorder and its readers use this file.
 *
 *           event      first number   then
 *           allocate   size << 2 | 0
 *           free       back << 2 | 1
 *           resize     back << 2 | 2  the new size; the object keeps its number
 *           aligned    size << 2 | 3  log2 of the alignment
 *
 *         `back` is how many objects were allocated since this one: the newest is 0. Numbers are
 *         LEB128: seven bits a byte, the lowest first, the top bit set but in the last. What
 *         several threads did is in one order, in which every object is allocated
 *         before it is freed. An allocation that failed is not there.
 * Size    1.4 to 2.6 bytes an event in the programs of bench/engines.py
 */
#ifndef ASHLAR_TRACE_H
#define ASHLAR_TRACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASHLAR_TRACE_MAGIC 0x4173686c61725431ull /* "AshlarT1" */
#define ASHLAR_TRACE_VERSION 1u
#define ASHLAR_TRACE_EVENT_BYTES 20u /* most that one event takes */

enum ashlar_trace_kind {
	ASHLAR_TRACE_ALLOCATE,
	ASHLAR_TRACE_FREE,
	ASHLAR_TRACE_RESIZE,
	ASHLAR_TRACE_ALIGNED,
};

/* Kept up to date while the program runs: a trace is whole wherever it ends. */
struct ashlar_trace_header {
	uint64_t magic;
	uint32_t version;
	uint32_t bytes;     /* of this header */
	uint64_t length;    /* of the file, with this header */
	uint64_t events;    /* in it */
	uint64_t objects;   /* allocated */
	uint64_t live_peak; /* most bytes that were in use at one time, as asked for */
	uint32_t pid;
	uint32_t reserved;
	char command[200]; /* words with a blank between */
};

struct ashlar_trace_event {
	enum ashlar_trace_kind kind;
	uint64_t object; /* number */
	uint64_t size;   /* bytes; 0 for free */
	unsigned align;  /* log2; 0 but for aligned */
};

/* Where a reader is. */
struct ashlar_trace_place {
	const uint8_t *next;
	const uint8_t *end;
	uint64_t objects; /* so far */
};

static inline int ashlar_trace_number(struct ashlar_trace_place *at, uint64_t *number)
{
	unsigned shift = 0;

	*number = 0;
	while (at->next < at->end && shift < 64) {
		uint8_t byte = *at->next++;

		*number |= (uint64_t)(byte & 127) << shift;
		shift += 7;
		if (!(byte & 128))
			return 1;
	}
	return 0;
}

/* Start to read @bytes of a trace. Returns 0 iff it is none. */
static inline int ashlar_trace_open(struct ashlar_trace_place *at, const void *trace, size_t bytes)
{
	const struct ashlar_trace_header *h = (const struct ashlar_trace_header *)trace;

	if (bytes < sizeof(*h) || h->magic != ASHLAR_TRACE_MAGIC ||
	    h->version != ASHLAR_TRACE_VERSION || h->bytes < sizeof(*h) || h->length < h->bytes ||
	    h->length > bytes)
		return 0;
	at->next = (const uint8_t *)trace + h->bytes;
	at->end = (const uint8_t *)trace + h->length;
	at->objects = 0;
	return 1;
}

/* The next event. Returns 0 at the end, and where the trace is damaged. */
static inline int ashlar_trace_read(struct ashlar_trace_place *at, struct ashlar_trace_event *e)
{
	uint64_t first;
	uint64_t second = 0;

	if (!ashlar_trace_number(at, &first))
		return 0;
	e->kind = (enum ashlar_trace_kind)(first & 3);
	if (e->kind >= ASHLAR_TRACE_RESIZE && !ashlar_trace_number(at, &second))
		return 0;
	e->size = first >> 2;
	e->align = 0;
	if (e->kind == ASHLAR_TRACE_ALLOCATE || e->kind == ASHLAR_TRACE_ALIGNED) {
		e->object = at->objects++;
		e->align = (unsigned)second;
		return second < 64;
	}
	if (first >> 2 >= at->objects)
		return 0;
	e->object = at->objects - 1 - (first >> 2);
	e->size = second;
	return 1;
}

static inline size_t ashlar_trace_put(uint8_t *to, uint64_t number)
{
	size_t n = 0;

	for (; number > 127; number >>= 7)
		to[n++] = (uint8_t)(number | 128);
	to[n++] = (uint8_t)number;
	return n;
}

#ifdef __cplusplus
}
#endif

#endif
