/* SPDX-License-Identifier: MIT */
/*
 * rss.c - does memory go back to the system? Prints the resident size over time.
 *
 *   rss all [MIB]      allocate MIB of small objects, free all of them, idle
 *   rss keep [MIB]     the same, but one object in 20, at random, stays
 *   rss waves [MIB]    six waves of MIB each that come and go, with short pauses; then idle
 *
 * While idle the program makes no call at all, as a server at night does not: what has not been
 * given back by then, or by a thread of the allocator, stays. Each line of output is a sample,
 * `t_ms= rss_mib= live_mib= phase=`; bench/run draws them. Samples are kept in static memory and
 * read with plain system calls, so that the probe itself allocates nothing.
 */
#include "bench.h"

#include <fcntl.h>
#include <unistd.h>

#define SAMPLES 4096
#define STEP_MIB 8      /* of allocation or of freeing between two samples */
#define IDLE_SAMPLES 20 /* over the length of one idle phase */
#define WAVES 6
#define KEEP_ONE_IN 20

struct sample {
	uint64_t t_ns;
	double rss_mib, live_mib;
	const char *phase;
};

static struct probe {
	struct sample sample[SAMPLES];
	int count, statm;
	uint64_t start_ns, live;
} probe;

static struct load {
	void **object;
	uint16_t *size;
	uint32_t count;
	struct bench_rng rng;
} load;

static double probe_rss_mib(void)
{
	char text[128];
	ssize_t n = pread(probe.statm, text, sizeof(text) - 1, 0);
	char *field;

	if (n <= 0)
		bench_die("read of /proc/self/statm");
	text[n] = 0;
	field = strchr(text, ' ');
	return (double)strtoul(field, NULL, 10) * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void probe_sample(const char *phase)
{
	if (probe.count == SAMPLES)
		return;
	probe.sample[probe.count++] = (struct sample){
		.t_ns = bench_wall_ns() - probe.start_ns,
		.rss_mib = probe_rss_mib(),
		.live_mib = (double)probe.live / (1 << 20),
		.phase = phase,
	};
}

static void probe_idle(uint64_t ms)
{
	struct timespec t = { .tv_nsec = (long)(ms * 1000000u / IDLE_SAMPLES) };

	for (int i = 0; i < IDLE_SAMPLES; i++) {
		nanosleep(&t, NULL);
		probe_sample("idle");
	}
}

static void probe_print(const char *name)
{
	double peak = 0;

	for (int i = 0; i < probe.count; i++) {
		const struct sample *s = &probe.sample[i];

		peak = s->rss_mib > peak ? s->rss_mib : peak;
		printf("t_ms=%.1f rss_mib=%.2f live_mib=%.2f phase=%s\n", (double)s->t_ns / 1e6,
		       s->rss_mib, s->live_mib, s->phase);
	}
	printf("bench=rss-%s peak_mib=%.2f end_mib=%.2f live_mib=%.2f\n", name, peak,
	       probe.sample[probe.count - 1].rss_mib, probe.sample[probe.count - 1].live_mib);
}

/* Called after each object: a sample for every STEP_MIB that came or went. */
static void load_count(int64_t bytes, const char *phase)
{
	uint64_t before = probe.live / ((uint64_t)STEP_MIB << 20);

	probe.live += (uint64_t)bytes;
	if (probe.live / ((uint64_t)STEP_MIB << 20) != before)
		probe_sample(phase);
}

/* The tables are made first and written whole, so that they are a constant part of the size. */
static void load_init(uint32_t mib)
{
	uint32_t mean = (16 + 1024) / 2;
	uint32_t max = mib * (1u << 20) / mean * 2;

	load.object = bench_alloc(max * sizeof(*load.object));
	load.size = bench_alloc(max * sizeof(*load.size));
	memset(load.object, 0, max * sizeof(*load.object));
	memset(load.size, 0, max * sizeof(*load.size));
	load.rng = bench_seed(7);
}

static void load_fill(uint32_t mib)
{
	uint64_t goal = probe.live + ((uint64_t)mib << 20);

	for (load.count = 0; probe.live < goal; load.count++) {
		uint32_t size = bench_between(&load.rng, 16, 1024);

		load.object[load.count] = bench_alloc(size);
		memset(load.object[load.count], 1, size);
		load.size[load.count] = (uint16_t)size;
		load_count((int64_t)size, "up");
	}
	probe_sample("up");
}

/* Free all but one in @keep, chosen at random; 0 frees all. */
static void load_free(uint32_t keep)
{
	for (uint32_t i = 0; i < load.count; i++) {
		if (keep && bench_below(&load.rng, keep) == 0)
			continue;
		free(load.object[i]);
		load.object[i] = NULL;
		load_count(-(int64_t)load.size[i], "down");
	}
	probe_sample("down");
}

static void rss_waves(uint32_t mib, uint64_t idle_ms)
{
	for (int wave = 0; wave < WAVES; wave++) {
		load_fill(mib);
		load_free(0);
		probe_idle(idle_ms / 10);
	}
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	uint32_t mib = bench_arg(argc, argv, 2, 256);
	uint64_t idle_ms = 10 * bench_budget_ns() / 1000000u;

	probe.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	load_init(mib);
	probe.start_ns = bench_wall_ns();
	probe_sample("start");
	if (!strcmp(name, "waves")) {
		rss_waves(mib, idle_ms);
	} else if (!strcmp(name, "all") || !strcmp(name, "keep")) {
		load_fill(mib);
		load_free(name[0] == 'k' ? KEEP_ONE_IN : 0);
	} else {
		fprintf(stderr, "usage: rss all|keep|waves [MIB]\n");
		return 2;
	}
	probe_idle(idle_ms);
	probe_print(name);
	return 0;
}
