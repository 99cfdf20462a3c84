/* SPDX-License-Identifier: MIT */
/*
 * machine.h - AArch64: what the test kernels ask of the processor, and where things lie
 *
 * What    The same names in each processor's folder.
 */
#ifndef ASHLAR_KERNEL_MACHINE_H
#define ASHLAR_KERNEL_MACHINE_H

#include "ashlar/mm.h"
#include "kernel.h"
#include "port/bare/arch.h"

#define KERNEL_DIRECT UINT64_C(0xffffff8000000000) /* all memory; the image, too */
#define KERNEL_TABLES UINT64_C(0xffffffe000000000) /* the library's tables */
#define KERNEL_DMA_END UINT64_C(0)
#define KERNEL_SCRATCH UINT64_C(0xfffffff000000000) /* the simulated machine's memory */

/* The granule of the MMU is the base page (boot.S). */
/* Words of a jmp_buf: the stack, and where to go on; what is skipped of a fresh stack. */
#define TASK_STACK 12
#define TASK_START 11
#define TASK_STACK_SKEW 0

#define VM_SHIFT ASHLAR_PAGE_SHIFT
#define VM_PAGE ((size_t)1 << VM_SHIFT)
#define VM_ADDRESS_BITS 39
#define VM_LEVELS (VM_SHIFT == 16 ? 2 : 3)
#define VM_PRESENT 1u

static inline uint64_t vm_make_table(uint64_t physical)
{
	return physical | 3;
}

/* Access flag, inner shareable, normal memory (MAIR 0), not executable. */
static inline uint64_t vm_make_page(uint64_t physical, bool write)
{
	return physical | 3 | 3 << 8 | 1 << 10 | (write ? 0 : 1 << 7) | UINT64_C(3) << 53;
}

static inline uint64_t vm_address(uint64_t entry)
{
	return entry & UINT64_C(0x0000fffffffff000) & ~(uint64_t)(VM_PAGE - 1);
}

/* Bytes of a page, as the MMU is set for the kernel's half: TCR_EL1.TG1. */
static inline size_t vm_granule(void)
{
	uint64_t tcr;

	__asm__("mrs %0, tcr_el1" : "=r"(tcr));
	switch (tcr >> 30 & 3) {
	case 1:
		return 16384;
	case 2:
		return 4096;
	default:
		return 65536;
	}
}

static inline void vm_flush(uintptr_t address)
{
	__asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb"
			 :
			 : "r"(address >> 12 & UINT64_C(0xfffffffffff))
			 : "memory");
}

/* An entry that was not valid has become so. */
static inline void vm_fence(void)
{
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(cpu));
	return cpu;
}

static inline void irqs_on(void)
{
	__asm__ volatile("msr daifclr, #3" ::: "memory");
}

static inline void irqs_off(void)
{
	__asm__ volatile("msr daifset, #3" ::: "memory");
}

static inline void arch_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

/* Wait for an interrupt; they are on afterwards. wfi wakes for one that is masked. */
static inline void cpu_idle(void)
{
	__asm__ volatile("wfi" ::: "memory");
	irqs_on();
}

/* With -icount: instructions of this CPU so far (PMU event 8). */
static inline uint64_t cpu_instructions(void)
{
	uint64_t n;

	__asm__ volatile("isb\n\tmrs %0, pmevcntr0_el0" : "=r"(n) : : "memory");
	return n;
}

extern uint64_t *vm_root;

void arch_write(const char *text, size_t bytes);
_Noreturn void arch_exit(unsigned code);
_Noreturn void arch_reset(void);
void arch_start_cpu(struct cpu *cpu);
void arch_cpu_init(struct cpu *cpu);
void arch_send(struct cpu *cpu);  /* an interrupt that calls kernel_interrupted */
void arch_timer(unsigned period); /* of this CPU, nanoseconds; 0: off */

#endif
