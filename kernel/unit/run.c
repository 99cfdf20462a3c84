/* SPDX-License-Identifier: MIT */
/*
 * run.c - the unit tests of the core, unchanged, on a bare machine
 *
 * What    The core is linked with the simulated machine, as on the host; the simulated machine
 *         stands on this kernel (sim_host.c). Each case finds all data but the kernel's own as
 *         the program starts with it: it is put back before the case.
 * Boot    test=TEXT on the boot line runs the cases whose name contains TEXT
 */
#include "machine.h"
#include "tap.h"
#include "unit.h"

extern char tests_data_start[];
extern char tests_bss_start[];
extern char tests_data_end[];

static char *fresh; /* .data as it was; .bss is zeros */

void tap_write(const char *text, size_t bytes)
{
	arch_write(text, bytes);
}

const char *tap_setting(const char *name)
{
	return setting(name);
}

static unsigned unit_apart(unsigned (*run)(const void *), const void *argument)
{
	sim_host_forget();
	memcpy(tests_data_start, fresh, (size_t)(tests_bss_start - tests_data_start));
	memset(tests_bss_start, 0, (size_t)(tests_data_end - tests_bss_start));
	return run(argument);
}

unsigned kernel_run(void)
{
	size_t bytes = (size_t)(tests_bss_start - tests_data_start);

	fresh = early_alloc(bytes + 1, 4096);
	memcpy(fresh, tests_data_start, bytes);
	sim_host_init();
	tap_apart = unit_apart;
	return tap_run(setting("test"));
}

/* One CPU: nobody sends. */
void kernel_interrupted(void)
{
}
