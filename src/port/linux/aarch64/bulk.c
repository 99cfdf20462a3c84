/* SPDX-License-Identifier: MIT */
/*
 * bulk.c - the sequences for batches, aarch64
 *
 * See     sequence.h for the registers, percpu.h for the rules
 */
#include "percpu.h"
#include "port/port.h"

/* Copy n > 0 pointers, the odd one first, then two at a time; %[from] and %[to] move along. */
#define PERCPU_COPY                                   \
	"tbz %w[n], #0, 7f\n\t"                       \
	"ldr %[first], [%[from]], #8\n\t"             \
	"str %[first], [%[to]], #8\n"                 \
	"7:\n\t"                                      \
	"lsr %w[pairs], %w[n], #1\n\t"                \
	"cbz %w[pairs], 8f\n"                         \
	"6:\n\t"                                      \
	"ldp %[first], %[second], [%[from]], #16\n\t" \
	"stp %[first], %[second], [%[to]], #16\n\t"   \
	"subs %w[pairs], %w[pairs], #1\n\t"           \
	"b.ne 6b\n"                                   \
	"8:\n\t"

unsigned port_percpu_pop_bulk(unsigned header_offset, void **objects, unsigned count)
{
	void *region;
	void *from;
	void *to;
	void *first;
	void *second;
	size_t t;
	size_t n;
	size_t pairs;

	if (!percpu_ready())
		return 0;
	__asm__ volatile(
		PERCPU_BEGIN "cmp %w[t], %w[count]\n\t"
			     "csel %w[n], %w[t], %w[count], lo\n\t"
			     "cbz %w[n], 5f\n\t"
			     "sub %w[t], %w[t], %w[n]\n\t"
			     "ldr %[from], [%[r], #8]\n\t"
			     "add %[from], %[from], %[t], lsl #3\n\t"
			     "mov %[to], %[objects]\n\t" PERCPU_COPY
			     /* idle = 0 above avail (A2) */
			     "str %w[t], [%[r]]\n" PERCPU_END
		: [r] "=&r"(region), [t] "=&r"(t), [n] "=&r"(n), [pairs] "=&r"(pairs),
		  [from] "=&r"(from), [to] "=&r"(to), [first] "=&r"(first), [second] "=&r"(second)
		: PERCPU_INPUTS(free, (size_t)header_offset), [objects] "r"(objects),
		  [count] "r"(count)
		: "memory", "cc");
	return (unsigned)n;
}

unsigned port_percpu_push_bulk(unsigned header_offset, void *const *objects, unsigned count)
{
	void *region;
	void *from;
	void *to;
	void *first;
	void *second;
	size_t t;
	size_t n;
	size_t pairs;

	if (!percpu_ready())
		return 0;
	__asm__ volatile(
		PERCPU_BEGIN "ldrh %w[n], [%[r], #4]\n\t"
			     "sub %w[n], %w[n], %w[t]\n\t" /* room, >= 0 by A1 */
			     "cmp %w[n], %w[count]\n\t"
			     "csel %w[n], %w[n], %w[count], lo\n\t"
			     "cbz %w[n], 5f\n\t"
			     "ldr %[to], [%[r], #8]\n\t"
			     "add %[to], %[to], %[t], lsl #3\n\t"
			     "mov %[from], %[objects]\n\t" PERCPU_COPY "add %w[t], %w[t], %w[n]\n\t"
			     "strh %w[t], [%[r]]\n" PERCPU_END
		: [r] "=&r"(region), [t] "=&r"(t), [n] "=&r"(n), [pairs] "=&r"(pairs),
		  [from] "=&r"(from), [to] "=&r"(to), [first] "=&r"(first), [second] "=&r"(second)
		: PERCPU_INPUTS(free, (size_t)header_offset), [objects] "r"(objects),
		  [count] "r"(count)
		: "memory", "cc");
	return (unsigned)n;
}
