/* SPDX-License-Identifier: MIT */
/*
 * fdt_test.c - kernel/fdt.c: device trees as they should be, and as nobody should make them
 */
#include "fdt.h"
#include "firmware.h"
#include "tap.h"
#include <string.h>

#define HEADER 40u
#define STRINGS 512u /* where they are */
#define PHYSICAL UINT64_C(0x80000000)

/* A tree that is being written: header, reserved blocks, structure, strings at STRINGS. */
static struct {
	uint8_t bytes[8192];
	uint32_t structure;
	uint32_t end;
	uint32_t strings_end;
} tree;

static void put(uint32_t at, uint32_t n)
{
	tree.bytes[at] = (uint8_t)(n >> 24);
	tree.bytes[at + 1] = (uint8_t)(n >> 16);
	tree.bytes[at + 2] = (uint8_t)(n >> 8);
	tree.bytes[at + 3] = (uint8_t)n;
}

static void word(uint32_t n)
{
	put(tree.end, n);
	tree.end += 4;
}

static void text(const char *s)
{
	uint32_t bytes = (uint32_t)strlen(s) + 1;

	memcpy(tree.bytes + tree.end, s, bytes);
	tree.end += (bytes + 3) & ~3u;
}

static void begin(const char *name)
{
	word(1);
	text(name);
}

static void end(void)
{
	word(2);
}

/* A property; its value is written by the caller, @bytes long. */
static void property(const char *name, uint32_t bytes)
{
	word(3);
	word(bytes);
	word(tree.strings_end - STRINGS);
	strcpy((char *)tree.bytes + tree.strings_end, name);
	tree.strings_end += (uint32_t)strlen(name) + 1;
}

static void number(const char *name, uint32_t n)
{
	property(name, 4);
	word(n);
}

static void string(const char *name, const char *value)
{
	property(name, (uint32_t)strlen(value) + 1);
	text(value);
}

static void reg(uint64_t start, uint64_t bytes)
{
	property("reg", 16);
	word((uint32_t)(start >> 32));
	word((uint32_t)start);
	word((uint32_t)(bytes >> 32));
	word((uint32_t)bytes);
}

static void memory(uint64_t start, uint64_t bytes)
{
	begin("memory@0");
	string("device_type", "memory");
	reg(start, bytes);
	end();
}

/* The root is open, with two cells each; the structure lies behind the strings. */
static void start(void)
{
	firmware_reset();
	memset(&tree, 0, sizeof(tree));
	tree.strings_end = STRINGS;
	tree.structure = tree.end = 2048;
	begin("");
	number("#address-cells", 2);
	number("#size-cells", 2);
}

static void header(uint32_t total)
{
	put(0, 0xd00dfeed);
	put(4, total);
	put(8, tree.structure);
	put(12, STRINGS);
	put(16, HEADER);
}

/* Read it as it is; @total is what the header says. */
static bool is_read(uint32_t total)
{
	header(total);
	return fdt_read(firmware_guard(tree.bytes, tree.end), tree.end, PHYSICAL, 0);
}

/* Close the root and read. */
static bool finish(void)
{
	end();
	word(9);
	return is_read(tree.end);
}

TEST(fdt_memory_cpus_nodes)
{
	start();
	begin("chosen");
	string("bootargs", "a=1 b=2");
	property("linux,initrd-start", 4);
	word(0x88000000);
	property("linux,initrd-end", 8);
	word(0);
	word(0x88001000);
	end();
	begin("cpus");
	number("#address-cells", 1);
	number("#size-cells", 0);
	for (uint32_t i = 0; i < 3; i++) {
		begin("cpu@0");
		string("device_type", "cpu");
		number("reg", i);
		number("numa-node-id", i);
		end();
	}
	end();
	begin("distance-map");
	property("distance-matrix", 12);
	word(0);
	word(1);
	word(40);
	end();
	memory(PHYSICAL, 64 << 20);
	begin("reserved-memory");
	number("#address-cells", 2);
	number("#size-cells", 2);
	begin("firmware@0");
	reg(PHYSICAL, 0x80000);
	end();
	end();
	REQUIRE(finish());
	EXPECT_TEXT_EQ(firmware.console, "");
	EXPECT_TEXT_EQ(firmware.settings, "a=1 b=2");
	EXPECT_EQ(machine.cpus, 3);
	EXPECT_EQ(machine.nodes, 3);
	EXPECT_EQ(machine.cpu[2].node, 2);
	EXPECT_EQ(machine.distance[1][0], 40);
	EXPECT_EQ(machine.initrd, 0x88000000);
	EXPECT(firmware_has('m', PHYSICAL, 64 << 20, 0));
	EXPECT(firmware_has('t', PHYSICAL, 0x80000, 0));
	EXPECT(firmware_has('t', PHYSICAL, tree.end, 0));
	EXPECT(firmware_has('t', 0x88000000, 0x1000, 0));
}

