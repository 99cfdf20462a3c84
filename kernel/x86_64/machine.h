/* SPDX-License-Identifier: MIT */
/*
 * machine.h - x86-64: what the test kernels ask of the processor, and where things lie
 *
 * What    The same names in each processor's folder.
 */
#ifndef ASHLAR_KERNEL_MACHINE_H
#define ASHLAR_KERNEL_MACHINE_H

#include "kernel.h"
#include "port/bare/arch.h"

#define KERNEL_IMAGE UINT64_C(0xffffffff80000000)   /* virtual = physical + this, the image only */
#define KERNEL_DIRECT UINT64_C(0xffff888000000000)  /* all memory */
#define KERNEL_TABLES UINT64_C(0xffffd00000000000)  /* the library's tables */
#define KERNEL_DMA_END (UINT64_C(16) << 20)         /* ISA */
#define KERNEL_SCRATCH UINT64_C(0xffffe00000000000) /* the simulated machine's memory */

/* Words of a jmp_buf: the stack, and where to go on; what is skipped of a fresh stack. */
#define TASK_STACK 6
#define TASK_START 7
#define TASK_STACK_SKEW 8 /* as after a call */

#define VM_SHIFT 12
#define VM_PAGE ((size_t)1 << VM_SHIFT)
#define VM_ADDRESS_BITS 48
#define VM_LEVELS 4
#define VM_PRESENT 1u

static inline uint64_t vm_make_table(uint64_t physical)
{
	return physical | 3;
}

static inline uint64_t vm_make_page(uint64_t physical, bool write)
{
	return physical | 1 | (write ? 2 : 0) | UINT64_C(1) << 63;
}

static inline uint64_t vm_address(uint64_t entry)
{
	return entry & UINT64_C(0x000ffffffffff000);
}

/* Bytes of a page, as the MMU is set. */
static inline size_t vm_granule(void)
{
	return 4096;
}

static inline void vm_flush(uintptr_t address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* An entry that was not valid has become so. */
static inline void vm_fence(void)
{
}

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

static inline void irqs_on(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void irqs_off(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void arch_relax(void)
{
	__builtin_ia32_pause();
}

/* Wait for an interrupt; they are on afterwards. */
static inline void cpu_idle(void)
{
	__asm__ volatile("sti; hlt" ::: "memory");
}

/* With -icount: instructions of this machine so far. */
static inline uint64_t cpu_instructions(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

extern uint64_t *vm_root;

void arch_write(const char *text, size_t bytes);
_Noreturn void arch_exit(unsigned code);
_Noreturn void arch_reset(void); /* as a fault in the fault handler does: the machine starts anew */
void arch_start_cpu(struct cpu *cpu);
void arch_cpu_init(struct cpu *cpu);
void arch_send(struct cpu *cpu); /* an interrupt that calls ashlar_interrupted */
void arch_send_nmi(struct cpu *cpu);
void arch_timer(unsigned period); /* of this CPU; about instructions with icount; 0: off */

#endif
