/* SPDX-License-Identifier: MIT */
/*
 * percpu.c - batches through the sequences inside Linux
 *
 * See     percpu.h for the rules; port.c stops CPUs
 */
#include "percpu.h"
#include "port/port.h"

unsigned port_percpu_pop_bulk(unsigned header_offset, void **objects, unsigned count)
{
	struct percpu_irq irq = percpu_irq_save();
	struct array_cache *a = percpu_header(header_offset);
	unsigned n = a->avail < count ? a->avail : count;

	if (n) {
		__builtin_memcpy(objects, &a->entry[a->avail - n], n * sizeof(void *));
		a->avail = (uint16_t)(a->avail - n);
		a->idle = 0;
	}
	percpu_irq_restore(irq);
	return n;
}

unsigned port_percpu_push_bulk(unsigned header_offset, void *const *objects, unsigned count)
{
	struct percpu_irq irq = percpu_irq_save();
	struct array_cache *a = percpu_header(header_offset);
	unsigned room = (unsigned)(a->limit - a->avail);
	unsigned n = room < count ? room : count;

	if (n) {
		__builtin_memcpy(&a->entry[a->avail], objects, n * sizeof(void *));
		a->avail = (uint16_t)(a->avail + n);
	}
	percpu_irq_restore(irq);
	return n;
}
