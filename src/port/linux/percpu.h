/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - the per-CPU sequences of a Linux process (rseq)
 *
 * What    percpu_pop and percpu_push: one object from or to the array of the
 *         CPU that runs them. The kernel restarts a sequence that it preempts,
 *         migrates, or interrupts with a signal before the last store; that
 *         store to `avail` is the commit. A fence does the same from outside.
 *         The instructions are the processor's: sequence.h of its folder.
 * Why     rseq(2), Linux 4.18; Desnoyers' "restartable sequences". No lock, no
 *         atomic read-modify-write, no thread-local storage of ours: the area
 *         is glibc's (>= 2.35), at a constant distance from the thread pointer.
 *         Each CPU has two pointers, in two tables at a constant distance (side by
 *         side would take an instruction more): to its region, which frees index by
 *         the page's id, and to the headers of its own NUMA node in it, which
 *         allocations index by the cache's. With one node they are equal.
 * Rules   S1  the CPU number and its region are loaded inside the sequence
 *         S2  nothing that another sequence reads changes before the commit
 *         S3  only `rseq_cs` is written in the rseq area
 *         S4  a sequence runs only when percpu_ready()
 * See     docs/models.md; test/thread/sequence_test.c stops at each instruction
 */
#ifndef ASHLAR_PORT_PERCPU_H
#define ASHLAR_PORT_PERCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/array_cache.h"
#include "port/linux/table.h"

/* Interrupts: none come here that allocate (base/lock.h). */
struct port_irq {
};

static inline struct port_irq port_irq_save(void)
{
	return (struct port_irq){};
}

static inline void port_irq_restore(struct port_irq irq)
{
	(void)irq;
}

/* Distance of an rseq area that shows the CPU number, or 0: then port_cpu() must be asked. */
extern ptrdiff_t port_cpu_offset __attribute__((visibility("hidden")));

unsigned port_cpu_slow(void);

static inline bool percpu_ready(void)
{
	return port_rseq_offset != 0;
}

#if defined(__x86_64__)
#include "port/linux/x86_64/sequence.h"
#elif defined(__aarch64__)
#include "port/linux/aarch64/sequence.h"
#else
#include "port/linux/other/sequence.h"
#endif

/* The CPU this thread runs on, stale as soon as it is known. */
static inline unsigned percpu_cpu(void)
{
	int cpu;

	if (!port_cpu_offset)
		return port_cpu_slow();
	cpu = percpu_area_cpu(port_cpu_offset);
	return cpu < 0 ? 0 : (unsigned)cpu;
}

/* Own a CPU's region for the length of one operation (LOCK mode); NULL: somebody else has it. */
static inline struct array_cache *percpu_own(unsigned cpu)
{
	void *region = __atomic_exchange_n(&port_percpu_table.free[cpu + 2], port_percpu_dummy,
					   __ATOMIC_ACQUIRE);

	return region == port_percpu_dummy ? NULL : region;
}

/* The headers of the CPU's own node, for who owns its region. */
static inline struct array_cache *percpu_alloc_region(unsigned cpu)
{
	return port_percpu_table.alloc[cpu + 2];
}

static inline void percpu_disown(unsigned cpu, struct array_cache *region)
{
	__atomic_store_n(&port_percpu_table.free[cpu + 2], region, __ATOMIC_RELEASE);
}

#endif
