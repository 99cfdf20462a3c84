/* SPDX-License-Identifier: MIT */
/*
 * host.c - what the library asks of its kernel (ashlar/bare.h)
 */
#include "ashlar/bare.h"
#include "machine.h"

static uint32_t writing; /* lines of several CPUs do not mix */

void ashlar_host_write(const char *text, size_t bytes)
{
	struct port_irq irq = port_irq_save();

	while (__atomic_exchange_n(&writing, 1, __ATOMIC_ACQUIRE))
		ashlar_host_relax();
	arch_write(text, bytes);
	__atomic_store_n(&writing, 0, __ATOMIC_RELEASE);
	port_irq_restore(irq);
}

_Noreturn void ashlar_host_panic(void)
{
	panic("the library has found a fault");
}

void ashlar_host_relax(void)
{
	this_cpu()->relaxed++;
	arch_relax();
}

void ashlar_host_yield(void)
{
	arch_relax();
}

void ashlar_host_interrupt(unsigned int cpu)
{
	arch_send(&machine.cpu[cpu]);
}

uintptr_t *ashlar_host_task(void)
{
	struct cpu *cpu = this_cpu();

	return cpu->task ? &cpu->task->ashlar : &cpu->first.ashlar;
}

unsigned ashlar_host_distance(unsigned from, unsigned to)
{
	return machine.distance[from][to];
}

unsigned ashlar_host_cpu_node(unsigned cpu)
{
	return machine.cpu[cpu].node;
}

bool ashlar_host_map(void *address, uint64_t physical, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += VM_PAGE)
		if (!vm_map((uintptr_t)address + i, physical + i, VM_WRITE))
			return false;
	return true;
}

bool ashlar_host_map_zeros(void *address, size_t bytes)
{
	return vm_map_zeros((uintptr_t)address, bytes);
}
