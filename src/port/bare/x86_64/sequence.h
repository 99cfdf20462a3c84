/* SPDX-License-Identifier: MIT */
/*
 * sequence.h - x86-64 in a kernel: pop and push, each in one piece
 *
 * What    The flags wait on the stack while interrupts are off: two instructions less than in a
 *         register, which a compiler would have to carry from one asm to the next. The stack is
 *         used within one asm only, and a kernel has no red zone. Batches are copied by the
 *         instruction that is for it.
 * Rules   those of ../percpu.h
 */
#ifndef ASHLAR_PORT_BARE_X86_64_SEQUENCE_H
#define ASHLAR_PORT_BARE_X86_64_SEQUENCE_H

#include "port/bare/table.h"

/* The table of regions is named in the instruction where the code may be linked so. */
#if !defined(__PIC__) && (defined(__code_model_kernel__) || defined(__code_model_small__))
#define SEQUENCE_TABLE "%c[table](,%[scratch],8)"
#define SEQUENCE_TABLE_IS "i"
#else
#define SEQUENCE_TABLE "(%[table],%[scratch],8)"
#define SEQUENCE_TABLE_IS "r"
#endif

#define SEQUENCE_BEGIN                                                              \
	"pushfq\n\t"                                                                \
	"cli\n\t"                                                                   \
	"movl %%gs:" BARE_TEXT(BARE_CPU_OFFSET) ", %k[scratch]\n\t"                 \
						"addq " SEQUENCE_TABLE ", %[a]\n\t" \
						"movzwl (%[a]), %k[avail]\n\t"

/* Out of the way: the interrupts, and the other answer. */
#define SEQUENCE_END          \
	"popfq\n\t"           \
	".subsection 1\n"     \
	"1:\n\t"              \
	"popfq\n\t"           \
	"jmp %l[refused]\n\t" \
	".previous\n\t"

/* A batch: @count words, not overlapping. */
static inline void percpu_copy(void **to, void *const *from, unsigned count)
{
	uintptr_t words = count;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

/* Take the newest object of the array with this header on the CPU's node; false where it is
 * empty. */
static inline __attribute__((__always_inline__)) bool percpu_pop(size_t header_offset, void **out)
{
	uintptr_t scratch;
	uintptr_t avail;
	uintptr_t a = header_offset;

	__asm__ goto volatile(SEQUENCE_BEGIN "subl $1, %k[avail]\n\t"
					     "jb 1f\n\t"
					     "movq 8(%[a]), %[scratch]\n\t"
					     "movq (%[scratch],%[avail],8), %[scratch]\n\t"
					     "movl %k[avail], (%[a])\n\t" /* A2: idle becomes 0 */
			      SEQUENCE_END
			      : [a] "+&r"(a), [scratch] "=&a"(scratch), [avail] "=&r"(avail)
			      : [table] SEQUENCE_TABLE_IS(port_percpu_alloc)
			      : "memory", "cc"
			      : refused);
	*out = (void *)scratch;
	return true;
refused:
	return false;
}

/* Put @object on the array with this header; false where the array is full. */
static inline __attribute__((__always_inline__)) bool percpu_push(size_t header_offset,
								  void *object)
{
	uintptr_t scratch;
	uintptr_t avail;
	uintptr_t a = header_offset;

	__asm__ goto volatile(SEQUENCE_BEGIN "cmpw 4(%[a]), %w[avail]\n\t"
					     "jae 1f\n\t"
					     "movq 8(%[a]), %[scratch]\n\t"
					     "movq %[object], (%[scratch],%[avail],8)\n\t"
					     "incw (%[a])\n\t" SEQUENCE_END
			      : [a] "+&r"(a), [scratch] "=&r"(scratch), [avail] "=&r"(avail)
			      : [table] SEQUENCE_TABLE_IS(port_percpu_table), [object] "r"(object)
			      : "memory", "cc"
			      : refused);
	return true;
refused:
	return false;
}

#undef SEQUENCE_TABLE
#undef SEQUENCE_TABLE_IS
#undef SEQUENCE_BEGIN
#undef SEQUENCE_END

#endif
