/* SPDX-License-Identifier: MIT */
/*
 * x86.h - what the files of the x86-64 test kernel tell each other
 */
#ifndef ASHLAR_KERNEL_X86_H
#define ASHLAR_KERNEL_X86_H

#include <stdint.h>

#include "kernel.h"

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, flags, rsp, ss;
};

/* What tests do in an NMI, and after each instruction while the trap flag is set. */
extern void (*trap_nmi)(struct trap_frame *f);
extern void (*trap_step)(struct trap_frame *f);

/* Called by boot.S: with the start info; with another CPU; with a trap. */
_Noreturn void arch_boot(uint64_t at);
_Noreturn void arch_cpu_main(struct cpu *cpu);
void trap(struct trap_frame *f);

static inline void io_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t io_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void io_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

#endif
