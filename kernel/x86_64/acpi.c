/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - x86-64: CPUs from the MADT, nodes from the SRAT, distances from the SLIT
 *
 * What    Tables are bytes at any alignment; lengths are checked before what they measure.
 */
#include "ashlar/bare.h"
#include "machine.h"
#include "x86.h"

static const uint8_t *at(uint64_t physical)
{
	return (const uint8_t *)(physical + KERNEL_DIRECT);
}

static uint64_t get(const uint8_t *p, unsigned bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | p[bytes];
	return n;
}

static struct cpu *cpu_of(uint64_t id)
{
	for (unsigned i = 0; i < machine.cpus; i++)
		if (machine.cpu[i].hardware == id)
			return &machine.cpu[i];
	return NULL;
}

static void read_madt(const uint8_t *t, uint64_t bytes)
{
	uint64_t boot_id = get(at(0xfee00020), 4) >> 24;

	machine.cpu[0].hardware = boot_id;
	for (uint64_t i = 44; i + 2 <= bytes && t[i + 1] >= 2; i += t[i + 1]) {
		bool usable = t[i] == 0 && t[i + 1] >= 8 && (t[i + 4] & 1);

		if (!usable || t[i + 3] == boot_id || machine.cpus == KERNEL_MAX_CPUS)
			continue;
		machine.cpu[machine.cpus++].hardware = t[i + 3];
	}
}

static void see_node(uint64_t node)
{
	if (node < KERNEL_MAX_NODES && node >= machine.nodes)
		machine.nodes = (unsigned)node + 1;
}

static void read_srat(const uint8_t *t, uint64_t bytes)
{
	for (uint64_t i = 48; i + 2 <= bytes && t[i + 1] >= 2; i += t[i + 1]) {
		const uint8_t *e = t + i;

		if (e[0] == 1 && e[1] >= 40 && (e[28] & 1) && get(e + 2, 4) < KERNEL_MAX_NODES) {
			see_node(get(e + 2, 4));
			ashlar_boot_node(get(e + 8, 8), get(e + 16, 8), (unsigned)get(e + 2, 4));
		}
		if (e[0] == 0 && e[1] >= 16 && (e[4] & 1) && cpu_of(e[3])) {
			see_node(e[2]);
			cpu_of(e[3])->node = e[2] < KERNEL_MAX_NODES ? e[2] : 0;
		}
	}
}

static void read_slit(const uint8_t *t, uint64_t bytes)
{
	uint64_t n = get(t + 36, 8);

	for (uint64_t i = 0; i < n && i < KERNEL_MAX_NODES; i++)
		for (uint64_t j = 0; j < n && j < KERNEL_MAX_NODES; j++)
			if (44 + i * n + j < bytes)
				machine.distance[i][j] = t[44 + i * n + j];
}

static bool is_named(const uint8_t *t, const char *name)
{
	return memcmp(t, name, 4) == 0;
}

/* The SRAT refers to CPUs that the MADT names: it is read after it. */
static void read_tables(uint64_t root, unsigned pointer_bytes)
{
	const uint8_t *r = at(root);
	uint64_t end = get(r + 4, 4);
	static const char *const names[] = { "APIC", "SRAT", "SLIT" };
	static void (*const readers[])(const uint8_t *, uint64_t) = { read_madt, read_srat,
								      read_slit };

	for (unsigned k = 0; k < 3; k++)
		for (uint64_t i = 36; i + pointer_bytes <= end; i += pointer_bytes) {
			const uint8_t *t = at(get(r + i, pointer_bytes));

			if (is_named(t, names[k]))
				readers[k](t, get(t + 4, 4));
		}
}

void acpi_read(uint64_t rsdp)
{
	for (unsigned i = 0; i < KERNEL_MAX_NODES; i++)
		for (unsigned j = 0; j < KERNEL_MAX_NODES; j++)
			machine.distance[i][j] = i == j ? 10 : 20;
	if (!rsdp || memcmp(at(rsdp), "RSD PTR ", 8) != 0)
		return;
	if (at(rsdp)[15] >= 2)
		read_tables(get(at(rsdp) + 24, 8), 8);
	else
		read_tables(get(at(rsdp) + 16, 4), 4);
}
