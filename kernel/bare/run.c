/* SPDX-License-Identifier: MIT */
/*
 * run.c - the bare port: Ashlar takes over the machine, then the cases of this folder run
 *
 * What    Cases run one after the other on a live system, unlike the unit tests.
 * Boot    test=TEXT  cases whose name contains it     ram=KIB  what the machine should have
 *         flat=1     tables in the direct map         rounds=PERCENT  longer or shorter
 *         seed=N     of random tests                  options=...     for the library
 */
#include "bare_test.h"

uint64_t boot_cost;
uint64_t boot_bytes;

void tap_write(const char *text, size_t bytes)
{
	ashlar_host_write(text, bytes);
}

const char *tap_setting(const char *name)
{
	return setting(name);
}

void kernel_interrupted(void)
{
	ashlar_interrupted();
}

static void print_map(void)
{
	uint64_t start;
	uint64_t end;
	unsigned node;

	for (unsigned i = 0; ashlar_boot_range(i, &start, &end, &node); i++) {
		print("# memory ");
		print_hex(start);
		print(" to ");
		print_hex(end);
		print(", node ");
		print_number(node);
		print("\n");
	}
	tap_note_number("KiB of memory", ashlar_boot_total() >> 10);
	tap_note_number("CPUs", machine.cpus);
	tap_note_number("nodes", machine.nodes);
}

unsigned kernel_run(void)
{
	struct ashlar_boot boot = {
		.direct = KERNEL_DIRECT,
		.window = setting_number("flat", 0) ? 0 : KERNEL_TABLES,
		.cpus = machine.cpus,
		.nodes = machine.nodes,
		.random = setting_number("seed", 1),
		.options = setting("options"),
		.dma_end = KERNEL_DMA_END,
		.dma32_end = (uint64_t)4 << 30,
	};

	print_map();
	boot_bytes = ashlar_boot_free();
	boot_cost = cpu_instructions();
	if (!ashlar_boot_start(&boot))
		panic("the library does not start");
	boot_cost = cpu_instructions() - boot_cost;
	boot_bytes -= ashlar_boot_free();
	cpus_start();
	return tap_run(setting("test"));
}
