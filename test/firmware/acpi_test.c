/* SPDX-License-Identifier: MIT */
/*
 * acpi_test.c - kernel/x86_64/acpi.c: tables as they should be, and as nobody should make them
 */
#include "firmware.h"
#include "tap.h"
#include "x86_64/acpi.h"
#include <string.h>

#define RSDP 16u
#define ROOT 64u
#define MADT 256u
#define SRAT 512u
#define SLIT 1024u
#define BYTES 2048u
#define BAD_TABLE "ACPI: a table that is not in memory, or shorter than its header, is not read\n"
#define BAD_ENTRY "ACPI: a table whose entries do not fit is not read to its end\n"

static uint8_t memory[BYTES];

static void put(uint32_t at, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		memory[at + i] = (uint8_t)(n >> 8 * i);
}

static void table(uint32_t at, const char *name, uint32_t bytes)
{
	memcpy(memory + at, name, 4);
	put(at + 4, bytes, 4);
}

/* An entry of a table: adds it to the end, and to the length. Returns where it is. */
static uint32_t entry(uint32_t at, uint8_t type, uint8_t bytes)
{
	uint32_t length = memory[at + 4] + memory[at + 5] * 256u;

	memory[at + length] = type;
	memory[at + length + 1] = bytes;
	put(at + 4, length + bytes, 4);
	return at + length;
}

static void cpu(uint8_t id)
{
	uint32_t e = entry(MADT, 0, 8);

	memory[e + 3] = id;
	memory[e + 4] = 1;
}

static void node(uint64_t start, uint64_t bytes, uint32_t number)
{
	uint32_t e = entry(SRAT, 1, 40);

	put(e + 2, number, 4);
	put(e + 8, start, 8);
	put(e + 16, bytes, 8);
	memory[e + 28] = 1;
}

/* Root, three empty tables. */
static void start(void)
{
	firmware_reset();
	memset(memory, 0, sizeof(memory));
	memcpy(memory + RSDP, "RSD PTR ", 8);
	memory[RSDP + 15] = 2;
	put(RSDP + 24, ROOT, 8);
	table(ROOT, "XSDT", 36 + 24);
	put(ROOT + 36, SRAT, 8);
	put(ROOT + 44, MADT, 8);
	put(ROOT + 52, SLIT, 8);
	table(MADT, "APIC", 44);
	table(SRAT, "SRAT", 48);
	table(SLIT, "SLIT", 44);
}

static void read_up_to(uint32_t bytes)
{
	acpi_read(firmware_guard(memory, bytes), bytes, RSDP, 0);
}

TEST(acpi_cpus_nodes_distances)
{
	uint32_t e;

	start();
	cpu(0);
	cpu(1);
	cpu(5);
	node(0, 0x100000, 0);
	node(0x100000, 0x200000, 1);
	e = entry(SRAT, 0, 16);
	memory[e + 2] = 1;
	memory[e + 3] = 5;
	memory[e + 4] = 1;
	put(SLIT + 36, 2, 8);
	put(SLIT + 4, 48, 4);
	memcpy(memory + SLIT + 44, "\x0a\x15\x16\x0a", 4);
	read_up_to(BYTES);
	EXPECT_TEXT_EQ(firmware.console, "");
	EXPECT_EQ(machine.cpus, 3);
	EXPECT_EQ(machine.cpu[2].hardware, 5);
	EXPECT_EQ(machine.cpu[2].node, 1);
	EXPECT_EQ(machine.nodes, 2);
	EXPECT_EQ(machine.distance[0][1], 0x15);
	EXPECT_EQ(machine.distance[1][0], 0x16);
	EXPECT(firmware_has('n', 0x100000, 0x200000, 1));
}

TEST(acpi_none)
{
	start();
	acpi_read(memory, BYTES, 0, 7);
	EXPECT_EQ(machine.cpu[0].hardware, 7);
	EXPECT_EQ(machine.distance[0][1], 20);
	EXPECT_TEXT_EQ(firmware.console, "");
}

TEST(acpi_no_root_pointer)
{
	static const uint64_t wrong[] = { 17, BYTES - 19, BYTES, UINT64_MAX, UINT64_MAX - 10 };

	for (unsigned i = 0; i < 5; i++) {
		start();
		acpi_read(firmware_guard(memory, BYTES), BYTES, wrong[i], 0);
		EXPECT_TEXT_EQ(firmware.console,
			       "ACPI: there is no root pointer where the firmware says\n");
	}
}

