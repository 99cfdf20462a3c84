/* SPDX-License-Identifier: MIT */
/*
 * machine.c - x86-64: the console, traps, the local APIC, the other CPUs
 */
#include "machine.h"
#include "ashlar/bare.h"
#include "x86.h"

#define VECTOR_NMI 2
#define VECTOR_DEBUG 1
#define VECTOR_FAULT 14
#define VECTOR_TIMER 32
#define VECTOR_SEND 33
#define VECTOR_SPURIOUS 63

#define SERIAL 0x3f8
#define EXIT_PORT 0xf4

extern const char trap_doors[];
extern const char boot_cpu[];
extern const char boot_cpu_end[];
extern struct cpu *boot_cpu_argument;
extern char *boot_cpu_stack;

uint64_t *vm_root;
void (*trap_nmi)(struct trap_frame *f);
void (*trap_step)(struct trap_frame *f);
static uintptr_t apic; /* its registers, in the direct map */

void arch_write(const char *text, size_t bytes)
{
	for (; bytes; bytes--, text++) {
		while (!(io_in8(SERIAL + 5) & 0x20))
			;
		io_out8(SERIAL, (uint8_t)*text);
	}
}

/* Code 33 is (16 << 1) | 1: the device shifts. Without the device the machine stays here. */
_Noreturn void arch_exit(unsigned code)
{
	io_out32(EXIT_PORT, code >> 1);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* ---- the local APIC ---------------------------------------------------------- */

static void apic_write(unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(apic + reg) = value;
}

static uint32_t apic_read(unsigned reg)
{
	return *(volatile uint32_t *)(apic + reg);
}

static void apic_command(uint64_t id, uint32_t command)
{
	struct port_irq irq = port_irq_save();

	while (apic_read(0x300) & 0x1000)
		__builtin_ia32_pause();
	apic_write(0x310, (uint32_t)id << 24);
	apic_write(0x300, command);
	port_irq_restore(irq);
}

void arch_send(struct cpu *cpu)
{
	apic_command(cpu->hardware, 0x4000 | VECTOR_SEND);
}

void arch_send_nmi(struct cpu *cpu)
{
	apic_command(cpu->hardware, 0x4400);
}

/* Divided by 1: with icount a tick is a nanosecond is an instruction. */
void arch_timer(unsigned period)
{
	apic_write(0x3e0, 0xb);
	apic_write(0x320, period ? 0x20000 | VECTOR_TIMER : 0x10000);
	apic_write(0x380, period);
}

/* ---- traps ---------------------------------------------------------------------- */

static struct {
	uint64_t low;
	uint64_t high;
} idt[64] __attribute__((aligned(16)));

static void trap_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uintptr_t)idt };

	for (unsigned i = 0; i < 64; i++) {
		uintptr_t door = (uintptr_t)trap_doors + i * 16;

		idt[i].low = (door & 0xffff) | 8u << 16 | (door & 0xffff0000) << 32 |
			     UINT64_C(0x8e00) << 32;
		idt[i].high = door >> 32;
	}
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

static _Noreturn void trap_die(const struct trap_frame *f)
{
	uintptr_t address;

	__asm__ volatile("movq %%cr2, %0" : "=r"(address));
	print("\ntrap ");
	print_number(f->vector);
	print(" error ");
	print_hex(f->error);
	print(" rip ");
	print_hex(f->rip);
	print(" cr2 ");
	print_hex(address);
	print(" cpu ");
	print_number(this_cpu()->number);
	panic("a trap that nobody expects");
}

void trap(struct trap_frame *f)
{
	struct cpu *cpu = this_cpu();
	uintptr_t address;

	switch (f->vector) {
	case VECTOR_FAULT:
		__asm__ volatile("movq %%cr2, %0" : "=r"(address));
		if (!vm_fault || !vm_fault(address, f->error & 2))
			trap_die(f);
		return;
	case VECTOR_NMI:
		if (!trap_nmi)
			trap_die(f);
		trap_nmi(f);
		return;
	case VECTOR_DEBUG:
		if (!trap_step)
			trap_die(f);
		trap_step(f);
		return;
	case VECTOR_TIMER:
		cpu->timers++;
		apic_write(0xb0, 0);
		cpu->in_interrupt++;
		if (cpu->timer)
			cpu->timer();
		cpu->in_interrupt--;
		return;
	case VECTOR_SEND:
		apic_write(0xb0, 0);
		kernel_interrupted();
		return;
	case VECTOR_SPURIOUS:
		return;
	default:
		trap_die(f);
	}
}

/* ---- CPUs ------------------------------------------------------------------------- */

static void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

void arch_cpu_init(struct cpu *cpu)
{
	write_msr(0xc0000101, (uintptr_t)cpu);
	trap_init();
	apic = KERNEL_DIRECT + 0xfee00000;
	apic_write(0xf0, 0x100 | VECTOR_SPURIOUS);
	apic_write(0x80, 0);
}

_Noreturn void arch_cpu_main(struct cpu *cpu)
{
	arch_cpu_init(cpu);
	kernel_cpu(cpu);
}

/* INIT, then STARTUP at page 8. Real machines want two, and 10 ms between: wait a little. */
void arch_start_cpu(struct cpu *cpu)
{
	memcpy((void *)(KERNEL_DIRECT + 0x8000), boot_cpu, (size_t)(boot_cpu_end - boot_cpu));
	boot_cpu_argument = cpu;
	boot_cpu_stack = cpu->stack + ((size_t)32 << 10);
	apic_command(cpu->hardware, 0x4500);
	for (unsigned i = 0; i < 1000; i++)
		__builtin_ia32_pause();
	apic_command(cpu->hardware, 0x4608);
}
