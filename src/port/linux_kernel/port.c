/* SPDX-License-Identifier: MIT */
/*
 * port.c - a module inside Linux as the machine: CPUs, waiting, the log
 *
 * What    The contract of port.h on services that Linux exports to modules. Memory is in
 *         pages.c.
 * Rules   LX1 stopping a CPU is an interrupt to it (smp_call_function_single): it arrives only
 *             when no sequence runs there, because these have interrupts off
 *         LX2 waiting for a lock spins; it lets others run where the context allows it
 */
#include <asm/cpufeature.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/stacktrace.h>
#include <linux/timekeeping.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>

#include "linux_kernel.h"
#include "percpu.h"
#include "port/port.h"

/* Address space for the arena and its tables: half the memory, and not more than this. */
#define PORT_ADDRESS_MOST ((size_t)4 << 30)
#define PORT_LINE 256

/* Ashlar reclaims by itself, and says NULL: nobody is to be killed for it. */
#define PORT_GFP (GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY)

DEFINE_PER_CPU(struct percpu_slot, port_percpu_slot);

struct percpu_slot *port_percpu_slots[PORT_MAX_CPUS];
struct array_cache *port_percpu_dummy;

static const char *port_option_text;

/* Every CPU starts with it. */
static void port_set_dummy(struct array_cache *dummy)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		WRITE_ONCE(port_percpu_slots[cpu]->alloc, dummy);
		WRITE_ONCE(port_percpu_slots[cpu]->free, dummy);
	}
	smp_store_release(&port_percpu_dummy, dummy);
}

int linux_kernel_open(const char *options)
{
	unsigned int cpu;

	if (nr_cpu_ids > PORT_MAX_CPUS || boot_cpu_has(X86_FEATURE_XENPV))
		return -ENODEV;
	for_each_possible_cpu(cpu) {
		port_percpu_slots[cpu] = per_cpu_ptr(&port_percpu_slot, cpu);
		port_percpu_slots[cpu]->number = cpu;
	}
	port_set_dummy(page_address(ZERO_PAGE(0)));
	port_option_text = options;
	return 0;
}

void linux_kernel_close(void)
{
	linux_kernel_release_all();
}

void port_init(struct port_machine *machine)
{
	size_t ram = (size_t)totalram_pages() << PAGE_SHIFT;

	*machine = (struct port_machine){
		.ram_bytes = ram,
		.address_bytes = min(ram, 2 * PORT_ADDRESS_MOST),
		.cpus = nr_cpu_ids,
		.nodes = 1,
		.page_bytes = PAGE_SIZE,
		.random = get_random_u64(),
	};
}

const char *port_options(bool *secure)
{
	*secure = false;
	return port_option_text;
}

/* A kernel has no limit of its own beside the one chosen in port_init. */
bool port_address_space(size_t *limit, size_t *used)
{
	*limit = 0;
	*used = 0;
	return false;
}

void *port_mapping_alloc(size_t bytes, size_t align)
{
	void *start = NULL;

	if (align > PAGE_SIZE || !linux_kernel_charge(bytes >> PAGE_SHIFT))
		return NULL;
	start = __vmalloc(bytes, PORT_GFP);
	if (!start)
		linux_kernel_uncharge(bytes >> PAGE_SHIFT);
	return start;
}

void port_mapping_free(void *start, size_t bytes)
{
	vfree(start);
	linux_kernel_uncharge(bytes >> PAGE_SHIFT);
}

void *port_mapping_resize(void *start, size_t old_bytes, size_t new_bytes)
{
	(void)start;
	(void)old_bytes;
	(void)new_bytes;
	return NULL; /* the caller allocates and copies */
}

/* Linux has its own zones; this module asks for ordinary memory. */
size_t port_zone_bytes(unsigned kind)
{
	(void)kind;
	return 0;
}

bool port_bind(void *start, size_t bytes, unsigned node)
{
	(void)start;
	(void)bytes;
	return node == 0;
}

bool port_node_run(const void *start, size_t *bytes, unsigned *node)
{
	(void)start;
	(void)bytes;
	(void)node;
	return false;
}

/* Linux places the pages, and maps them as it likes. */
bool port_huge(void *start, size_t bytes, bool on)
{
	(void)start;
	(void)bytes;
	(void)on;
	return false;
}

