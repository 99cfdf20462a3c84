/* SPDX-License-Identifier: MIT */
/*
 * tap_tiny.c - a test program on the small machine: every case, one after the other
 *
 * What    The end of the machine is the result: 33 iff all passed, 34 if not. A fault is 99, and an
 *         emulator that dies gives something else: 0 is never believed.
 */
#include "machine.h"
#include "tap.h"

void tap_write(const char *text, size_t bytes)
{
	machine_write(text, bytes);
}

const char *tap_setting(const char *name)
{
	return name[7] == 'T' ? "quick" : NULL; /* ASHLAR_TEST */
}

/* What a case changes of Ashlar is forgotten by its sim_reset. */
int main(void)
{
	return tap_run(NULL) ? 34 : 33;
}
