/* SPDX-License-Identifier: MIT */
/*
 * sequence.h - the sequences for one object, aarch64
 *
 * What    What x86_64/sequence.h does, one instruction at a time: `t` is the CPU number,
 *         then `avail`; `r` is the region, then the header.
 * Why     Plain loads and stores are enough. What another thread of this CPU reads, the
 *         scheduler has ordered; what another CPU reads, the fence has. The loads from
 *         the table to the entry depend on each other, and a region is published by a
 *         release.
 * See     percpu.h for the rules, bulk.c for batches
 */
#ifndef ASHLAR_PORT_LINUX_AARCH64_SEQUENCE_H
#define ASHLAR_PORT_LINUX_AARCH64_SEQUENCE_H

#include "port/linux/table.h"

#define PERCPU_HAS_SEQUENCES 1
#define PERCPU_KERNELS_DIFFER 1 /* kernels.c knows which are not trusted */

/* The kernel demands this word (brk #0x45e0) before the address it continues at after an abort. */
#define PERCPU_SIGNATURE "0xd428bc00"

static inline void *percpu_area(ptrdiff_t offset)
{
	return (char *)__builtin_thread_pointer() + offset;
}

/* cpu_id of the area at @offset from the thread pointer: negative where the kernel does not know
 * the area. */
static inline int percpu_area_cpu(ptrdiff_t offset)
{
	int cpu;

	__asm__ volatile("ldr %w0, [%1, #4]" : "=r"(cpu) : "r"(percpu_area(offset)));
	return cpu;
}

/* Begin: 1: publish the descriptor, 2: first instruction inside; leaves the header in %[r] and its
 * `avail` in %[t]. */
#define PERCPU_BEGIN                             \
	".pushsection __rseq_cs, \"aw\"\n\t"     \
	".balign 32\n"                           \
	"3:\n\t"                                 \
	".long 0, 0\n\t"                         \
	".quad 2f, 5f - 2f, 4f\n\t"              \
	".popsection\n"                          \
	"1:\n\t"                                 \
	"adrp %[t], 3b\n\t"                      \
	"add %[t], %[t], :lo12:3b\n\t"           \
	"str %[t], [%[area], #8]\n"              \
	"2:\n\t"                                 \
	"ldrsw %[t], [%[area], #4]\n\t"          \
	"ldr %[r], [%[table], %[t], lsl #3]\n\t" \
	"add %[r], %[r], %[header]\n\t"          \
	"ldrh %w[t], [%[r]]\n\t"

/* End: 5: just after the commit; 4: where an abort continues, back to 1. */
#define PERCPU_END                                  \
	"5:\n\t"                                    \
	".pushsection .text.rseq_abort, \"ax\"\n\t" \
	".inst " PERCPU_SIGNATURE "\n"              \
	"4:\n\t"                                    \
	"b 1b\n\t"                                  \
	".popsection\n"

/* The operands that PERCPU_BEGIN needs; @which: the table, free or alloc. */
#define PERCPU_INPUTS(which, header_offset)                                                  \
	[area] "r"(percpu_area(port_rseq_offset)), [table] "r"(&port_percpu_table.which[2]), \
		[header] "r"(header_offset)

/* Take the newest object of the array with this header on the CPU's node; false where it is
 * empty. */
static inline __attribute__((__always_inline__)) bool percpu_pop(size_t header_offset, void **out)
{
	void *object;
	void *region;
	size_t t;

	__asm__ goto volatile(PERCPU_BEGIN "cbz %w[t], %l[empty]\n\t"
					   "ldr %[object], [%[r], #8]\n\t"
					   "sub %w[t], %w[t], #1\n\t"
					   "ldr %[object], [%[object], %[t], lsl #3]\n\t"
					   /* idle = 0 above avail (A2) */
					   "str %w[t], [%[r]]\n" PERCPU_END
			      : [object] "=&r"(object), [r] "=&r"(region), [t] "=&r"(t)
			      : PERCPU_INPUTS(alloc, header_offset)
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

	__asm__ goto volatile(PERCPU_BEGIN "ldrh %w[entry], [%[r], #4]\n\t" /* limit */
					   "cmp %w[t], %w[entry]\n\t"
					   "b.hs %l[full]\n\t"
					   "ldr %[entry], [%[r], #8]\n\t"
					   "str %[object], [%[entry], %[t], lsl #3]\n\t"
					   "add %w[t], %w[t], #1\n\t"
					   "strh %w[t], [%[r]]\n" PERCPU_END
			      : [entry] "=&r"(entry), [r] "=&r"(region), [t] "=&r"(t)
			      : PERCPU_INPUTS(free, header_offset), [object] "r"(object)
			      : "memory", "cc"
			      : full);
	return true;
full:
	return false;
}

#endif
