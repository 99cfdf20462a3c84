/* SPDX-License-Identifier: MIT */
/*
 * percpu.c - batches through the sequences, and stopping a CPU (bare machine)
 *
 * What    Own, publish and fence of a CPU's region. The fence counts questions and answers of
 *         each CPU: an interrupt makes it answer, and so does waiting, for a lock or for an
 *         answer of its own. An answer means: no sequence was running here.
 * State   port_percpu_table; asked and answered of each CPU
 * Rules   S5  who exchanges a region out of the table owns it until he publishes it
 *         S6  the owner of another CPU's region touches it only after a fence of that CPU
 *         S7  a CPU answers with interrupts off, so that its answers only go up
 *         S8  an NMI between the two stores of its CPU's publish leaves both ways as they were
 */
#include "percpu.h"
#include "port/bare/bare.h"
#include "port/port.h"

/* S4: what every CPU has before there are regions. The start allocates from two caches only, whose
 * ids on all nodes are the first ones. */
#define PERCPU_FIRST_IDS (2 * PORT_MAX_NODES + 1)
static struct array_cache percpu_nothing[PERCPU_FIRST_IDS];

struct array_cache *port_percpu_table[PORT_MAX_CPUS] = {
	[0 ... PORT_MAX_CPUS - 1] = percpu_nothing,
};
struct array_cache *port_percpu_alloc[PORT_MAX_CPUS] = {
	[0 ... PORT_MAX_CPUS - 1] = percpu_nothing,
};
struct array_cache *port_percpu_dummy = percpu_nothing;

static struct {
	uint32_t asked;
	uint32_t answered;
	uint32_t seen;             /* it has had a region: it runs */
	struct array_cache *alloc; /* what an NMI has closed */
	uint32_t publisher;        /* the CPU that opens both ways just now, + 1 */
} percpu_cpus[PORT_MAX_CPUS];

unsigned port_cpu(void)
{
	return bare_cpu();
}

enum port_percpu_mode port_percpu_init(int wanted, void *dummy, const char **why)
{
	(void)wanted;
	for (unsigned i = 0; i < PORT_MAX_CPUS; i++)
		port_percpu_table[i] = port_percpu_alloc[i] = dummy;
	port_percpu_dummy = dummy;
	*why = "interrupts off";
	return PORT_PERCPU_RSEQ;
}

void *port_percpu_own(unsigned cpu)
{
	void *region = percpu_own(cpu);

	if (region)
		__atomic_store_n(&port_percpu_alloc[cpu], port_percpu_dummy, __ATOMIC_RELAXED);
	return region;
}

void port_percpu_publish(unsigned cpu, void *region, void *alloc)
{
	struct port_irq irq = port_irq_save();

	__atomic_store_n(&percpu_cpus[cpu].seen, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&percpu_cpus[cpu].publisher, bare_cpu() + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&port_percpu_alloc[cpu], alloc, __ATOMIC_RELEASE);
	percpu_disown(cpu, region);
	__atomic_store_n(&percpu_cpus[cpu].publisher, 0, __ATOMIC_RELAXED);
	port_irq_restore(irq);
}

/* S7 */
void bare_answer(void)
{
	struct port_irq irq = port_irq_save();
	unsigned cpu = bare_cpu();
	uint32_t asked = __atomic_load_n(&percpu_cpus[cpu].asked, __ATOMIC_ACQUIRE);

	if (asked != percpu_cpus[cpu].answered)
		__atomic_store_n(&percpu_cpus[cpu].answered, asked, __ATOMIC_RELEASE);
	port_irq_restore(irq);
}

void ashlar_interrupted(void)
{
	bare_answer();
}

/* Wait for an answer of @cpu that comes after this call. This one's own is that it is here. */
static void percpu_ask(unsigned cpu)
{
	uint32_t question;

	if (cpu == bare_cpu() || !__atomic_load_n(&percpu_cpus[cpu].seen, __ATOMIC_RELAXED))
		return;
	question = __atomic_add_fetch(&percpu_cpus[cpu].asked, 1, __ATOMIC_ACQ_REL);
	ashlar_host_interrupt(cpu);
	while ((int32_t)(__atomic_load_n(&percpu_cpus[cpu].answered, __ATOMIC_ACQUIRE) - question) <
	       0) {
		bare_answer();
		ashlar_host_relax();
	}
}

bool port_percpu_fence(int cpu)
{
	if (cpu >= 0) {
		percpu_ask((unsigned)cpu);
		return true;
	}
	for (unsigned i = 0; i < bare_boot.cpus; i++)
		percpu_ask(i);
	return true;
}

unsigned port_percpu_pop_bulk(unsigned header_offset, void **objects, unsigned count)
{
	struct port_irq irq = port_irq_save();
	struct array_cache *a = percpu_header(header_offset);
	unsigned n = a->avail < count ? a->avail : count;

	if (n) {
		unsigned left = a->avail - n;

		percpu_copy(objects, a->entry + left, n);
		array_cache_set_avail(a, left);
	}
	port_irq_restore(irq);
	return n;
}

unsigned port_percpu_push_bulk(unsigned header_offset, void *const *objects, unsigned count)
{
	struct port_irq irq = port_irq_save();
	struct array_cache *a = percpu_header(header_offset);
	unsigned room = (unsigned)(a->limit - a->avail);
	unsigned n = room < count ? room : count;

	if (n) {
		percpu_copy(a->entry + a->avail, objects, n);
		a->avail = (uint16_t)(a->avail + n);
	}
	port_irq_restore(irq);
	return n;
}

/* S8: is the interrupted code on its way to open them? It does not go on meanwhile. */
static bool percpu_is_publishing(unsigned cpu)
{
	return percpu_cpus[cpu].publisher == cpu + 1;
}

/* Both ways to the arrays are closed. If somebody else has the region he waits for an answer of
 * this CPU, and so opens both again after the NMI. */
void *ashlar_nmi_enter(void)
{
	unsigned cpu = bare_cpu();
	struct array_cache *region = percpu_own(cpu);
	struct array_cache *alloc = port_percpu_alloc[cpu];

	__atomic_store_n(&port_percpu_alloc[cpu], port_percpu_dummy, __ATOMIC_RELAXED);
	if (region || percpu_is_publishing(cpu))
		percpu_cpus[cpu].alloc = alloc;
	return region;
}

void ashlar_nmi_leave(void *entered)
{
	unsigned cpu = bare_cpu();

	if (!entered && !percpu_is_publishing(cpu))
		return;
	__atomic_store_n(&port_percpu_alloc[cpu], percpu_cpus[cpu].alloc, __ATOMIC_RELAXED);
	if (entered)
		percpu_disown(cpu, entered);
}
