/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - the per-CPU sequences of a kernel: interrupts off
 *
 * What    percpu_pop and percpu_push: one object from or to the array of the CPU that runs them.
 *         With interrupts off nothing of this CPU comes between but an NMI, and that finds the
 *         dummy in the table (ashlar_nmi_enter). No other CPU touches a region that it has
 *         not exchanged out of the table and fenced.
 * Rules   S1  the CPU number and its region are loaded with interrupts off
 *         S4  before port_percpu_init every region is a few headers of zeros: empty and full
 * See     docs/decisions/23: why the sequences set no busy word
 */
#ifndef ASHLAR_PORT_PERCPU_H
#define ASHLAR_PORT_PERCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/array_cache.h"
#include "port/bare/table.h"

/* What port_percpu_own gives to the sequences instead of a region. */
extern struct array_cache *port_percpu_dummy __attribute__((visibility("hidden")));

static inline bool percpu_ready(void)
{
	return true;
}

static inline struct array_cache *percpu_header(size_t header_offset)
{
	return (struct array_cache *)((uintptr_t)port_percpu_table[bare_cpu()] + header_offset);
}

/* The headers of the CPU's own node, for who owns its region. */
static inline struct array_cache *percpu_alloc_region(unsigned cpu)
{
	return port_percpu_alloc[cpu];
}

#ifdef BARE_HAS_SEQUENCE /* arch.h */
#include BARE_HAS_SEQUENCE
#else

/* A batch: @count words, not overlapping. */
static inline void percpu_copy(void **to, void *const *from, unsigned count)
{
	for (; count >= 4; count -= 4, to += 4, from += 4) {
		to[0] = from[0];
		to[1] = from[1];
		to[2] = from[2];
		to[3] = from[3];
	}
	while (count--)
		*to++ = *from++;
}

/* Take the newest object of the array with this header on the CPU's node; false where it is
 * empty. */
static inline __attribute__((__always_inline__)) bool percpu_pop(size_t header_offset, void **out)
{
	struct port_irq irq = port_irq_save();
	struct array_cache *a =
		(struct array_cache *)((uintptr_t)port_percpu_alloc[bare_cpu()] + header_offset);
	unsigned avail = a->avail;

	if (__builtin_expect(avail == 0, 0)) {
		port_irq_restore(irq);
		return false;
	}
	*out = a->entry[avail - 1];
	array_cache_set_avail(a, avail - 1);
	port_irq_restore(irq);
	return true;
}

/* Put @object on the array with this header; false where the array is full. */
static inline __attribute__((__always_inline__)) bool percpu_push(size_t header_offset,
								  void *object)
{
	struct port_irq irq = port_irq_save();
	struct array_cache *a = percpu_header(header_offset);
	unsigned avail = a->avail;

	if (__builtin_expect(avail >= a->limit, 0)) {
		port_irq_restore(irq);
		return false;
	}
	a->entry[avail] = object;
	a->avail = (uint16_t)(avail + 1);
	port_irq_restore(irq);
	return true;
}

#endif

/* The CPU this code runs on, stale as soon as it is known. */
static inline unsigned percpu_cpu(void)
{
	return bare_cpu();
}

/* Own a CPU's region for the length of one operation; NULL: somebody else has it. */
static inline struct array_cache *percpu_own(unsigned cpu)
{
	struct array_cache *region =
		__atomic_exchange_n(&port_percpu_table[cpu], port_percpu_dummy, __ATOMIC_ACQUIRE);

	return region == port_percpu_dummy ? NULL : region;
}

static inline void percpu_disown(unsigned cpu, struct array_cache *region)
{
	__atomic_store_n(&port_percpu_table[cpu], region, __ATOMIC_RELEASE);
}

#endif
