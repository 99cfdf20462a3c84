/* SPDX-License-Identifier: MIT */
/*
 * sequence.h - a processor that has no sequences yet: percpu_ready() is never true
 */
#ifndef ASHLAR_PORT_LINUX_OTHER_SEQUENCE_H
#define ASHLAR_PORT_LINUX_OTHER_SEQUENCE_H

#include "port/linux/table.h"

#define PERCPU_HAS_SEQUENCES 0
#define PERCPU_KERNELS_DIFFER 0

static inline int percpu_area_cpu(ptrdiff_t offset)
{
	(void)offset;
	return -1;
}

static inline bool percpu_pop(size_t header_offset, void **out)
{
	(void)header_offset;
	(void)out;
	return false;
}

static inline bool percpu_push(size_t header_offset, void *object)
{
	(void)header_offset;
	(void)object;
	return false;
}

#endif
