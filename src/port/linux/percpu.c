/* SPDX-License-Identifier: MIT */
/*
 * percpu.c - batches through the sequences, and stopping a CPU (Linux)
 *
 * What    The two bulk sequences; the table of regions with own, publish and
 *         fence; the choice among rseq, lock and pretend.
 * State   port_percpu_table: each CPU's region, or the dummy while somebody owns it
 * Rules   S5  who exchanges a region out of `free` owns it until he publishes it
 *             there; `alloc` is his to change meanwhile, and is set before `free`
 *         S6  in RSEQ mode the owner touches it only after a fence of that CPU
 * See     percpu.h for the rules of a sequence
 */
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "percpu.h"
#include "port/linux/linux.h"
#include "port/port.h"

ptrdiff_t port_rseq_offset;
struct percpu_table port_percpu_table;

void *port_percpu_dummy;
ptrdiff_t port_cpu_offset;

static struct {
	enum port_percpu_mode mode;
	ptrdiff_t area; /* of the rseq area, 0: libc has none */
} percpu;

/* glibc >= 2.35 says where its rseq area is; other libraries have no such symbols. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));

#if defined(__x86_64__)

/* Copy n > 0 pointers, two at a time, the odd one first. */
#define PERCPU_COPY(from, to)                        \
	"movl %k[n], %k[i]\n\t"                      \
	"andl $1, %k[i]\n\t"                         \
	"jz 7f\n\t"                                  \
	"movq (%[" from "]), %[moved]\n\t"           \
	"movq %[moved], (%[" to "])\n"               \
	"7:\n\t"                                     \
	"cmpl %k[n], %k[i]\n\t"                      \
	"jae 8f\n"                                   \
	"6:\n\t"                                     \
	"movups (%[" from "], %[i], 8), %[pair]\n\t" \
	"movups %[pair], (%[" to "], %[i], 8)\n\t"   \
	"addl $2, %k[i]\n\t"                         \
	"cmpl %k[n], %k[i]\n\t"                      \
	"jb 6b\n"                                    \
	"8:\n\t"

typedef float percpu_pair __attribute__((vector_size(16)));

unsigned port_percpu_pop_bulk(unsigned header_offset, void **objects, unsigned count)
{
	void *region;
	void *from;
	void *moved;
	percpu_pair pair;
	size_t t;
	size_t n;
	size_t i;

	if (!percpu_ready())
		return 0;
	__asm__ volatile(PERCPU_BEGIN_FREE
			 "movl %k[count], %k[n]\n\t"
			 "cmpl %k[t], %k[n]\n\t"
			 "cmoval %k[t], %k[n]\n\t"
			 "testl %k[n], %k[n]\n\t"
			 "jz 5f\n\t"
			 "subl %k[n], %k[t]\n\t"
			 "movq 8(%[r], %[header]), %[from]\n\t"
			 "leaq (%[from], %[t], 8), %[from]\n\t" PERCPU_COPY(
				 "from", "objects") /* idle = 0 above avail (A2) */
			 "movl %k[t], (%[r], %[header])\n" PERCPU_END
			 : [r] "=&r"(region), [t] "=&r"(t), [n] "=&r"(n), [i] "=&r"(i),
			   [from] "=&r"(from), [moved] "=&r"(moved), [pair] "=x"(pair)
			 : [rseq] "r"(port_rseq_offset), [header] "r"((size_t)header_offset),
			   [objects] "r"(objects), [count] "r"(count), PERCPU_FREE
			 : "memory", "cc");
	return (unsigned)n;
}

unsigned port_percpu_push_bulk(unsigned header_offset, void *const *objects, unsigned count)
{
	void *region;
	void *to;
	void *moved;
	percpu_pair pair;
	size_t t;
	size_t n;
	size_t i;

	if (!percpu_ready())
		return 0;
	__asm__ volatile(PERCPU_BEGIN_FREE
			 "movzwl 4(%[r], %[header]), %k[n]\n\t"
			 "subl %k[t], %k[n]\n\t" /* room, >= 0 by A1 */
			 "cmpl %k[count], %k[n]\n\t"
			 "cmoval %k[count], %k[n]\n\t"
			 "testl %k[n], %k[n]\n\t"
			 "jz 5f\n\t"
			 "movq 8(%[r], %[header]), %[to]\n\t"
			 "leaq (%[to], %[t], 8), %[to]\n\t" PERCPU_COPY(
				 "objects", "to") "addl %k[n], %k[t]\n\t"
						  "movw %w[t], (%[r], %[header])\n" PERCPU_END
			 : [r] "=&r"(region), [t] "=&r"(t), [n] "=&r"(n), [i] "=&r"(i),
			   [to] "=&r"(to), [moved] "=&r"(moved), [pair] "=x"(pair)
			 : [rseq] "r"(port_rseq_offset), [header] "r"((size_t)header_offset),
			   [objects] "r"(objects), [count] "r"(count), PERCPU_FREE
			 : "memory", "cc");
	return (unsigned)n;
}

/* cpu_id of this thread's rseq area: negative where the kernel does not know the area. */
static int percpu_area_cpu(void)
{
	int cpu;

	__asm__ volatile("movl %%fs:4(%1), %0" : "=r"(cpu) : "r"(percpu.area));
	return cpu;
}

