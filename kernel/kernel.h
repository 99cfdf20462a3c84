/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the test kernels: what their files tell each other
 *
 * What    A kernel that does nothing but test: it finds its memory and CPUs, and runs one
 *         program, kernel_run, on the first CPU. The processor's part is in a folder of its own,
 *         behind machine.h; everything here is the same on all.
 * Boot    boot.S -> arch_boot (the firmware's tables -> ashlar_boot_*) -> kernel_main
 *         -> kernel_run -> arch_exit
 */
#ifndef ASHLAR_KERNEL_H
#define ASHLAR_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* ---- the console, settings (lib.c) ---- */

void print(const char *text);
void print_number(uint64_t n);
void print_hex(uint64_t n);
_Noreturn void panic(const char *why);

/* The value of name=value on the boot line, or NULL; as a number, or @otherwise. */
const char *setting(const char *name);
uint64_t setting_number(const char *name, uint64_t otherwise);
void settings_set(const char *line);

/* ---- what was found (filled by arch_boot) ---- */

#define KERNEL_MAX_CPUS 16u
#define KERNEL_MAX_NODES 8u

/* Who runs on a CPU: here what tests switch to and fro, in a kernel a thread or a process. */
struct task {
	uintptr_t ashlar;            /* the library's word (ashlar_host_task) */
	unsigned long registers[32]; /* a jmp_buf, while it does not run */
};

/* The first two words are known to assembler: self, number. */
struct cpu {
	struct cpu *self;
	uint32_t number;
	uint32_t node;
	uint64_t hardware; /* APIC id, MPIDR, hart id */
	uint32_t started;
	uint32_t in_interrupt;
	void (*timer)(void); /* what the timer interrupt does here; NULL: it is off */
	uint64_t timers;     /* timer interrupts so far */
	char *stack;         /* its lowest byte */
	uint64_t relaxed;    /* turns in which it waited for another CPU (ashlar_host_relax) */
	struct task *task;   /* that runs here; NULL: the CPU's first one */
	struct task first;
};

struct machine {
	unsigned cpus;
	unsigned nodes;
	struct cpu cpu[KERNEL_MAX_CPUS];
	uint8_t distance[KERNEL_MAX_NODES][KERNEL_MAX_NODES]; /* 10: the same node */
	uint64_t initrd;                                      /* where it is; 0: there is none */
};
extern struct machine machine;

/* Memory for the kernel's own tables, zeroed, from the boot map; panics when there is none. */
void *early_alloc(size_t bytes, size_t align);

/* ---- virtual memory (vm.c): single pages in the kernel's windows ---- */

enum vm_access { VM_NONE, VM_READ, VM_WRITE };

/* Let the page at @address be the one at @physical. false iff no memory for a table. */
bool vm_map(uintptr_t address, uint64_t physical, enum vm_access access);

/* Let [address, +bytes) read as zeros. */
bool vm_map_zeros(uintptr_t address, size_t bytes);

/* The entry of a page; NULL iff there is no table for it. */
uint64_t *vm_entry(uintptr_t address);
void vm_init(void);
/* Handle a fault at @address of a window whose pages come when they are touched. */
extern bool (*vm_fault)(uintptr_t address, bool write);

/* ---- the program ---- */

/* The number of failures. */
unsigned kernel_run(void);

/* The interrupt of arch_send has arrived. */
void kernel_interrupted(void);

/* The first CPU's way from arch_boot; the others' way. */
_Noreturn void kernel_main(void);
_Noreturn void kernel_cpu(struct cpu *cpu);

/* Start all other CPUs; let each run @work, and wait until all have. */
void cpus_start(void);
void cpus_run(void (*work)(struct cpu *cpu));

#endif
