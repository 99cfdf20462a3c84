/* SPDX-License-Identifier: MIT */
/*
 * minimum.c - ashlar minimum: the smallest memory in which a recorded trace succeeds
 *
 * What    A trace has objects by number; the engine of firmware takes slots, which are used again.
 *         The engine is loaded from libashlar-minimum-BYTES.so, one for each size of pages, and
 *         tries the trace in regions of memory.
 * Rules   MI1 a resize counts as if the block moved: the new one is got before the old one goes
 *         MI2 an aligned block counts with its alignment as room
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ashlar/heap.h"
#include "ashlar/trace.h"
#include "library.h"
#include "tool.h"

#define MINIMUM_PAGES 65534u /* that a region may have: numbers of 16 bits */
#define MINIMUM_NONE UINT32_MAX

typedef size_t (*minimum_fn)(const struct ashlar_heap_event *events, size_t count, void **slots,
			     void *scratch, size_t bytes);

/* The trace as slots. */
struct minimum {
	struct ashlar_heap_event *events;
	size_t count, room;
	uint32_t *slot_of; /* by object; NONE: it is not in use */
	uint64_t objects;
	uint32_t *idle; /* slots that are not in use */
	uint32_t idle_count, slots;
	const char *wrong;
};

static const struct option minimum_long[] = {
	{ "page", required_argument, NULL, 'p' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void minimum_help(void)
{
	puts("Usage: ashlar minimum [-p BYTES] [-q] TRACE\n"
	     "\n"
	     "How much memory must a machine give to the slob engine so that what TRACE (of\n"
	     "`ashlar record`) asks for can be had? It is tried, with halving. Tables are\n"
	     "included: it is the number for ashlar_heap_add. A block that is resized counts as\n"
	     "if it moved; an aligned one with its alignment.\n"
	     "\n"
	     "  -p, --page BYTES  of a page: 256 (if nothing is said), 1024 or 4096\n"
	     "  -q, --quiet       print the number alone\n"
	     "  -h, --help        this text\n"
	     "\n"
	     "Exit status: 0; 1 where 65,534 pages are not enough, or the trace is damaged.");
}

/* ---- the trace ------------------------------------------------------------------------- */

static void minimum_event(struct minimum *m, uint32_t slot, uint64_t bytes)
{
	if (bytes > UINT32_MAX) {
		m->wrong = "a block of 4 GiB or more";
		return;
	}
	if (m->count == m->room) {
		m->room = m->room ? m->room * 2 : 4096;
		m->events = tool_grow(m->events, m->room * sizeof(m->events[0]));
	}
	m->events[m->count++] = (struct ashlar_heap_event){ slot, (uint32_t)bytes };
}

static void minimum_allocate(struct minimum *m, uint64_t object, uint64_t bytes)
{
	uint32_t slot = m->idle_count ? m->idle[--m->idle_count] : m->slots++;

	m->slot_of[object] = slot;
	minimum_event(m, slot, bytes ? bytes : 1);
}

static void minimum_free(struct minimum *m, uint32_t slot)
{
	minimum_event(m, slot, 0);
	m->idle[m->idle_count++] = slot;
}

static void minimum_take(struct minimum *m, const struct ashlar_trace_event *e)
{
	uint32_t old = MINIMUM_NONE;

	if (e->object >= m->objects) {
		m->wrong = "more objects than it says";
		return;
	}
	if (e->kind == ASHLAR_TRACE_FREE || e->kind == ASHLAR_TRACE_RESIZE) {
		old = m->slot_of[e->object];
		m->slot_of[e->object] = MINIMUM_NONE;
		if (old == MINIMUM_NONE) {
			m->wrong = "an object is freed that is not in use";
			return;
		}
	}
	if (e->kind == ASHLAR_TRACE_ALIGNED) /* MI2 */
		minimum_allocate(m, e->object, e->size + ((uint64_t)1 << (e->align & 63)));
	else if (e->kind != ASHLAR_TRACE_FREE)
		minimum_allocate(m, e->object, e->size); /* MI1 */
	if (old != MINIMUM_NONE)
		minimum_free(m, old);
}

/* false, said, iff the file is no sound trace. */
static bool minimum_read(struct minimum *m, const char *path, const void *trace, size_t bytes)
{
	const struct ashlar_trace_header *h = trace;
	struct ashlar_trace_event e;
	struct ashlar_trace_place at;
	uint64_t events = 0;

	if (!ashlar_trace_open(&at, trace, bytes) || h->objects > h->length) {
		tool_say("minimum: %s: this is no trace of `ashlar record`", path);
		return false;
	}
	m->objects = h->objects;
	m->slot_of = tool_alloc((h->objects + 1) * sizeof(m->slot_of[0]));
	m->idle = tool_alloc((h->objects + 2) * sizeof(m->idle[0]));
	memset(m->slot_of, 0xff, (h->objects + 1) * sizeof(m->slot_of[0]));
	for (; !m->wrong && ashlar_trace_read(&at, &e); events++)
		minimum_take(m, &e);
	if (!m->wrong && (at.next != at.end || events != h->events))
		m->wrong = "an event that cannot be read";
	if (m->wrong)
		tool_say("minimum: %s: damaged: %s", path, m->wrong);
	return !m->wrong;
}

/* ---- the engine -------------------------------------------------------------------------- */

static minimum_fn minimum_engine(size_t page)
{
	char *name = tool_text("libashlar-minimum-%zu.so", page);
	char *path = library_find("minimum", name);
	void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	void *symbol = library ? dlsym(library, "ashlar_heap_minimum") : NULL;
	minimum_fn fn = NULL;

	if (path && !symbol)
		tool_say("minimum: %s: %s", path, dlerror());
	memcpy(&fn, &symbol, sizeof(fn)); /* an object pointer becomes one to a function */
	free(name);
	free(path);
	return fn;
}

/* In somewhat more than what is live at most, then twice that, as far as pages have numbers. */
static size_t minimum_find(const struct minimum *m, minimum_fn find, size_t page, size_t live)
{
	size_t most = (MINIMUM_PAGES + 1) * (page + 8);
	void **slots = tool_alloc((m->slots + (size_t)1) * sizeof(slots[0]));
	size_t enough = 0;
	void *scratch = mmap(NULL, most, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (scratch == MAP_FAILED) {
		tool_say("minimum: %zu bytes to try in: %s", most, strerror(errno));
		free(slots);
		return 0;
	}
	for (size_t bytes = live + 16 * page; !enough && bytes < 2 * most; bytes *= 2)
		enough = find(m->events, m->count, slots, scratch, bytes < most ? bytes : most);
	if (!enough)
		tool_say("minimum: %zu bytes, all that pages of %zu can have, are not enough", most,
			 page);
	munmap(scratch, most);
	free(slots);
	return enough;
}

static int minimum_print(const char *path, const void *trace, size_t bytes, size_t page, bool quiet)
{
	const struct ashlar_trace_header *h = trace;
	struct minimum m = { 0 };
	minimum_fn find = minimum_engine(page);
	size_t enough = 0;

	if (find && minimum_read(&m, path, trace, bytes))
		enough = minimum_find(&m, find, page, (size_t)h->live_peak);
	if (enough && quiet)
		printf("%zu\n", enough);
	else if (enough)
		printf("%s: %zu bytes are enough, with pages of %zu; %llu bytes are in use at "
		       "most\n",
		       path, enough, page, (unsigned long long)h->live_peak);
	free(m.events);
	free(m.slot_of);
	free(m.idle);
	return enough ? TOOL_OK : TOOL_FAILED;
}

static int minimum_file(const char *path, size_t page, bool quiet)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *trace = MAP_FAILED;
	struct stat st = { 0 };
	int status;

	if (fd < 0 || fstat(fd, &st) != 0) {
		tool_say("minimum: %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return TOOL_FAILED;
	}
	if (st.st_size > 0)
		trace = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (trace == MAP_FAILED) {
		tool_say("minimum: %s: this is no trace of `ashlar record`", path);
		return TOOL_FAILED;
	}
	status = minimum_print(path, trace, (size_t)st.st_size, page, quiet);
	munmap(trace, (size_t)st.st_size);
	return status;
}

int minimum_main(int argc, char **argv)
{
	const char *page = "256";
	bool quiet = false;
	int c;

	while ((c = getopt_long(argc, argv, "p:qh", minimum_long, NULL)) >= 0) {
		if (c == 'h') {
			minimum_help();
			return TOOL_OK;
		}
		if (c == 'p')
			page = optarg;
		else if (c == 'q')
			quiet = true;
		else
			return TOOL_USAGE; /* getopt has said why */
	}
	if (optind + 1 != argc) {
		tool_say("minimum: ashlar minimum [-p BYTES] TRACE");
		return TOOL_USAGE;
	}
	if (strcmp(page, "256") != 0 && strcmp(page, "1024") != 0 && strcmp(page, "4096") != 0) {
		tool_say("minimum: pages have 256, 1024 or 4096 bytes, not '%s'", page);
		return TOOL_USAGE;
	}
	return minimum_file(argv[optind], (size_t)strtoul(page, NULL, 10), quiet);
}
