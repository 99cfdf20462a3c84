/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - the per-CPU sequences of the simulated machine
 *
 * What    Plain C on the region of the CPU that the test has chosen (sim.h). There
 *         is one thread: nothing can come between the first load and the commit.
 */
#ifndef ASHLAR_PORT_PERCPU_H
#define ASHLAR_PORT_PERCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/array_cache.h"
#include "port/sim/sim.h"

/* Interrupts: none come here that allocate (base/lock.h). */
struct port_irq {
};

static inline struct port_irq port_irq_save(void)
{
	return (struct port_irq){};
}

static inline void port_irq_restore(struct port_irq irq)
{
	(void)irq;
}

static inline bool percpu_ready(void)
{
	return sim.ready;
}

static inline struct array_cache *percpu_header(size_t header_offset)
{
	return (struct array_cache *)((uintptr_t)sim.region[sim.cpu] + header_offset);
}

/* The headers of the CPU's own node, for who owns its region. */
static inline struct array_cache *percpu_alloc_region(unsigned cpu)
{
	return sim.alloc[cpu];
}

static inline bool percpu_pop(size_t header_offset, void **out)
{
	struct array_cache *a =
		(struct array_cache *)((uintptr_t)percpu_alloc_region(sim.cpu) + header_offset);

	if (a->avail == 0)
		return false;
	a->idle = 0;
	*out = a->entry[--a->avail];
	return true;
}

static inline bool percpu_push(size_t header_offset, void *object)
{
	struct array_cache *a = percpu_header(header_offset);

	if (a->avail >= a->limit)
		return false;
	a->entry[a->avail++] = object;
	return true;
}

static inline unsigned percpu_cpu(void)
{
	return sim.cpu;
}

static inline struct array_cache *percpu_own(unsigned cpu)
{
	void *region = sim.region[cpu];

	sim.region[cpu] = sim.dummy;
	return region == sim.dummy ? NULL : region;
}

static inline void percpu_disown(unsigned cpu, struct array_cache *region)
{
	sim.region[cpu] = region;
}

#endif