TEST(fdt_not_a_tree)
{
	start();
	end();
	word(9);
	EXPECT(!is_read(tree.end + 1)); /* larger than what may be read */
	EXPECT(!is_read(tree.structure));
	header(tree.end);
	put(0, 0xd00dfeee);
	EXPECT(!fdt_read(firmware_guard(tree.bytes, tree.end), tree.end, PHYSICAL, 0));
	header(tree.end);
	put(12, tree.end);
	EXPECT(!fdt_read(firmware_guard(tree.bytes, tree.end), tree.end, PHYSICAL, 0));
	header(HEADER - 1);
	EXPECT(!fdt_read(firmware_guard(tree.bytes, HEADER - 1), HEADER - 1, PHYSICAL, 0));
	EXPECT_EQ(firmware.calls, 0);
}

TEST(fdt_cut_off_anywhere)
{
	uint32_t whole;

	start();
	memory(PHYSICAL, 64 << 20);
	end();
	word(9);
	whole = tree.end;
	for (uint32_t total = tree.structure + 1; total < whole; total++) {
		firmware_reset();
		tree.end = total;
		EXPECT(is_read(total));
		EXPECT_TEXT_EQ(firmware.console,
			       "device tree: it is damaged, and not read to its end\n");
		EXPECT(firmware_has('t', PHYSICAL, total, 0));
	}
}

TEST(fdt_a_length_behind_the_end)
{
	static const uint32_t lengths[] = { 0xffffffff, 0xfffffffc, 0x80000000, 8192 };

	for (unsigned i = 0; i < 4; i++) {
		start();
		property("reg", lengths[i]);
		REQUIRE(finish());
		EXPECT(firmware_says("device tree: it is damaged"));
	}
}

TEST(fdt_a_name_that_is_none)
{
	start();
	number("reg", 1);
	put(tree.end - 8, 0xfffffff0);
	REQUIRE(finish());
	EXPECT(firmware_says("device tree: it is damaged"));
}

TEST(fdt_deeper_than_it_is_looked_at)
{
	start();
	for (unsigned i = 0; i < 40; i++) {
		begin("deep");
		string("device_type", "memory");
		reg(i, 1);
	}
	for (unsigned i = 0; i < 40; i++)
		end();
	memory(PHYSICAL, 64 << 20);
	REQUIRE(finish());
	EXPECT_TEXT_EQ(firmware.console,
		       "device tree: nodes below the eighth level are not read\n");
	EXPECT(firmware_has('m', PHYSICAL, 64 << 20, 0));
	EXPECT_EQ(firmware.calls, 9); /* 7 below the root, the memory, the tree itself */
}

TEST(fdt_memory_that_wraps)
{
	start();
	memory(PHYSICAL, UINT64_MAX - 0x1000);
	memory(0x1000, 0x1000);
	begin("reserved-memory");
	number("#address-cells", 2);
	number("#size-cells", 2);
	begin("rest");
	reg(UINT64_MAX - 0xfff, UINT64_MAX);
	end();
	end();
	REQUIRE(finish());
	EXPECT_TEXT_EQ(firmware.console, "device tree: memory that ends behind the last address "
					 "is not used\n");
	EXPECT(firmware_has('m', 0x1000, 0x1000, 0));
	EXPECT(firmware_has('t', UINT64_MAX - 0xfff, UINT64_MAX, 0)); /* the map ends it */
	EXPECT_EQ(firmware.calls, 3);
}

TEST(fdt_cells_of_any_number)
{
	for (uint32_t n = 0; n < 5; n++) {
		start();
		number("#address-cells", n);
		number("#size-cells", n == 4 ? UINT32_MAX : 4 - n);
		memory(PHYSICAL, 64 << 20);
		REQUIRE(finish());
	}
}

TEST(fdt_a_cpu_twice_and_too_many)
{
	start();
	begin("cpus");
	number("#address-cells", 1);
	for (uint32_t i = 0; i < 3 * KERNEL_MAX_CPUS; i++) {
		begin("cpu@0");
		string("device_type", "cpu");
		number("reg", i / 2);
		number("numa-node-id", 0xffffffff);
		end();
	}
	end();
	REQUIRE(finish());
	EXPECT_EQ(machine.cpus, KERNEL_MAX_CPUS);
	EXPECT_EQ(machine.nodes, 1);
	for (uint32_t i = 0; i < machine.cpus; i++) {
		EXPECT_EQ(machine.cpu[i].hardware, i);
		EXPECT_EQ(machine.cpu[i].node, 0);
	}
}

TEST(fdt_reserved_blocks_without_an_end)
{
	start();
	end();
	word(9);
	header(tree.end);
	put(16, 8); /* inside the header */
	REQUIRE(fdt_read(firmware_guard(tree.bytes, tree.end), tree.end, PHYSICAL, 0));
	EXPECT_EQ(firmware.calls, 1);
	header(tree.end);
	put(16, tree.structure);
	REQUIRE(fdt_read(firmware_guard(tree.bytes, tree.end), tree.end, PHYSICAL, 0));
	put(16, 0xfffffff8);
	REQUIRE(fdt_read(firmware_guard(tree.bytes, tree.end), tree.end, PHYSICAL, 0));
}

TEST(fdt_ends_that_close_nothing)
{
	start();
	end();
	end();
	memory(PHYSICAL, 64 << 20);
	REQUIRE(finish());
	EXPECT(firmware_says("device tree: it is damaged"));
}

TEST(fdt_an_end_inside_a_node)
{
	start();
	begin("open");
	word(9);
	REQUIRE(is_read(tree.end));
	EXPECT(firmware_says("device tree: it is damaged"));
}
