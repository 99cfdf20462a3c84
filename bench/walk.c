/* SPDX-License-Identifier: MIT */
/*
 * walk.c - a walk through the objects of a pool that has more pages than the processor remembers
 *
 * What    As many objects of 256 bytes as fit the given MiB, linked in random order: nearly every
 *         step is on another page, which the TLB has not if pages are 4 KiB. The same walk on a
 *         pool with small pages and one with large ones, alternating; the least of the rounds is
 *         printed, as other work on the machine only adds.
 * Use     walk [MIB [ROUNDS]]: a line for each, with the MiB that the system has in 2 MiB pages
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ashlar/pool.h"

#define WALK_BYTES 256u
#define WALK_STEPS 4000000u

struct node {
	struct node *next;
	char rest[WALK_BYTES - sizeof(struct node *)];
};

static uint64_t state = 1;

static uint64_t draw(uint64_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % below;
}

/* All objects of the pool as one circle in random order (Sattolo). */
static struct node *build(struct slab *pool, size_t count, struct node **nodes)
{
	for (size_t i = 0; i < count; i++) {
		nodes[i] = slab_malloc(pool, 0);
		if (!nodes[i])
			exit(1);
		memset(nodes[i], 1, sizeof(struct node));
	}
	for (size_t i = count - 1; i > 0; i--) {
		size_t k = draw(i);
		struct node *swap = nodes[i];

		nodes[i] = nodes[k];
		nodes[k] = swap;
	}
	for (size_t i = 0; i < count; i++)
		nodes[i]->next = nodes[(i + 1) % count];
	return nodes[0];
}

static double walk(struct node **from)
{
	struct timespec a;
	struct timespec b;
	struct node *n = *from;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned i = 0; i < WALK_STEPS; i++)
		n = n->next;
	__asm__ volatile("" : : "r"(n)); /* somebody wants to know where it ends */
	clock_gettime(CLOCK_MONOTONIC, &b);
	*from = n;
	return ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / WALK_STEPS;
}

/* Of all mappings: memory that is in pages of 2 MiB. */
static size_t huge_mib(void)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[256];
	size_t kib = 0;
	size_t n;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "AnonHugePages: %zu kB", &n) == 1)
			kib += n;
	if (f)
		fclose(f);
	return kib >> 10;
}

int main(int argc, char **argv)
{
	size_t mib = argc > 1 ? strtoul(argv[1], NULL, 0) : 512;
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 5;
	size_t count = mib * 1048576 / WALK_BYTES;
	static const char *const names[] = { "4k", "2m" };
	struct node **nodes = malloc(count * sizeof(*nodes));
	struct node *at[2];
	size_t huge[2];
	double best[2] = { 1e9, 1e9 };

	for (unsigned kind = 0; nodes && kind < 2; kind++) {
		struct pool_args args = {
			.name = names[kind],
			.size = WALK_BYTES,
			.flags = kind ? POOL_PAGES_HUGE : POOL_PAGES_SMALL,
		};
		size_t before = huge_mib();
		struct slab *pool = pool_create(&args, NULL);

		if (!pool)
			return 1;
		at[kind] = build(pool, count, nodes);
		huge[kind] = huge_mib() - before;
	}
	for (unsigned r = 0; nodes && r < rounds; r++) {
		for (unsigned kind = 0; kind < 2; kind++) {
			double ns = walk(&at[kind]);

			if (ns < best[kind])
				best[kind] = ns;
		}
	}
	for (unsigned kind = 2; nodes && kind-- > 0;)
		printf("bench=walk-%s mib=%zu ns=%.2f huge_mib=%zu\n", names[kind], mib, best[kind],
		       huge[kind]);
	return nodes ? 0 : 1;
}
