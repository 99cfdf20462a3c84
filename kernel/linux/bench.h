/* SPDX-License-Identifier: MIT */
/*
 * bench.h - the measurements, the same text for both allocators
 *
 * What    BENCH(who, alloc64, free64, alloc100, free100, page, unpage) counts instructions: a pair
 *         of 64 bytes from a cache, a kmalloc of 100 bytes, a page, and 10,000 objects one after
 *         the other, allocated and then freed. BENCH_SLOW(who, alloc64, free64, shrink) counts what
 *         is behind the fast path: of allocations from slabs that are there, one by one, those that
 *         took more than twice what the cheapest did ("refill"), how many objects came with each,
 *         and the first from a cache that has no slab ("slab-growth").
 * Rules   BN1 the least of several turns counts: the others had a timer's interrupt in them, or
 *             were the first
 */
#ifndef ASHLAR_KERNEL_LINUX_BENCH_H
#define ASHLAR_KERNEL_LINUX_BENCH_H

#include "host.h"

#define BENCH_PAIRS 1000u
#define BENCH_BATCH 10000u
#define BENCH_TURNS 7u

extern void *bench_objects[BENCH_BATCH];

/* The least of BENCH_TURNS times what @each takes for every i below @count. */
#define BENCH_LEAST(count, each)                                     \
	({                                                           \
		uint64_t least_ = UINT64_MAX;                        \
		for (unsigned t_ = 0; t_ < BENCH_TURNS; t_++) {      \
			uint64_t begin_ = host_count();              \
			for (unsigned i = 0; i < (count); i++) {     \
				each;                                \
				__asm__ volatile("" : : : "memory"); \
			}                                            \
			begin_ = host_count() - begin_;              \
			if (begin_ < least_)                         \
				least_ = begin_;                     \
		}                                                    \
		least_;                                              \
	})

/* Both halves of a batch of objects; the least of each. */
#define BENCH_BATCHES(alloc, free, least_alloc, least_free)                                        \
	for (unsigned t_ = 0; t_ < BENCH_TURNS; t_++) {                                            \
		uint64_t begin_ = host_count();                                                    \
		uint64_t middle_;                                                                  \
		for (unsigned i = 0; i < BENCH_BATCH; i++)                                         \
			bench_objects[i] = (alloc);                                                \
		middle_ = host_count();                                                            \
		for (unsigned i = 0; i < BENCH_BATCH; i++)                                         \
			free(bench_objects[i]);                                                    \
		least_free =                                                                       \
			host_count() - middle_ < least_free ? host_count() - middle_ : least_free; \
		least_alloc = middle_ - begin_ < least_alloc ? middle_ - begin_ : least_alloc;     \
	}

/* Of objects one in BENCH_KEPT stays, so that the slabs do; the others are allocated again, one
 * after the other: what the slow ones took, least of all turns but the first, and their number. */
#define BENCH_KEPT 16u
#define BENCH_REFILLS(alloc, free, nothing, least_sum, refills)        \
	for (unsigned t_ = 0; t_ < BENCH_TURNS; t_++) {                \
		uint64_t sum_ = 0, fast_ = UINT64_MAX;                 \
		unsigned slow_ = 0;                                    \
		for (unsigned i = 0; i < BENCH_BATCH; i++)             \
			bench_objects[i] = (alloc);                    \
		for (unsigned i = 0; i < BENCH_BATCH; i++)             \
			if (i % BENCH_KEPT)                            \
				free(bench_objects[i]);                \
		for (unsigned i = 0; i < BENCH_BATCH; i++) {           \
			uint64_t begin_ = host_count();                \
			if (i % BENCH_KEPT == 0)                       \
				continue;                              \
			bench_objects[i] = (alloc);                    \
			begin_ = host_count() - begin_ - (nothing);    \
			fast_ = begin_ < fast_ ? begin_ : fast_;       \
			sum_ += begin_ > 2 * fast_ ? begin_ : 0;       \
			slow_ += begin_ > 2 * fast_;                   \
		}                                                      \
		for (unsigned i = 0; i < BENCH_BATCH; i++)             \
			free(bench_objects[i]);                        \
		refills = t_ && sum_ < least_sum ? slow_ : refills;    \
		least_sum = t_ && sum_ < least_sum ? sum_ : least_sum; \
	}

#define BENCH_SLOW(who, alloc64, free64, shrink)                                                \
	do {                                                                                    \
		uint64_t nothing_ = BENCH_LEAST(1, (void)0);                                    \
		uint64_t sum_of_ = UINT64_MAX, growth_ = UINT64_MAX;                            \
		unsigned refills_ = 1;                                                          \
		BENCH_REFILLS(alloc64, free64, nothing_, sum_of_, refills_)                     \
		host_report(who, "refill", sum_of_, 0, refills_ ? refills_ : 1);                \
		host_report(who, "objects-a-refill", BENCH_BATCH - BENCH_BATCH / BENCH_KEPT, 0, \
			    refills_ ? refills_ : 1);                                           \
		for (unsigned t_ = 0; t_ < BENCH_TURNS; t_++) {                                 \
			uint64_t begin_;                                                        \
			shrink;                                                                 \
			begin_ = host_count();                                                  \
			bench_objects[0] = (alloc64);                                           \
			begin_ = host_count() - begin_;                                         \
			growth_ = begin_ < growth_ ? begin_ : growth_;                          \
			free64(bench_objects[0]);                                               \
		}                                                                               \
		host_report(who, "slab-growth", growth_, nothing_, 1);                          \
	} while (0)

#define BENCH(who, alloc64, free64, alloc100, free100, page, unpage)                              \
	do {                                                                                      \
		uint64_t nothing_ = BENCH_LEAST(BENCH_PAIRS, (void)0);                            \
		uint64_t in_ = UINT64_MAX, out_ = UINT64_MAX;                                     \
		host_report(who, "cache-64-pair", BENCH_LEAST(BENCH_PAIRS, free64(alloc64)),      \
			    nothing_, BENCH_PAIRS);                                               \
		host_report(who, "kmalloc-100-pair", BENCH_LEAST(BENCH_PAIRS, free100(alloc100)), \
			    nothing_, BENCH_PAIRS);                                               \
		host_report(who, "page-pair", BENCH_LEAST(BENCH_PAIRS, unpage(page)), nothing_,   \
			    BENCH_PAIRS);                                                         \
		BENCH_BATCHES(alloc64, free64, in_, out_)                                         \
		host_report(who, "batch-10000-alloc", in_, nothing_ *(BENCH_BATCH / BENCH_PAIRS), \
			    BENCH_BATCH);                                                         \
		host_report(who, "batch-10000-free", out_, nothing_ *(BENCH_BATCH / BENCH_PAIRS), \
			    BENCH_BATCH);                                                         \
	} while (0)

#endif
