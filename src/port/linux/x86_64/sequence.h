/* SPDX-License-Identifier: MIT */
/*
 * sequence.h - the sequences for one object, x86-64
 *
 * Why     `t` is the CPU number, then `avail`; `r` is the region. The rseq
 *         area is addressed through %fs, so that no register holds the thread pointer.
 * See     percpu.h for the rules, bulk.c for batches
 */
#ifndef ASHLAR_PORT_LINUX_X86_64_SEQUENCE_H
#define ASHLAR_PORT_LINUX_X86_64_SEQUENCE_H

#include "port/linux/table.h"

#define PERCPU_HAS_SEQUENCES 1
#define PERCPU_KERNELS_DIFFER 0 /* no release of Linux is known to break them */

/* cpu_id of the area at @offset from the thread pointer: negative where the kernel does not know
 * the area. */
static inline int percpu_area_cpu(ptrdiff_t offset)
{
	int cpu;

	__asm__ volatile("movl %%fs:4(%1), %0" : "=r"(cpu) : "r"(offset));
	return cpu;
}

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
	/* Where the compiler has others left, the rest takes no prefix: free then ends within its
	 * second cache line (decision 59). */
	register void *entry __asm__("r8");
	void *region;
	size_t t;

	__asm__ goto volatile(
		PERCPU_BEGIN_FREE "cmpw 4(%[r], %[header]), %w[t]\n\t"
				  "jae %l[full]\n\t"
				  "movq 8(%[r], %[header]), %[entry]\n\t"
				  "movq %[object], (%[entry], %[t], 8)\n\t"
				  "incl %k[t]\n\t"
				  "movw %w[t], (%[r], %[header])\n" PERCPU_END
		: [entry] "=&r"(entry), [r] "=&r"(region), [t] "=&c"(t)
		: [rseq] "r"(port_rseq_offset), [header] "r"(header_offset), [object] "r"(object),
		  PERCPU_FREE
		: "memory", "cc"
		: full);
	return true;
full:
	return false;
}

#endif
