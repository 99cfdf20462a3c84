/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a recorded trace done again, on the malloc that is preloaded or on the pools' group
 *
 * What    Reads what `ashlar record` wrote (ashlar/trace.h), does every event, and writes once to
 *         each page of each new block, as its program would. Looks at the resident size 200
 *         times on the way. The program's own tables are there before it begins and do not count.
 * Use     replay TRACE malloc|pools [rounds]
 *         pools: under LD_PRELOAD of libashlar.so or libashlar-malloc.so
 * Output  at=EVENT live=BYTES rss=BYTES for each look; then a line with events, CPU ns per event
 *         (the least of the rounds), peaks of live and resident bytes, what is resident when all
 *         is freed, and waste: the mean over the looks of resident beyond live, of live.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ashlar/trace.h"

#define REPLAY_LOOKS 200u
#define REPLAY_KERNEL 0xcc0u /* GFP_KERNEL */

struct block {
	void *p;
	uint64_t size;
};

static struct {
	void *(*kmalloc)(size_t size, unsigned gfp);
	int (*kfree)(const void *p);
	size_t (*ksize)(const void *p);
} pools;

static bool on_pools;
static struct block *blocks;
static uint64_t live;
static uint64_t live_peak;
static size_t rss_first;
static size_t rss_peak;
static double waste_sum;
static unsigned waste_count;

/* Resident bytes, without a buffer from malloc. */
static size_t resident(void)
{
	char text[64] = "";
	int fd = open("/proc/self/statm", O_RDONLY);
	char *end;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		exit(1);
	close(fd);
	strtoul(text, &end, 10);
	return strtoul(end, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A class of the group that is a power of two is aligned to itself; pages are aligned to 4 KiB. */
static void *take(size_t size, unsigned align)
{
	if (!on_pools)
		return align ? aligned_alloc((size_t)1 << align, size) : malloc(size);
	if (align && size < (size_t)1 << align)
		size = (size_t)1 << align;
	else if (align && size <= (size_t)1 << 20)
		size = (size_t)1 << (64 - __builtin_clzll(size - 1));
	return pools.kmalloc(size ? size : 1, REPLAY_KERNEL);
}

static void give(void *p)
{
	if (!on_pools)
		free(p);
	else if (p && pools.kfree(p) != 0)
		exit(1);
}

static void *resize(void *p, size_t old, size_t size)
{
	void *q;

	if (!on_pools)
		return realloc(p, size);
	if (size <= pools.ksize(p) && size > pools.ksize(p) / 2)
		return p;
	q = pools.kmalloc(size ? size : 1, REPLAY_KERNEL);
	if (q)
		memcpy(q, p, old < size ? old : size);
	give(p);
	return q;
}

/* Bytes [from, size) are new: each page is written to. */
static void touch(char *p, size_t from, size_t size)
{
	for (size_t i = from; i < size; i += 4096)
		p[i] = 1;
	if (size > from)
		p[size - 1] = 1;
}

static void must_have(const void *p, size_t size)
{
	if (p || size == 0)
		return;
	fprintf(stderr, "replay: out of memory\n");
	exit(1);
}

static void event(const struct ashlar_trace_event *e)
{
	struct block *b = &blocks[e->object];

	switch (e->kind) {
	case ASHLAR_TRACE_ALLOCATE:
	case ASHLAR_TRACE_ALIGNED:
		b->p = take(e->size, e->align);
		must_have(b->p, e->size);
		b->size = e->size;
		live += e->size;
		touch(b->p, 0, e->size);
		break;
	case ASHLAR_TRACE_FREE:
		give(b->p);
		b->p = NULL;
		live -= b->size;
		break;
	default:
		b->p = resize(b->p, b->size, e->size);
		must_have(b->p, e->size);
		touch(b->p, b->size < e->size ? b->size : e->size, e->size);
		live += e->size - b->size;
		b->size = e->size;
	}
	if (live > live_peak)
		live_peak = live;
}

static void look(uint64_t at, bool print)
{
	size_t rss = resident();

	rss = rss > rss_first ? rss - rss_first : 0;
	if (rss > rss_peak)
		rss_peak = rss;
	if (live * 10 > live_peak) { /* of next to nothing any waste is much */
		waste_sum += ((double)rss - (double)live) / (double)live;
		waste_count++;
	}
	if (print)
		printf("at=%llu live=%llu rss=%zu\n", (unsigned long long)at,
		       (unsigned long long)live, rss);
}

/* CPU ns of one pass, without the looks. */
static double pass(const void *trace, size_t bytes, bool print)
{
	const struct ashlar_trace_header *h = trace;
	struct ashlar_trace_place at;
	struct ashlar_trace_event e;
	uint64_t done = 0;
	uint64_t step = h->events / REPLAY_LOOKS + 1;
	double spent = 0;
	double start;

	if (!ashlar_trace_open(&at, trace, bytes))
		exit(1);
	start = now();
	while (ashlar_trace_read(&at, &e)) {
		if (e.object >= h->objects)
			exit(1);
		event(&e);
		if (++done % step == 0) {
			spent += now() - start;
			look(done, print);
			start = now();
		}
	}
	spent += now() - start;
	for (uint64_t i = 0; i < h->objects; i++)
		give(blocks[i].p);
	memset(blocks, 0, h->objects * sizeof(*blocks));
	live = 0;
	return spent;
}

static void *must_find(const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);

	if (!found) {
		fprintf(stderr, "replay: no %s: preload libashlar.so\n", name);
		exit(2);
	}
	return found;
}

static const struct ashlar_trace_header *read_trace(const char *path, size_t *bytes)
{
	struct ashlar_trace_place at;
	struct stat s;
	int fd = open(path, O_RDONLY);
	void *trace;

	if (fd < 0 || fstat(fd, &s) != 0 || s.st_size == 0)
		return NULL;
	*bytes = (size_t)s.st_size;
	trace = mmap(NULL, *bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	return trace != MAP_FAILED && ashlar_trace_open(&at, trace, *bytes) ? trace : NULL;
}

int main(int argc, char **argv)
{
	const struct ashlar_trace_header *h;
	unsigned rounds = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
	double best = 0;
	size_t bytes;

	if (argc < 3) {
		fprintf(stderr, "usage: replay TRACE malloc|pools [rounds]\n");
		return 2;
	}
	h = read_trace(argv[1], &bytes);
	if (!h) {
		fprintf(stderr, "replay: %s: no trace\n", argv[1]);
		return 1;
	}
	on_pools = strcmp(argv[2], "pools") == 0;
	if (on_pools) {
		*(void **)&pools.kmalloc = must_find("ashlar_pool_kmalloc");
		*(void **)&pools.kfree = must_find("ashlar_pool_kfree");
		*(void **)&pools.ksize = must_find("ashlar_pool_ksize");
	}
	blocks = mmap(NULL, (h->objects + 1) * sizeof(*blocks), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (blocks == MAP_FAILED)
		return 1;
	printf("command=%.60s\n", h->command);
	fflush(stdout);
	rss_first = resident();
	for (unsigned i = 0; i < rounds; i++) {
		double spent = pass(h, bytes, i == 0);

		if (i == 0 || spent < best)
			best = spent;
		if (i == 0)
			look(h->events, false);
	}
	printf("bench=replay events=%llu ns=%.1f live_peak=%llu rss_peak=%zu end=%zu waste=%.3f\n",
	       (unsigned long long)h->events, best / (double)h->events,
	       (unsigned long long)live_peak, rss_peak,
	       resident() > rss_first ? resident() - rss_first : 0,
	       waste_count ? waste_sum / waste_count : 0);
	return 0;
}
