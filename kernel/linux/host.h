/* SPDX-License-Identifier: MIT */
/*
 * host.h - what the tests inside Linux need of it, in the compiler's own types
 *
 * What    The tests are compiled as the core is, without a header of Linux; host.c sees Linux's.
 */
#ifndef ASHLAR_KERNEL_LINUX_HOST_H
#define ASHLAR_KERNEL_LINUX_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the core's, of cache/reclaim.h ----------------------------------------- */

size_t reclaim_spare(void);
size_t reclaim_give(size_t pages);
void reclaim_tick(void);

/* ---- module.c calls ------------------------------------------------------- */

/* Run the cases whose name contains @filter (NULL: all); returns how many failed. */
unsigned tests_run(const char *filter);

/* Print one line for each measurement: "bench: NAME INSTRUCTIONS". */
void bench_ashlar(void);
void bench_linux(void);

/* The same for memory: "bench: NAME KIBIBYTES". The first also says what the machine has. */
void memory_linux(void);
void memory_ashlar(void);

/* ---- the tests call --------------------------------------------------------- */

unsigned host_cpus(void);

/* @count threads, the i-th on CPU i % host_cpus(), each runs @run(i); returns when all have ended,
 * or false if one could not be started. */
bool host_threads(unsigned count, void (*run)(unsigned));

/* Let another thread run. */
void host_yield(void);

/* Run @run(@argument) with interrupts off on each CPU, from an interrupt. */
void host_interrupt_all(void (*run)(void *), void *argument);

/* Run @run() in an interrupt of a timer on each CPU, every @us microseconds, while @work(i) runs in
 * a thread on each CPU. false if one could not be started. */
bool host_timers(unsigned us, void (*run)(unsigned cpu), void (*work)(unsigned));

/* Sleep. */
void host_rest(unsigned seconds);

/* @pages pages for Linux, as anybody allocates them: it may reclaim, and kills nobody. Returns how
 * many it got; host_release gives all of them back. */
size_t host_take(size_t pages);
void host_release(void);

/* Free memory of the machine, bytes, as Linux counts it. */
size_t host_free_bytes(void);

/* The counter that -icount makes one of instructions. */
static inline uint64_t host_count(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* One line of a measurement: @total instructions for @operations, @nothing of them the loop's. */
void host_report(const char *who, const char *what, uint64_t total, uint64_t nothing,
		 unsigned operations);

#endif
