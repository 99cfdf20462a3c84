/* SPDX-License-Identifier: MIT */
/*
 * bulk.c - a processor that has no sequences yet: nothing is moved
 */
#include "port/port.h"

unsigned port_percpu_pop_bulk(unsigned header_offset, void **objects, unsigned count)
{
	(void)header_offset;
	(void)objects;
	(void)count;
	return 0;
}

unsigned port_percpu_push_bulk(unsigned header_offset, void *const *objects, unsigned count)
{
	(void)header_offset;
	(void)objects;
	(void)count;
	return 0;
}
