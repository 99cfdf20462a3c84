/* SPDX-License-Identifier: MIT */
/*
 * arch.h - RISC-V in a kernel: interrupts off and on, the number of this CPU
 *
 * What    The CPU number is a 32-bit word of the kernel's per-CPU block, which
 *         the register tp points to.
 */
#ifndef ASHLAR_PORT_BARE_RISCV64_ARCH_H
#define ASHLAR_PORT_BARE_RISCV64_ARCH_H

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

	__asm__ volatile("csrrci %0, sstatus, 2" : "=r"(irq.flags) : : "memory");
	return irq;
}

static inline __attribute__((__always_inline__)) void port_irq_restore(struct port_irq irq)
{
	__asm__ volatile("csrs sstatus, %0" : : "r"(irq.flags & 2) : "memory");
}

static inline bool bare_irqs_on(void)
{
	uintptr_t flags;

	__asm__ volatile("csrr %0, sstatus" : "=r"(flags));
	return flags & 2;
}

static inline __attribute__((__always_inline__)) unsigned bare_cpu(void)
{
	unsigned cpu;

	__asm__ volatile("lw %0, %1(tp)" : "=r"(cpu) : "i"(BARE_CPU_OFFSET));
	return cpu;
}

#endif
