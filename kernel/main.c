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
	uint32_t busy; /* CPUs that are not done yet */
} crew;

/* Sleep until *@word is no longer @value; who changes it sends an interrupt. */
static void sleep_while(const uint32_t *word, uint32_t value)
{
	for (;;) {
		irqs_off();
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value)
			break;
		cpu_idle();
	}
	irqs_on();
}

_Noreturn void kernel_cpu(struct cpu *cpu)
{
	uint32_t round = 0;

	__atomic_store_n(&cpu->started, 1, __ATOMIC_RELEASE);
	for (;;) {
		sleep_while(&crew.round, round);
		round++;
		crew.work(cpu);
		__atomic_sub_fetch(&crew.busy, 1, __ATOMIC_ACQ_REL);
		arch_send(&machine.cpu[0]);
	}
}

void cpus_start(void)
{
	for (unsigned i = 1; i < machine.cpus; i++) {
		struct cpu *cpu = &machine.cpu[i];

		cpu->self = cpu;
		cpu->number = i;
		arch_start_cpu(cpu);
		while (!__atomic_load_n(&cpu->started, __ATOMIC_ACQUIRE))
			ashlar_host_relax();
	}
}

void cpus_run(void (*work)(struct cpu *cpu))
{
	crew.busy = machine.cpus - 1;
	crew.work = work;
	__atomic_add_fetch(&crew.round, 1, __ATOMIC_ACQ_REL);
	for (unsigned i = 1; i < machine.cpus; i++)
		arch_send(&machine.cpu[i]);
	work(this_cpu());
	for (;;) {
		uint32_t busy = __atomic_load_n(&crew.busy, __ATOMIC_ACQUIRE);

		if (!busy)
			return;
		sleep_while(&crew.busy, busy);
	}
}

_Noreturn void kernel_main(void)
{
	unsigned failures;

	vm_init();
	for (unsigned i = 1; i < machine.cpus; i++)
		machine.cpu[i].stack = early_alloc(STACK_BYTES, 4096);
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
