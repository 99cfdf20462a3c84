/* SPDX-License-Identifier: MIT */
/*
 * main.c - from the first line of C to the closing line
 *
 * What    kernel_main runs the kernel's program on the first CPU, the other CPUs wait for work.
 *         The machine ends with code 33 and the line that kernel/boot looks for; anything else
 *         (0 is what a triple fault gives) is a failure.
 */
#include "ashlar/bare.h"
#include "machine.h"

#define STACK_BYTES ((size_t)32 << 10)

struct machine machine;

static struct {
	void (*work)(struct cpu *cpu);
	uint32_t round;
	uint32_t done;
} crew;

/* A CPU that waits lets the others answer for themselves: interrupts stay on. */
_Noreturn void kernel_cpu(struct cpu *cpu)
{
	uint32_t round = 0;

	__atomic_store_n(&cpu->started, 1, __ATOMIC_RELEASE);
	irqs_on();
	for (;;) {
		while (__atomic_load_n(&crew.round, __ATOMIC_ACQUIRE) == round)
			ashlar_host_relax();
		round++;
		crew.work(cpu);
		__atomic_add_fetch(&crew.done, 1, __ATOMIC_ACQ_REL);
	}
}

void cpus_start(void)
{
	for (unsigned i = 1; i < machine.cpus; i++) {
		struct cpu *cpu = &machine.cpu[i];

		cpu->self = cpu;
		cpu->number = i;
		cpu->stack = early_alloc(STACK_BYTES, 4096);
		arch_start_cpu(cpu);
		while (!__atomic_load_n(&cpu->started, __ATOMIC_ACQUIRE))
			ashlar_host_relax();
	}
}

void cpus_run(void (*work)(struct cpu *cpu))
{
	crew.done = 0;
	crew.work = work;
	__atomic_add_fetch(&crew.round, 1, __ATOMIC_ACQ_REL);
	work(this_cpu());
	while (__atomic_load_n(&crew.done, __ATOMIC_ACQUIRE) != machine.cpus - 1)
		ashlar_host_relax();
}

_Noreturn void kernel_main(void)
{
	unsigned failures;

	vm_init();
	failures = kernel_run();
	irqs_off();
	if (failures) {
		print("# ashlar: tests failed: ");
		print_number(failures);
		print("\n");
		arch_exit(1);
	}
	print("# ashlar: end of tests, all passed\n");
	arch_exit(33);
}
