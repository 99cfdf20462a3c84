/* SPDX-License-Identifier: MIT */
/*
 * sim.c - the machine in a test's hands (src/port/sim/sim.h), on the small machine
 *
 * What    What src/port/sim/port.c does with mmap, done with 16 MiB of plain memory: only what the
 *         slob engine asks for. Memory that went back holds a pattern, not a fault.
 */
#include "port/sim/sim.h"

#include <setjmp.h>

#include "base/memory.h"
#include "machine.h"
#include "port/port.h"

struct sim sim;
void *sim_abort_jump;

void sim_reset(void)
{
	machine_forget();
	memset(&sim, 0, sizeof(sim));
	sim.arena_bytes = (size_t)8 << 20;
	sim.cpus = 4;
	sim.nodes = 1;
}

void port_init(struct port_machine *machine)
{
	*machine = (struct port_machine){
		.ram_bytes = sim.arena_bytes,
		.address_bytes = sim.arena_bytes * 2,
		.cpus = sim.cpus,
		.nodes = sim.nodes,
		.page_bytes = (size_t)1 << PORT_PAGE_SHIFT,
	};
}

const char *port_options(bool *secure)
{
	*secure = sim.secure;
	return sim.options;
}

/* Memory comes by port_map: it has no place of its own, no kinds, no nodes. */
bool port_arena(size_t align, void **start, size_t *bytes)
{
	(void)align;
	(void)start;
	(void)bytes;
	return false;
}

bool port_memory(void **start, size_t *bytes, bool take)
{
	(void)start;
	(void)bytes;
	(void)take;
	return false;
}

size_t port_zone_bytes(unsigned kind)
{
	(void)kind;
	return 0;
}

bool port_node_run(const void *start, size_t *bytes, unsigned *node)
{
	(void)start;
	(void)bytes;
	(void)node;
	return false;
}

unsigned port_node_distance(unsigned from, unsigned to)
{
	return from == to ? 10 : 20;
}

unsigned port_cpu_node(unsigned cpu)
{
	return cpu & (sim.nodes - 1);
}

void *port_reserve(size_t bytes, size_t align)
{
	uintptr_t start = ((uintptr_t)machine_ram + align - 1) & ~(uintptr_t)(align - 1);

	return bytes <= (uintptr_t)machine_ram_end - start ? (void *)start : NULL;
}

bool port_map(void *start, size_t bytes)
{
	sim.requests++;
	if (sim.fail_at && --sim.fail_at == 0) {
		if (sim.fail_on)
			sim.fail_at = 1;
		return false;
	}
	memset(start, 0, bytes);
	return true;
}

void port_unmap(void *start, size_t bytes)
{
	memset(start, 0xdb, bytes);
}

bool port_discard(void *start, size_t bytes)
{
	sim.discarded += bytes;
	memset(start, 0, bytes);
	return true;
}

unsigned port_cpu(void)
{
	return sim.cpu;
}

uintptr_t port_task_word(void)
{
	return sim.task_word;
}

bool port_task_set(uintptr_t word)
{
	sim.task_word = word;
	return true;
}

uint32_t port_thread(void)
{
	return 1;
}

void port_wait(uint32_t *word, uint32_t value)
{
	static const char text[] = "Bail out! a lock is waited for by the only thread\n";

	(void)word;
	(void)value;
	if (++sim.waits > 1000) {
		machine_write(text, sizeof(text) - 1);
		machine_exit(98);
	}
}

void port_wake(uint32_t *word)
{
	(void)word;
}

void port_yield(void)
{
	port_wait(NULL, 0);
}

void port_write(const char *text, size_t bytes)
{
	if (bytes > sizeof(sim.text) - 1)
		bytes = sizeof(sim.text) - 1;
	if (sim.text_bytes + bytes > sizeof(sim.text) - 1)
		sim.text_bytes = 0;
	memcpy(sim.text + sim.text_bytes, text, bytes);
	sim.text_bytes += bytes;
	sim.text[sim.text_bytes] = '\0';
}

_Noreturn void port_abort(void)
{
	if (sim_abort_jump)
		longjmp(*(jmp_buf *)sim_abort_jump, 1);
	machine_write(sim.text, sim.text_bytes);
	machine_exit(97);
}

/* ---- of a machine with one CPU (the tiny profile) -------------------------------------- */

unsigned long port_interrupts_off(void);
void port_interrupts_restore(unsigned long were);

unsigned long port_interrupts_off(void)
{
	unsigned long were;

	__asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(were) : : "memory");
	return were;
}

void port_interrupts_restore(unsigned long were)
{
	__asm__ volatile("msr primask, %0" : : "r"(were) : "memory");
}