/* PRETEND where the kernel knows the thread's area: an area that it does not know, at the right
 * distance from this one thread. */
static ptrdiff_t percpu_fake_area(void)
{
	static _Alignas(32) int fake[8]; /* cpu_id_start, cpu_id, rseq_cs, flags: all of CPU 0 */
	char *self;

	__asm__ volatile("movq %%fs:0, %0" : "=r"(self));
	return (char *)fake - self;
}

#define PERCPU_HAS_SEQUENCES 1

#else

unsigned port_percpu_pop_bulk(unsigned header_offset, void **objects, unsigned count)
{
	(void)header_offset;
	(void)objects;
	(void)count;
	return 0;
}

unsigned port_percpu_push_bulk(unsigned header_offset, void *const *objects, unsigned count)
{
	(void)header_offset;
	(void)objects;
	(void)count;
	return 0;
}

static int percpu_area_cpu(void)
{
	return -1;
}

static ptrdiff_t percpu_fake_area(void)
{
	return 0;
}

#define PERCPU_HAS_SEQUENCES 0

#endif

unsigned port_cpu_slow(void)
{
	int cpu = sched_getcpu();

	return cpu < 0 || (unsigned)cpu >= linux_machine_cpus() ? 0 : (unsigned)cpu;
}

unsigned port_cpu(void)
{
	return percpu_cpu();
}

static bool percpu_register_fence(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) == 0;
}

/* The best mode that works here, at most as good as @wanted asks. */
static enum port_percpu_mode percpu_choose(int wanted, const char **why)
{
	*why = "asked for";
	if (wanted == PORT_PERCPU_LOCK)
		return PORT_PERCPU_LOCK;
	if (!PERCPU_HAS_SEQUENCES) {
		*why = "no sequences for this processor";
		return PORT_PERCPU_LOCK;
	}
	if (!percpu.area) {
		*why = "the C library has no rseq area (glibc 2.35 has)";
		return PORT_PERCPU_LOCK;
	}
	if (wanted == PORT_PERCPU_PRETEND)
		return PORT_PERCPU_PRETEND;
	if (__rseq_size == 0 || percpu_area_cpu() < 0) {
		*why = "rseq is not registered (old kernel, emulator, or glibc.pthread.rseq=0)";
		return PORT_PERCPU_LOCK;
	}
	if (!percpu_register_fence()) {
		*why = "membarrier is refused (seccomp, or a kernel before 5.10)";
		return PORT_PERCPU_LOCK;
	}
	if (wanted < 0)
		*why = "the kernel and the C library support it";
	return PORT_PERCPU_RSEQ;
}

enum port_percpu_mode port_percpu_init(int wanted, void *dummy, const char **why)
{
	port_percpu_dummy = dummy;
	for (unsigned i = 0; i < linux_machine_cpus() + 2; i++)
		port_percpu_table.free[i] = port_percpu_table.alloc[i] = dummy;
	percpu.area = &__rseq_offset ? __rseq_offset : 0;
	percpu.mode = percpu_choose(wanted, why);
	if (percpu.mode == PORT_PERCPU_PRETEND && percpu_area_cpu() >= 0)
		percpu.area = percpu_fake_area();
	if (percpu.mode == PORT_PERCPU_PRETEND || (percpu.area && percpu_area_cpu() >= 0))
		port_cpu_offset = percpu.area;
	if (percpu.mode != PORT_PERCPU_LOCK)
		__atomic_store_n(&port_rseq_offset, percpu.area, __ATOMIC_RELEASE);
	return percpu.mode;
}

/* PRETEND: the one thread shows CPU -1 or -2 where there is no kernel behind its area. */
static void percpu_mirror(unsigned cpu)
{
	struct percpu_table *t = &port_percpu_table;

	if (percpu.mode == PORT_PERCPU_PRETEND && cpu == 0) {
		t->free[0] = t->free[1] = t->free[2];
		t->alloc[0] = t->alloc[1] = t->alloc[2];
	}
}

void *port_percpu_own(unsigned cpu)
{
	void *region = __atomic_exchange_n(&port_percpu_table.free[cpu + 2], port_percpu_dummy,
					   __ATOMIC_ACQUIRE);

	if (region == port_percpu_dummy)
		return NULL;
	__atomic_store_n(&port_percpu_table.alloc[cpu + 2], port_percpu_dummy, __ATOMIC_RELAXED);
	percpu_mirror(cpu);
	return region;
}

void port_percpu_publish(unsigned cpu, void *region, void *alloc)
{
	__atomic_store_n(&port_percpu_table.alloc[cpu + 2], alloc, __ATOMIC_RELEASE);
	__atomic_store_n(&port_percpu_table.free[cpu + 2], region, __ATOMIC_RELEASE);
	percpu_mirror(cpu);
}

bool port_percpu_fence(int cpu)
{
	if (percpu.mode != PORT_PERCPU_RSEQ)
		return true;
	if (cpu < 0)
		return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0) == 0;
	return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
		       MEMBARRIER_CMD_FLAG_CPU, cpu) == 0;
}