void port_trace_start(void)
{
}

/* The scopes are Linux's own: what the module's caller has set counts here, and the reverse. Bits
 * as in cache/scope.h; Linux has no room for more. */
uintptr_t port_task_word(void)
{
	unsigned int flags = current->flags;

	return (flags & PF_MEMALLOC ? 1u : 0) | (flags & PF_MEMALLOC_NOIO ? 2u : 0) |
	       (flags & PF_MEMALLOC_NOFS ? 4u : 0);
}

bool port_task_set(uintptr_t word)
{
	unsigned int flags = current->flags & ~(PF_MEMALLOC | PF_MEMALLOC_NOIO | PF_MEMALLOC_NOFS);

	current->flags = flags | (word & 1 ? PF_MEMALLOC : 0) | (word & 2 ? PF_MEMALLOC_NOIO : 0) |
			 (word & 4 ? PF_MEMALLOC_NOFS : 0);
	return true;
}

uint32_t port_thread(void)
{
	return (uint32_t)current->pid + 1; /* the idle threads' number is 0 */
}

void port_trace(struct port_trace *trace)
{
	unsigned long frames[PORT_TRACE_FRAMES];
	unsigned int count = stack_trace_save(frames, PORT_TRACE_FRAMES, 1);
	unsigned int i;

	*trace = (struct port_trace){
		.now_ns = ktime_get_mono_fast_ns() | 1,
		.thread = port_thread(),
		.cpu = port_cpu(),
	};
	for (i = 0; i < count; i++)
		trace->frames[i] = (void *)frames[i];
}

void port_symbol(const void *address, char *text, size_t bytes)
{
	snprintf(text, bytes, "%pS", address);
}

unsigned port_node_distance(unsigned from, unsigned to)
{
	return from == to ? LOCAL_DISTANCE : REMOTE_DISTANCE;
}

unsigned port_cpu_node(unsigned cpu)
{
	(void)cpu;
	return 0;
}

unsigned port_cpu(void)
{
	return raw_smp_processor_id();
}

enum port_percpu_mode port_percpu_init(int wanted, void *dummy, const char **why)
{
	(void)wanted;
	port_set_dummy(dummy);
	*why = "interrupts are off in a sequence";
	return PORT_PERCPU_RSEQ;
}

void *port_percpu_own(unsigned cpu)
{
	struct array_cache *region;

	if (!port_percpu_slots[cpu])
		return NULL;
	region = percpu_own(cpu);
	if (region)
		WRITE_ONCE(port_percpu_slots[cpu]->alloc, port_percpu_dummy);
	return region;
}

void port_percpu_publish(unsigned cpu, void *region, void *alloc)
{
	smp_store_release(&port_percpu_slots[cpu]->alloc, alloc);
	smp_store_release(&port_percpu_slots[cpu]->free, region);
}

static void port_arrived(void *unused)
{
	(void)unused;
}

bool linux_kernel_may_wait(void)
{
	return !irqs_disabled() && in_task();
}

/* LX1. A CPU that is not there runs no sequence. */
bool port_percpu_fence(int cpu)
{
	if (!linux_kernel_may_wait())
		return false;
	if (cpu < 0)
		on_each_cpu(port_arrived, NULL, 1);
	else if (cpu_online((unsigned int)cpu))
		smp_call_function_single(cpu, port_arrived, NULL, 1);
	return true;
}

/* LX2 */
void port_yield(void)
{
	if (preemptible())
		cond_resched();
	cpu_relax();
}

void port_wait(uint32_t *word, uint32_t value)
{
	(void)word;
	(void)value;
	port_yield();
}

void port_wake(uint32_t *word)
{
	(void)word;
}

void port_write(const char *text, size_t bytes)
{
	while (bytes) {
		const char *end = memchr(text, '\n', bytes);
		size_t line = end ? (size_t)(end - text) : bytes;

		printk(KERN_ERR "%.*s\n", (int)min_t(size_t, line, PORT_LINE), text);
		line += end != NULL;
		text += line;
		bytes -= line;
	}
}

void port_abort(void)
{
	panic("ashlar: the heap was misused\n");
}
