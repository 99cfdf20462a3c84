/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - x86-64: CPUs from the MADT, nodes from the SRAT, distances from the SLIT
 *
 * What    Tables are bytes at any alignment, and input: each address and length is checked before
 *         what it says is read. What is wrong is said.
 * Source  ACPI Specification 6.5, 5.2
 */
#include "acpi.h"
#include "ashlar/bare.h"
#include "kernel.h"

#define HEADER_BYTES 36u

static struct {
	const uint8_t *memory;
	uint64_t bytes; /* of it */
} acpi;

static void say(const char *what)
{
	print("ACPI: ");
	print(what);
	print("\n");
}

/* NULL iff not all of it may be read. */
static const uint8_t *at(uint64_t physical, uint64_t bytes)
{
	bool is_inside = bytes <= acpi.bytes && physical <= acpi.bytes - bytes;

	return is_inside ? acpi.memory + physical : NULL;
}

static uint64_t get(const uint8_t *p, unsigned bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | p[bytes];
	return n;
}

/* The table at @physical with all that its header says; NULL iff there is none. */
static const uint8_t *table_at(uint64_t physical, uint64_t *bytes)
{
	const uint8_t *t = at(physical, HEADER_BYTES);

	*bytes = t ? get(t + 4, 4) : 0;
	if (*bytes >= HEADER_BYTES && at(physical, *bytes))
		return t;
	say("a table that is not in memory, or shorter than its header, is not read");
	return NULL;
}

static struct cpu *cpu_of(uint64_t id)
{
	for (unsigned i = 0; i < machine.cpus; i++)
		if (machine.cpu[i].hardware == id)
			return &machine.cpu[i];
	return NULL;
}

/* Entries are a type, a length and the rest. Does one begin at @i, with all of its length? */
static bool has_entry(const uint8_t *t, uint64_t bytes, uint64_t i)
{
	if (i >= bytes)
		return false;
	if (bytes - i >= 2 && t[i + 1] >= 2 && t[i + 1] <= bytes - i)
		return true;
	say("a table whose entries do not fit is not read to its end");
	return false;
}

static void read_madt(const uint8_t *t, uint64_t bytes)
{
	for (uint64_t i = 44; has_entry(t, bytes, i); i += t[i + 1]) {
		bool usable = t[i] == 0 && t[i + 1] >= 8 && (t[i + 4] & 1);

		if (!usable || cpu_of(t[i + 3]) || machine.cpus == KERNEL_MAX_CPUS)
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
	for (uint64_t i = 48; has_entry(t, bytes, i); i += t[i + 1]) {
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
	uint64_t n = bytes >= 44 ? get(t + 36, 8) : 0;

	if (n > UINT16_MAX || 44 + n * n > bytes) {
		say("distances of more nodes than the SLIT has room for are not read");
		return;
	}
	for (uint64_t i = 0; i < n && i < KERNEL_MAX_NODES; i++)
		for (uint64_t j = 0; j < n && j < KERNEL_MAX_NODES; j++)
			machine.distance[i][j] = t[44 + i * n + j];
}

static bool is_named(const uint8_t *t, const char *name)
{
	return memcmp(t, name, 4) == 0;
}

/* The SRAT refers to CPUs that the MADT names: it is read after it. */
static void read_tables(uint64_t root, unsigned pointer_bytes)
{
	uint64_t end;
	const uint8_t *r = table_at(root, &end);
	static const char *const names[] = { "APIC", "SRAT", "SLIT" };
	static void (*const readers[])(const uint8_t *, uint64_t) = { read_madt, read_srat,
								      read_slit };

	for (unsigned k = 0; r && k < 3; k++)
		for (uint64_t i = HEADER_BYTES; i + pointer_bytes <= end; i += pointer_bytes) {
			uint64_t physical = get(r + i, pointer_bytes);
			const uint8_t *t = at(physical, 4);
			uint64_t bytes;

			if (t && is_named(t, names[k]) && table_at(physical, &bytes))
				readers[k](t, bytes);
		}
}

void acpi_read(const void *memory, uint64_t bytes, uint64_t rsdp, uint64_t boot_id)
{
	const uint8_t *p;

	acpi.memory = memory;
	acpi.bytes = bytes;
	machine.cpu[0].hardware = boot_id;
	for (unsigned i = 0; i < KERNEL_MAX_NODES; i++)
		for (unsigned j = 0; j < KERNEL_MAX_NODES; j++)
			machine.distance[i][j] = i == j ? 10 : 20;
	if (!rsdp)
		return;
	p = at(rsdp, 20);
	if (!p || memcmp(p, "RSD PTR ", 8) != 0)
		say("there is no root pointer where the firmware says");
	else if (p[15] < 2)
		read_tables(get(p + 16, 4), 4);
	else if (at(rsdp, HEADER_BYTES))
		read_tables(get(p + 24, 8), 8);
}
