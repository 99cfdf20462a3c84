/* SPDX-License-Identifier: MIT */
/*
 * bulk.c - the sequences for batches, x86-64
 *
 * See     sequence.h for the registers, percpu.h for the rules
 */
#include "percpu.h"
#include "port/port.h"

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
