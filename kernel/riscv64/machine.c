/* SPDX-License-Identifier: MIT */
/*
 * machine.c - RISC-V, QEMU's virt with OpenSBI: the console, traps, timer, harts
 */
#include "machine.h"
#include "ashlar/bare.h"
#include "fdt.h"
#include "virt.h"

#define FINISHER (KERNEL_DIRECT + 0x100000)
#define NS_PER_TICK 100

#define SBI_TIMER 0x54494d45
#define SBI_IPI 0x735049
#define SBI_HSM 0x48534d

#define CAUSE_INTERRUPT (UINT64_C(1) << 63)
#define CAUSE_SEND (CAUSE_INTERRUPT | 1)
#define CAUSE_TIMER (CAUSE_INTERRUPT | 5)
#define CAUSE_LOAD 13
#define CAUSE_STORE 15

_Static_assert(offsetof(struct cpu, stack) == 48, "boot.S knows it");

extern const char trap_door[];
extern const char boot_cpu[];
extern const char boot_entry[];
extern uint64_t boot_root[512];
extern char image_start[];
extern char image_end[];

uint64_t *vm_root;
struct cpu *boot_starts; /* the hart that is being started, for boot.S */
static unsigned periods[KERNEL_MAX_CPUS];

static uint64_t sbi(uint64_t extension, uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t a0 __asm__("a0") = a;
	register uint64_t a1 __asm__("a1") = b;
	register uint64_t a2 __asm__("a2") = c;
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return a0;
}

/* The legacy console: one character a call. */
void arch_write(const char *text, size_t bytes)
{
	for (; bytes; bytes--, text++)
		sbi(1, 0, (uint8_t)*text, 0, 0);
}

_Noreturn void arch_exit(unsigned code)
{
	for (;;)
		*(volatile uint32_t *)FINISHER = 0x3333 | code << 16;
}

_Noreturn void arch_reset(void)
{
	for (;;)
		*(volatile uint32_t *)FINISHER = 0x5555;
}

/* ---- interrupts ---------------------------------------------------------------------- */

/* The mask is one word of memory's bits: hart ids are small here. */
void arch_send(struct cpu *cpu)
{
	sbi(SBI_IPI, 0, 1, cpu->hardware, 0);
}

static uint64_t ticks(void)
{
	uint64_t n;

	__asm__ volatile("rdtime %0" : "=r"(n));
	return n;
}

static void timer_arm(unsigned period)
{
	sbi(SBI_TIMER, 0, period ? ticks() + period / NS_PER_TICK : UINT64_MAX, 0, 0);
}

void arch_timer(unsigned period)
{
	periods[this_cpu()->number] = period;
	timer_arm(period);
}

static void timer(void)
{
	struct cpu *cpu = this_cpu();

	timer_arm(periods[cpu->number]);
	cpu->timers++;
	cpu->in_interrupt++;
	if (cpu->timer)
		cpu->timer();
	cpu->in_interrupt--;
}

void trap(void)
{
	uint64_t cause;
	uint64_t address;
	uint64_t pc;

	__asm__ volatile("csrr %0, scause\n\tcsrr %1, stval\n\tcsrr %2, sepc"
			 : "=r"(cause), "=r"(address), "=r"(pc));
	if (cause == CAUSE_TIMER) {
		timer();
		return;
	}
	if (cause == CAUSE_SEND) {
		__asm__ volatile("csrci sip, 2");
		kernel_interrupted();
		return;
	}
	if ((cause == CAUSE_LOAD || cause == CAUSE_STORE) && vm_fault &&
	    vm_fault(address, cause == CAUSE_STORE))
		return;
	print("\ntrap ");
	print_hex(cause);
	print(" address ");
	print_hex(address);
	print(" pc ");
	print_hex(pc);
	panic("a trap that nobody expects");
}

/* ---- harts ------------------------------------------------------------------------------ */

void arch_cpu_init(struct cpu *cpu)
{
	__asm__ volatile("mv tp, %0\n\tcsrw stvec, %1\n\tcsrw sie, %2"
			 :
			 : "r"(cpu), "r"(trap_door), "r"(UINT64_C(0x22)));
}

_Noreturn void arch_cpu_main(struct cpu *cpu)
{
	arch_cpu_init(cpu);
	kernel_cpu(cpu);
}

/* entry=1 on the boot line: where firmware that is in a race with itself starts a hart (boot.S). */
void arch_start_cpu(struct cpu *cpu)
{
	const char *start = setting_number("entry", 0) ? boot_entry : boot_cpu;

	__atomic_store_n(&boot_starts, cpu, __ATOMIC_RELEASE);
	if (sbi(SBI_HSM, 0, cpu->hardware, (uintptr_t)start - KERNEL_DIRECT, (uintptr_t)cpu))
		panic("the firmware does not start a hart");
}

_Noreturn void arch_boot(uint64_t hart, uint64_t tree)
{
	vm_root = boot_root;
	machine.cpu[0].self = &machine.cpu[0];
	arch_cpu_init(&machine.cpu[0]);
	timer_arm(0);
	if (!fdt_read((const void *)(tree + KERNEL_DIRECT), FDT_MAX_BYTES, tree, hart))
		panic("no device tree");
	ashlar_boot_take((uintptr_t)image_start - KERNEL_DIRECT,
			 (uint64_t)(image_end - image_start));
	kernel_main();
}
