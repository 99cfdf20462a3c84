/* SPDX-License-Identifier: MIT */
/*
 * machine.c - AArch64, QEMU's virt: the console, traps, GICv2, the virtual timer, PSCI
 */
#include "machine.h"
#include "ashlar/bare.h"
#include "fdt.h"
#include "virt.h"

#define UART (KERNEL_DIRECT + 0x09000000)
#define GIC_DISTRIBUTOR (KERNEL_DIRECT + 0x08000000)
#define GIC_CPU (KERNEL_DIRECT + 0x08010000)
#define RAM UINT64_C(0x40000000)

#define DOOR_SYNC 4
#define DOOR_IRQ 5
#define IRQ_SEND 0
#define IRQ_TIMER 27
#define NS_PER_TICK 16

_Static_assert(offsetof(struct cpu, stack) == 48, "boot.S knows it");

extern const char trap_doors[];
extern const char boot_cpu[];
extern uint64_t boot_root[];
extern char image_start[];
extern char image_end[];

uint64_t *vm_root;
static unsigned periods[KERNEL_MAX_CPUS];

static void write32(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static uint32_t read32(uintptr_t address)
{
	return *(const volatile uint32_t *)address;
}

void arch_write(const char *text, size_t bytes)
{
	for (; bytes; bytes--, text++) {
		while (read32(UART + 0x18) & 0x20)
			;
		write32(UART, (uint8_t)*text);
	}
}

/* Semihosting's exit with a code. */
_Noreturn void arch_exit(unsigned code)
{
	const uint64_t arguments[2] = { 0x20026, code };
	register uint64_t x0 __asm__("x0") = 0x18;
	register const uint64_t *x1 __asm__("x1") = arguments;

	for (;;)
		__asm__ volatile("hlt #0xf000" : : "r"(x0), "r"(x1) : "memory");
}

static uint64_t psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	__asm__ volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

_Noreturn void arch_reset(void)
{
	for (;;)
		psci(0x84000008, 0, 0, 0);
}

/* ---- interrupts ------------------------------------------------------------------ */

void arch_send(struct cpu *cpu)
{
	__asm__ volatile("dsb ish" ::: "memory");
	write32(GIC_DISTRIBUTOR + 0xf00, 1u << (16 + (cpu->hardware & 7)) | IRQ_SEND);
}

static void timer_arm(unsigned period)
{
	__asm__ volatile("msr cntv_tval_el0, %0\n\tmsr cntv_ctl_el0, %1\n\tisb"
			 :
			 : "r"((uint64_t)period / NS_PER_TICK + 1), "r"((uint64_t)(period != 0)));
}

void arch_timer(unsigned period)
{
	periods[this_cpu()->number] = period;
	timer_arm(period);
}

static void interrupt(void)
{
	uint32_t which = read32(GIC_CPU + 0xc);
	struct cpu *cpu = this_cpu();

	if ((which & 0x3ff) == IRQ_TIMER) {
		timer_arm(periods[cpu->number]);
		cpu->timers++;
		cpu->in_interrupt++;
		if (cpu->timer)
			cpu->timer();
		cpu->in_interrupt--;
	} else if ((which & 0x3ff) == IRQ_SEND) {
		kernel_interrupted();
	}
	write32(GIC_CPU + 0x10, which);
}

void trap(uint64_t door)
{
	uint64_t syndrome;
	uint64_t address;
	uint64_t pc;

	if (door == DOOR_IRQ) {
		interrupt();
		return;
	}
	__asm__ volatile("mrs %0, esr_el1\n\tmrs %1, far_el1\n\tmrs %2, elr_el1"
			 : "=r"(syndrome), "=r"(address), "=r"(pc));
	if (door == DOOR_SYNC && syndrome >> 26 == 0x25 && vm_fault &&
	    vm_fault(address, syndrome & 0x40))
		return;
	print("\ntrap ");
	print_number(door);
	print(" syndrome ");
	print_hex(syndrome);
	print(" address ");
	print_hex(address);
	print(" pc ");
	print_hex(pc);
	panic("a trap that nobody expects");
}

/* ---- CPUs ---------------------------------------------------------------------------- */

void arch_cpu_init(struct cpu *cpu)
{
	__asm__ volatile("msr tpidr_el1, %0\n\tmsr vbar_el1, %1\n\tisb"
			 :
			 : "r"(cpu), "r"(trap_doors));
	if (cpu == &machine.cpu[0])
		write32(GIC_DISTRIBUTOR, 1);
	write32(GIC_DISTRIBUTOR + 0x100, 1u << IRQ_TIMER | 1u << IRQ_SEND);
	write32(GIC_CPU + 4, 0xff);
	write32(GIC_CPU, 1);
	__asm__ volatile(
		"msr pmevtyper0_el0, %0\n\tmsr pmcntenset_el0, %1\n\tmsr pmcr_el0, %1\n\tisb"
		:
		: "r"(UINT64_C(8)), "r"(UINT64_C(1)));
}

_Noreturn void arch_cpu_main(struct cpu *cpu)
{
	arch_cpu_init(cpu);
	kernel_cpu(cpu);
}

void arch_start_cpu(struct cpu *cpu)
{
	if (psci(0xc4000003, cpu->hardware, (uintptr_t)boot_cpu - KERNEL_DIRECT, (uintptr_t)cpu))
		panic("PSCI does not start a CPU");
}

/* QEMU puts the tree where RAM begins when it is given an ELF file. */
_Noreturn void arch_boot(uint64_t tree)
{
	uint64_t hardware;

	if (!tree)
		tree = RAM;
	vm_root = boot_root;
	machine.cpu[0].self = &machine.cpu[0];
	arch_cpu_init(&machine.cpu[0]);
	__asm__ volatile("mrs %0, mpidr_el1" : "=r"(hardware));
	if (!fdt_read((const void *)(tree + KERNEL_DIRECT), FDT_MAX_BYTES, tree,
		      hardware & 0xff00ffffff))
		panic("no device tree");
	ashlar_boot_take((uintptr_t)image_start - KERNEL_DIRECT,
			 (uint64_t)(image_end - image_start));
	kernel_main();
}
