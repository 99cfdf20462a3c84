/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - the per-CPU sequences inside Linux: interrupts off, x86-64
 *
 * What    percpu_pop and percpu_push: one object from or to the array of the CPU that runs
 *         them. With interrupts off nothing of this CPU comes between but an NMI, which may
 *         not allocate. No other CPU touches a region that it has not exchanged out of its
 *         slot and fenced by an interrupt.
 * Why     This header is seen by the core, which knows no header of Linux: the few
 *         instructions stand here, and what they load is a per-CPU variable of the module,
 *         which Linux puts at a constant offset of %gs.
 * Rules   S1  the CPU's region is loaded with interrupts off
 *         S4  before port_percpu_init every region is a page of zeros: empty and full
 *         S7  not under Xen's paravirtual mode, where cli is the hypervisor's: port.c refuses
 */
#ifndef ASHLAR_PORT_PERCPU_H
#define ASHLAR_PORT_PERCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/array_cache.h"
#include "port_config.h"

/* A CPU's own: its region, the headers of its node in that, and its number. */
struct percpu_slot {
	struct array_cache *free;  /* exchanged by who stops the CPU */
	struct array_cache *alloc; /* changed by the owner only, and set before `free` */
	unsigned number;
};

/* The slot of the CPU that runs this is a per-CPU variable of port.c: only asm may name it here. */
#define PERCPU_FREE "%%gs:port_percpu_slot"
#define PERCPU_ALLOC "%%gs:port_percpu_slot+8"
#define PERCPU_NUMBER "%%gs:port_percpu_slot+16"

/* The slots of all possible CPUs; NULL for other numbers. */
extern struct percpu_slot *port_percpu_slots[PORT_MAX_CPUS] __attribute__((visibility("hidden")));

/* What port_percpu_own gives to the sequences instead of a region. */
extern struct array_cache *port_percpu_dummy __attribute__((visibility("hidden")));

/* Interrupts and the core's locks (base/lock.h): they stay as they are. What brings memory online
 * sleeps, and a fence waits for other CPUs, under a lock: both need them on. So an interrupt may
 * use the arrays, and nothing behind them. */
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

#define PERCPU_INTERRUPTS 0x200u /* IF of the flags */

/* Interrupts as they were before a sequence. */
struct percpu_irq {
	unsigned long flags;
};

static inline __attribute__((__always_inline__)) struct percpu_irq percpu_irq_save(void)
{
	struct percpu_irq irq;

	__asm__ volatile("pushfq\n\tpopq %0\n\tcli" : "=r"(irq.flags) : : "memory");
	return irq;
}

static inline __attribute__((__always_inline__)) void percpu_irq_restore(struct percpu_irq irq)
{
	if (irq.flags & PERCPU_INTERRUPTS)
		__asm__ volatile("sti" : : : "memory");
}

static inline bool percpu_ready(void)
{
	return true;
}

/* The header of any node's array, and of the own node's. */
static inline __attribute__((__always_inline__)) struct array_cache *
percpu_header(size_t header_offset)
{
	uintptr_t region;

	__asm__ volatile("movq " PERCPU_FREE ", %0" : "=r"(region));
	return (struct array_cache *)(region + header_offset);
}

static inline __attribute__((__always_inline__)) struct array_cache *
percpu_own_header(size_t header_offset)
{
	uintptr_t region;

	__asm__ volatile("movq " PERCPU_ALLOC ", %0" : "=r"(region));
	return (struct array_cache *)(region + header_offset);
}

/* Take the newest object of the array with this header; false where it is empty. */
static inline __attribute__((__always_inline__)) bool percpu_pop(size_t header_offset, void **out)
{
	struct percpu_irq irq = percpu_irq_save();
	struct array_cache *a = percpu_own_header(header_offset);
	unsigned avail = a->avail;

	if (__builtin_expect(avail == 0, 0)) {
		percpu_irq_restore(irq);
		return false;
	}
	*out = a->entry[avail - 1];
	array_cache_set_avail(a, avail - 1);
	percpu_irq_restore(irq);
	return true;
}

/* Put @object on the array with this header; false where the array is full. */
static inline __attribute__((__always_inline__)) bool percpu_push(size_t header_offset,
								  void *object)
{
	struct percpu_irq irq = percpu_irq_save();
	struct array_cache *a = percpu_header(header_offset);
	unsigned avail = a->avail;

	if (__builtin_expect(avail >= a->limit, 0)) {
		percpu_irq_restore(irq);
		return false;
	}
	a->entry[avail] = object;
	a->avail = (uint16_t)(avail + 1);
	percpu_irq_restore(irq);
	return true;
}

/* The CPU this code runs on, stale as soon as it is known. */
static inline unsigned percpu_cpu(void)
{
	unsigned cpu;

	__asm__ volatile("movl " PERCPU_NUMBER ", %0" : "=r"(cpu));
	return cpu;
}

/* Own a CPU's region for the length of one operation; NULL: somebody else has it. */
static inline struct array_cache *percpu_own(unsigned cpu)
{
	struct array_cache *region = __atomic_exchange_n(&port_percpu_slots[cpu]->free,
							 port_percpu_dummy, __ATOMIC_ACQUIRE);

	return region == port_percpu_dummy ? NULL : region;
}

/* The headers of the CPU's own node, for who owns its region. */
static inline struct array_cache *percpu_alloc_region(unsigned cpu)
{
	return port_percpu_slots[cpu]->alloc;
}

static inline void percpu_disown(unsigned cpu, struct array_cache *region)
{
	__atomic_store_n(&port_percpu_slots[cpu]->free, region, __ATOMIC_RELEASE);
}

#endif
