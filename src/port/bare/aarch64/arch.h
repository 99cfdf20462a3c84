/* SPDX-License-Identifier: MIT */
/*
 * arch.h - AArch64 in a kernel: interrupts off and on, the number of this CPU
 *
 * What    The CPU number is a 32-bit word of the kernel's per-CPU block, which
 *         TPIDR_EL1 points to.
 */
#ifndef ASHLAR_PORT_BARE_AARCH64_ARCH_H
#define ASHLAR_PORT_BARE_AARCH64_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#ifndef BARE_CPU_OFFSET
#define BARE_CPU_OFFSET 8
#endif

struct port_irq {
	uintptr_t flags;
};

static inline __attribute__((__always_inline__)) struct port_irq port_irq_save(void)
{
	struct port_irq irq;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #3" : "=r"(irq.flags) : : "memory");
	return irq;
}

static inline __attribute__((__always_inline__)) void port_irq_restore(struct port_irq irq)
{
	__asm__ volatile("msr daif, %0" : : "r"(irq.flags) : "memory");
}

static inline bool bare_irqs_on(void)
{
	uintptr_t flags;

	__asm__ volatile("mrs %0, daif" : "=r"(flags));
	return !(flags & 0x80);
}

static inline __attribute__((__always_inline__)) unsigned bare_cpu(void)
{
	uintptr_t block;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(block));
	return *(const volatile unsigned *)(block + BARE_CPU_OFFSET);
}

#endif
