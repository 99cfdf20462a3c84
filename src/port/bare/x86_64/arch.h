/* SPDX-License-Identifier: MIT */
/*
 * arch.h - x86-64 in a kernel: interrupts off and on, the number of this CPU
 *
 * What    The CPU number is a 32-bit word of the kernel's per-CPU block, at %gs:BARE_CPU_OFFSET.
 */
#ifndef ASHLAR_PORT_BARE_X86_64_ARCH_H
#define ASHLAR_PORT_BARE_X86_64_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#ifndef BARE_CPU_OFFSET
#define BARE_CPU_OFFSET 8
#endif

#define BARE_HAS_SEQUENCE "port/bare/x86_64/sequence.h"

#define BARE_TEXT_(x) #x
#define BARE_TEXT(x) BARE_TEXT_(x)

struct port_irq {
	uintptr_t flags;
};

static inline __attribute__((__always_inline__)) struct port_irq port_irq_save(void)
{
	struct port_irq irq;

	__asm__ volatile("pushfq\n\tpopq %0\n\tcli" : "=r"(irq.flags) : : "memory");
	return irq;
}

static inline __attribute__((__always_inline__)) void port_irq_restore(struct port_irq irq)
{
	__asm__ volatile("pushq %0\n\tpopfq" : : "r"(irq.flags) : "memory", "cc");
}

static inline bool bare_irqs_on(void)
{
	uintptr_t flags;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
	return flags & 0x200;
}

static inline __attribute__((__always_inline__)) unsigned bare_cpu(void)
{
	unsigned cpu;

	__asm__ volatile("movl %%gs:" BARE_TEXT(BARE_CPU_OFFSET) ", %0" : "=r"(cpu));
	return cpu;
}

#endif