TEST(acpi_tables_that_are_nowhere)
{
	static const uint64_t wrong[] = { BYTES - 35, BYTES, UINT64_C(1) << 52, UINT64_MAX - 3 };

	for (unsigned i = 0; i < 4; i++) {
		start();
		put(RSDP + 24, wrong[i], 8);
		read_up_to(BYTES);
		EXPECT_TEXT_EQ(firmware.console, BAD_TABLE);
		start();
		put(ROOT + 36, wrong[i], 8); /* instead of the SRAT */
		cpu(3);
		read_up_to(BYTES);
		EXPECT_EQ(machine.cpus, 2);
	}
}

TEST(acpi_memory_ends_anywhere)
{
	start();
	cpu(0);
	cpu(1);
	node(0, 0x100000, 1);
	put(SLIT + 36, 2, 8);
	put(SLIT + 4, 48, 4);
	for (uint32_t bytes = 1; bytes < BYTES; bytes += bytes % 5 + 1)
		read_up_to(bytes);
}

TEST(acpi_lengths_of_tables)
{
	static const uint32_t lengths[] = { 0, 35, BYTES, UINT32_MAX };
	static const uint32_t tables[] = { ROOT, MADT, SRAT, SLIT };

	for (unsigned i = 0; i < 16; i++) {
		start();
		put(tables[i / 4] + 4, lengths[i % 4], 4);
		read_up_to(BYTES);
		EXPECT_TEXT_EQ(firmware.console, BAD_TABLE);
	}
}

TEST(acpi_entries_without_length)
{
	start();
	cpu(0);
	entry(MADT, 0, 0);
	put(MADT + 4, 44 + 8 + 8, 4);
	read_up_to(BYTES);
	EXPECT_TEXT_EQ(firmware.console, BAD_ENTRY);
	EXPECT_EQ(machine.cpus, 1);
	start();
	put(SRAT + 4, 48 + 1, 4);
	read_up_to(BYTES);
	EXPECT_TEXT_EQ(firmware.console, BAD_ENTRY);
}

TEST(acpi_entries_longer_than_their_table)
{
	start();
	cpu(0);
	cpu(9);
	put(MADT + 4, 44 + 15, 4);
	read_up_to(BYTES);
	EXPECT_TEXT_EQ(firmware.console, BAD_ENTRY);
	EXPECT_EQ(machine.cpus, 1);
	start();
	node(0, 1 << 20, 1);
	put(SRAT + 4, 48 + 39, 4);
	read_up_to(BYTES);
	EXPECT_TEXT_EQ(firmware.console, BAD_ENTRY);
	EXPECT_EQ(firmware.calls, 0);
}

TEST(acpi_a_cpu_twice_and_too_many)
{
	start();
	for (unsigned i = 0; i < 24; i++)
		cpu((uint8_t)(i / 2));
	read_up_to(BYTES);
	EXPECT_EQ(machine.cpus, 12);
	for (unsigned i = 0; i < 12; i++)
		cpu((uint8_t)(100 + i)); /* over the SRAT, which is not there any more */
	put(ROOT + 36, MADT, 8);
	read_up_to(BYTES);
	EXPECT_EQ(machine.cpus, KERNEL_MAX_CPUS);
}

TEST(acpi_distances_of_too_many_nodes)
{
	static const uint64_t wrong[] = { 3, 0xffff, 0x10000, UINT64_C(1) << 32, UINT64_MAX };

	for (unsigned i = 0; i < 5; i++) {
		start();
		put(SLIT + 4, 48, 4);
		put(SLIT + 36, wrong[i], 8);
		read_up_to(BYTES);
		EXPECT_TEXT_EQ(firmware.console, "ACPI: distances of more nodes than the SLIT has "
						 "room for are not read\n");
		EXPECT_EQ(machine.distance[0][1], 20);
	}
}

TEST(acpi_nodes_that_cannot_be)
{
	start();
	node(0, UINT64_MAX, KERNEL_MAX_NODES);
	node(0, UINT64_MAX, UINT32_MAX);
	node(UINT64_MAX, UINT64_MAX, KERNEL_MAX_NODES - 1);
	read_up_to(BYTES);
	EXPECT_EQ(firmware.calls, 1); /* the boot map knows what to do with it */
	EXPECT_EQ(machine.nodes, KERNEL_MAX_NODES);
}
