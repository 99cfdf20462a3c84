/* SPDX-License-Identifier: MIT */
/*
 * machine.h - RISC-V: what the test kernels ask of the processor, and where things lie
 *
 * What    The same names in each processor's folder.
 */
#ifndef ASHLAR_KERNEL_MACHINE_H
#define ASHLAR_KERNEL_MACHINE_H

#include "kernel.h"
#include "port/bare/arch.h"

#define KERNEL_DIRECT UINT64_C(0xffffffc000000000) /* all memory; the image, too */
#define KERNEL_TABLES UINT64_C(0xffffffe000000000) /* the library's tables */
#define KERNEL_DMA_END UINT64_C(0)
#define KERNEL_SCRATCH UINT64_C(0xfffffff000000000) /* the simulated machine's memory */

/* Words of a jmp_buf: the stack, and where to go on; what is skipped of a fresh stack. */
#define TASK_STACK 1
#define TASK_START 0
#define TASK_STACK_SKEW 0

#define VM_SHIFT 12
#define VM_PAGE ((size_t)1 << VM_SHIFT)
#define VM_ADDRESS_BITS 39
#define VM_LEVELS 3
#define VM_PRESENT 1u

static inline uint64_t vm_make_table(uint64_t physical)
{
	return physical >> 12 << 10 | 1;
}

/* Valid, readable, accessed; writable and dirty. */
static inline uint64_t vm_make_page(uint64_t physical, bool write)
{
	return physical >> 12 << 10 | 0x43 | (write ? 0x84 : 0);
}

static inline uint64_t vm_address(uint64_t entry)
{
	return entry << 10 >> 20 << 12;
}

/* Bytes of a page, as the MMU is set. */
static inline size_t vm_granule(void)
{
	return 4096;
}

static inline void vm_flush(uintptr_t address)
{
	__asm__ volatile("sfence.vma %0, x0" : : "r"(address) : "memory");
}

/* An entry that was not valid has become so. */
static inline void vm_fence(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("mv %0, tp" : "=r"(cpu));
	return cpu;
}

static inline void irqs_on(void)
{
	__asm__ volatile("csrsi sstatus, 2" ::: "memory");
}

static inline void irqs_off(void)
{
	__asm__ volatile("csrci sstatus, 2" ::: "memory");
}

/* The pause hint: Zihintpause, a fence that older processors ignore. */
static inline void arch_relax(void)
{
	__asm__ volatile(".word 0x0100000f" ::: "memory");
}

/* Wait for an interrupt; they are on afterwards. wfi wakes for one that is masked. */
static inline void cpu_idle(void)
{
	__asm__ volatile("wfi" ::: "memory");
	irqs_on();
}

/* With -icount: instructions of this CPU so far. */
static inline uint64_t cpu_instructions(void)
{
	uint64_t n;

	__asm__ volatile("rdinstret %0" : "=r"(n));
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
