/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - the per-CPU sequences of a Linux process (rseq)
 *
 * What    percpu_pop and percpu_push: one object from or to the array of the
 *         CPU that runs them. The kernel restarts a sequence that it preempts,
 *         migrates, or interrupts with a signal before the last store; that
 *         store to `avail` is the commit. A fence does the same from outside.
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
#include "port_config.h"

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

/* Distance of the rseq area from the thread pointer; 0: sequences must not run. */
extern ptrdiff_t port_rseq_offset __attribute__((visibility("hidden")));

/* CPU i is at [i + 2]: -2 and -1 are what a thread without rseq shows. */
struct percpu_table {
	void *free[PORT_MAX_CPUS + 2];  /* the region: exchanged by who stops the CPU (S5) */
	void *alloc[PORT_MAX_CPUS + 2]; /* + 16 * the CPU's node: changed by the owner only */
};

extern struct percpu_table port_percpu_table __attribute__((visibility("hidden")));

/* What port_percpu_own gives to the sequences instead of a region. */
extern void *port_percpu_dummy __attribute__((visibility("hidden")));

/* Distance of an rseq area that shows the CPU number, or 0: then port_cpu() must be asked. */
extern ptrdiff_t port_cpu_offset __attribute__((visibility("hidden")));

unsigned port_cpu_slow(void);

static inline bool percpu_ready(void)
{
	return port_rseq_offset != 0;
}

#if defined(__x86_64__)

/* The kernel demands these bytes before the address it continues at after an abort. */
#define PERCPU_SIGNATURE "0x53053053"

/* Which of the two tables; CPU 0's place in it, bytes from the start of both. */
#define PERCPU_BEGIN_FREE PERCPU_BEGIN("free")
#define PERCPU_BEGIN_ALLOC PERCPU_BEGIN("alloc")
#define PERCPU_FREE [free] "i"(offsetof(struct percpu_table, free[2]))
#define PERCPU_ALLOC [alloc] "i"(offsetof(struct percpu_table, alloc[2]))

/* Begin: 1: publish the descriptor, 2: first instruction inside; leaves the region in %[r] and
 * `avail` of the header, which is at (%[r], %[header]), in %[t]. */
#define PERCPU_BEGIN(which)                           \
	".pushsection __rseq_cs, \"aw\"\n\t"          \
	".balign 32\n"                                \
	"3:\n\t"                                      \
	".long 0, 0\n\t"                              \
	".quad 2f, 5f - 2f, 4f\n\t"                   \
	".popsection\n"                               \
	"1:\n\t"                                      \
	"leaq 3b(%%rip), %[t]\n\t"                    \
	"movq %[t], %%fs:8(%[rseq])\n"                \
	"2:\n\t"                                      \
	"movslq %%fs:4(%[rseq]), %[t]\n\t"            \
	"leaq port_percpu_table(%%rip), %[r]\n\t"     \
	"movq %c[" which "](%[r], %[t], 8), %[r]\n\t" \
	"movzwl (%[r], %[header]), %k[t]\n\t"

/* End: 5: just after the commit; 4: where an abort continues, back to 1. */
#define PERCPU_END                                  \
	"5:\n\t"                                    \
	".pushsection .text.rseq_abort, \"ax\"\n\t" \
	".byte 0x0f, 0xb9, 0x3d\n\t"                \
	".long " PERCPU_SIGNATURE "\n"              \
	"4:\n\t"                                    \
	"jmp 1b\n\t"                                \
	".popsection\n"

/* Take the newest object of the array with this header on the CPU's node; false where it is
 * empty. */
static inline __attribute__((__always_inline__)) bool percpu_pop(size_t header_offset, void **out)
{
	void *object;
	void *region;
	size_t t;

	__asm__ goto volatile(
		PERCPU_BEGIN_ALLOC "subl $1, %k[t]\n\t" /* avail - 1, and idle = 0 above it (A2) */
				   "jc %l[empty]\n\t"
				   "movq 8(%[r], %[header]), %[object]\n\t"
				   "movq (%[object], %[t], 8), %[object]\n\t"
				   "movl %k[t], (%[r], %[header])\n" PERCPU_END
		: [object] "=&a"(object), [r] "=&r"(region), [t] "=&r"(t)
		: [rseq] "r"(port_rseq_offset), [header] "r"(header_offset), PERCPU_ALLOC
		: "memory", "cc"
		: empty);
	*out = object;
	return true;
empty:
	return false;
}

/* Put @object on the array with this header; false where the array is full. */
static inline __attribute__((__always_inline__)) bool percpu_push(size_t header_offset,
								  void *object)
{
	void *region;
	void *entry;
	size_t t;

	__asm__ goto volatile(
		PERCPU_BEGIN_FREE "cmpw 4(%[r], %[header]), %w[t]\n\t"
				  "jae %l[full]\n\t"
				  "movq 8(%[r], %[header]), %[entry]\n\t"
				  "movq %[object], (%[entry], %[t], 8)\n\t"
				  "incl %k[t]\n\t"
				  "movw %w[t], (%[r], %[header])\n" PERCPU_END
		: [entry] "=&r"(entry), [r] "=&r"(region), [t] "=&r"(t)
		: [rseq] "r"(port_rseq_offset), [header] "r"(header_offset), [object] "r"(object),
		  PERCPU_FREE
		: "memory", "cc"
		: full);
	return true;
full:
	return false;
}

/* The CPU this thread runs on, stale as soon as it is known. */
static inline unsigned percpu_cpu(void)
{
	int cpu;

	if (!port_cpu_offset)
		return port_cpu_slow();
	__asm__ volatile("movl %%fs:4(%1), %0" : "=r"(cpu) : "r"(port_cpu_offset));
	return cpu < 0 ? 0 : (unsigned)cpu;
}

#else /* no sequences for this processor yet: percpu_ready() is never true */

static inline unsigned percpu_cpu(void)
{
	return port_cpu_slow();
}

static inline bool percpu_pop(size_t header_offset, void **out)
{
	(void)header_offset;
	(void)out;
	return false;
}

static inline bool percpu_push(size_t header_offset, void *object)
{
	(void)header_offset;
	(void)object;
	return false;
}

#endif

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
