/* SPDX-License-Identifier: MIT */
/*
 * bulk.c - the sequences for batches, x86-64
 *
 * See     sequence.h for the registers, percpu.h for the rules
 */
#include "percpu.h"
#include "port/port.h"

/* The first pointer; two, @at bytes behind the i-th. */
#define PERCPU_ONE(from, to)               \
	"movq (%[" from "]), %[moved]\n\t" \
	"movq %[moved], (%[" to "])\n\t"
#define PERCPU_PAIR(from, to, at)                          \
	"movups " at "(%[" from "], %[i], 8), %[pair]\n\t" \
	"movups %[pair], " at "(%[" to "], %[i], 8)\n\t"
#define PERCPU_FOUR(from, to) PERCPU_PAIR(from, to, "") PERCPU_PAIR(from, to, "16")
#define PERCPU_EIGHT(from, to) \
	PERCPU_FOUR(from, to) PERCPU_PAIR(from, to, "32") PERCPU_PAIR(from, to, "48")

/* If that bit of n is set, @copy so many; i goes on. */
#define PERCPU_PART(count, copy) "testl $" count ", %k[n]\n\tjz 7f\n\t" copy PERCPU_PART_END(count)
#define PERCPU_PART_END(count) "addl $" count ", %k[i]\n7:\n\t"

/* Copy n > 0 pointers: what eight do not divide first, then eight a turn. Fewer turns are fewer
 * instructions, and few enough for the processor to foresee the last one (decision 59). */
#define PERCPU_COPY(from, to)                                          \
	"xorl %k[i], %k[i]\n\t" PERCPU_PART("1", PERCPU_ONE(from, to)) \
		PERCPU_PART("2", PERCPU_PAIR(from, to, ""))            \
			PERCPU_PART("4", PERCPU_FOUR(from, to))        \
				PERCPU_TURNS(PERCPU_EIGHT(from, to))
#define PERCPU_TURNS(copy) "cmpl %k[n], %k[i]\n\tjae 8f\n6:\n\t" copy PERCPU_TURNS_END
#define PERCPU_TURNS_END        \
	"addl $8, %k[i]\n\t"    \
	"cmpl %k[n], %k[i]\n\t" \
	"jb 6b\n"               \
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
