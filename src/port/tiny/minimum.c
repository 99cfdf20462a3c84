/* SPDX-License-Identifier: MIT */
/*
 * minimum.c - a small machine for `ashlar minimum`: the slob engine of firmware, inside the command
 *
 * What    libashlar-minimum-BYTES.so is the engine as a firmware has it (src/port/tiny), with pages
 *         of so many bytes; the command calls its ashlar_heap_minimum.
 */
#include <stdlib.h>
#include <unistd.h>

#include "port/port.h"

unsigned long port_interrupts_off(void);
void port_interrupts_restore(unsigned long were);

unsigned long port_interrupts_off(void)
{
	return 0;
}

void port_interrupts_restore(unsigned long were)
{
	(void)were;
}

void port_yield(void)
{
}

void port_write(const char *text, size_t bytes)
{
	if (write(STDERR_FILENO, text, bytes) < 0)
		return;
}

_Noreturn void port_abort(void)
{
	abort();
}
