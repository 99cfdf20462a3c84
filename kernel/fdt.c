/* SPDX-License-Identifier: MIT */
/*
 * fdt.c - see fdt.h
 *
 * What    One pass over the structure block, with the properties of the node that is open kept
 *         until it ends. Every length is checked against the block's end: the tree is input.
 *         What is wrong in it is said; what came before it counts.
 * Source  Devicetree Specification 0.4, chapter 5
 */
#include "fdt.h"
#include "ashlar/bare.h"
#include "kernel.h"

#define FDT_MAGIC 0xd00dfeedu
#define FDT_HEADER_BYTES 40u
#define FDT_DEPTH 8u /* of nodes that are looked at */

enum { FDT_BEGIN = 1, FDT_END = 2, FDT_PROP = 3, FDT_NOP = 4, FDT_FINISH = 9 };

/* An open node; values of its properties point into the tree. */
struct fdt_node {
	const char *name;
	const char *type; /* device_type */
	const uint8_t *reg;
	uint32_t reg_bytes;
	uint32_t numa;          /* numa-node-id */
	uint32_t address_cells; /* for its children */
	uint32_t size_cells;
	bool disabled;
};

static struct fdt {
	const uint8_t *tree;
	const uint8_t *at;
	const uint8_t *end;
	const char *strings;
	uint32_t strings_bytes;
	uint64_t boot_hardware;
	uint64_t initrd_start;
	uint64_t initrd_end;
	unsigned depth;
	unsigned below; /* open nodes below the deepest that is looked at */
	bool said_depth;
	bool ended;
	struct fdt_node node[FDT_DEPTH];
} f;

static void say(const char *what)
{
	print("device tree: ");
	print(what);
	print("\n");
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t cells(const uint8_t *p, uint32_t count)
{
	uint64_t n = 0;

	while (count--) {
		n = n << 32 | be32(p);
		p += 4;
	}
	return n;
}

static bool equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Names of nodes have an address behind an @. */
static bool is_called(const char *name, const char *word)
{
	while (*word && *name == *word) {
		name++;
		word++;
	}
	return !*word && (*name == '\0' || *name == '@');
}

static void see_node(uint32_t node)
{
	if (node < KERNEL_MAX_NODES && node >= machine.nodes)
		machine.nodes = node + 1;
}

static void read_distances(const uint8_t *value, uint32_t bytes)
{
	for (uint32_t i = 0; i + 12 <= bytes; i += 12) {
		uint32_t from = be32(value + i);
		uint32_t to = be32(value + i + 4);

		uint32_t distance = be32(value + i + 8);

		if (from < KERNEL_MAX_NODES && to < KERNEL_MAX_NODES && distance <= UINT8_MAX) {
			machine.distance[from][to] = (uint8_t)distance;
			machine.distance[to][from] = (uint8_t)distance;
		}
	}
}

static void read_property(struct fdt_node *n, const char *name, const uint8_t *value,
			  uint32_t bytes)
{
	if (equal(name, "reg")) {
		n->reg = value;
		n->reg_bytes = bytes;
	} else if (equal(name, "device_type") && bytes && value[bytes - 1] == 0) {
		n->type = (const char *)value;
	} else if (equal(name, "numa-node-id") && bytes == 4) {
		n->numa = be32(value);
	} else if (equal(name, "#address-cells") && bytes == 4) {
		n->address_cells = be32(value) > 2 ? 2 : be32(value);
	} else if (equal(name, "#size-cells") && bytes == 4) {
		n->size_cells = be32(value) > 2 ? 2 : be32(value);
	} else if (equal(name, "bootargs") && bytes && value[bytes - 1] == 0) {
		settings_set((const char *)value);
	} else if (equal(name, "linux,initrd-start") && (bytes == 4 || bytes == 8)) {
		f.initrd_start = cells(value, bytes / 4);
	} else if (equal(name, "linux,initrd-end") && (bytes == 4 || bytes == 8)) {
		f.initrd_end = cells(value, bytes / 4);
	} else if (equal(name, "distance-matrix")) {
		read_distances(value, bytes);
	} else if (equal(name, "status") && bytes && value[bytes - 1] == 0) {
		n->disabled = value[0] == 'd';
	}
}

/* Is there a CPU of this id but the boot one? */
static bool is_known(uint64_t hardware)
{
	for (unsigned i = 1; i < machine.cpus; i++)
		if (machine.cpu[i].hardware == hardware)
			return true;
	return false;
}

static void end_cpu(const struct fdt_node *n, const struct fdt_node *parent)
{
	uint64_t hardware = cells(n->reg, parent->address_cells);
	struct cpu *cpu = &machine.cpu[0];

	if (hardware != f.boot_hardware) {
		if (machine.cpus == KERNEL_MAX_CPUS || is_known(hardware))
			return;
		cpu = &machine.cpu[machine.cpus++];
	}
	cpu->hardware = hardware;
	cpu->node = n->numa < KERNEL_MAX_NODES ? n->numa : 0;
	see_node(n->numa);
}

/* The memory of a node that says so; what lies below /reserved-memory is a hole. */
static void end_memory(const struct fdt_node *n, const struct fdt_node *parent, bool reserved)
{
	uint32_t address = parent->address_cells;
	uint32_t step = 4 * (address + parent->size_cells);

	for (uint32_t i = 0; step && i + step <= n->reg_bytes; i += step) {
		uint64_t start = cells(n->reg + i, address);
		uint64_t bytes = cells(n->reg + i + 4 * address, parent->size_cells);

		if (reserved)
			ashlar_boot_take(start, bytes);
		else if (start + bytes < start)
			say("memory that ends behind the last address is not used");
		else
			ashlar_boot_memory(start, bytes, n->numa < KERNEL_MAX_NODES ? n->numa : 0);
	}
	if (!reserved)
		see_node(n->numa);
}

static void end_node(void)
{
	const struct fdt_node *n = &f.node[f.depth - 1];
	const struct fdt_node *parent = n - 1;

	if (f.depth < 2 || !n->reg)
		return;
	if (n->type && equal(n->type, "cpu") && !n->disabled &&
	    n->reg_bytes >= 4 * parent->address_cells)
		end_cpu(n, parent);
	else if (n->type && equal(n->type, "memory"))
		end_memory(n, parent, false);
	else if (is_called(parent->name, "reserved-memory"))
		end_memory(n, parent, true);
}

/* The length of a string with its end, at most @bytes; 0: it has no end. */
static uint32_t string_bytes(const uint8_t *s, uint64_t bytes)
{
	for (uint32_t n = 0; n < bytes; n++)
		if (!s[n])
			return n + 1;
	return 0;
}

static bool begin_node(void)
{
	const char *name = (const char *)f.at;
	uint32_t bytes = string_bytes(f.at, (uint64_t)(f.end - f.at));

	if (!bytes)
		return false;
	f.at += (bytes + 3) & ~3u;
	if (f.depth == FDT_DEPTH) {
		if (!f.said_depth)
			say("nodes below the eighth level are not read");
		f.said_depth = true;
		f.below++;
		return true;
	}
	f.node[f.depth++] = (struct fdt_node){
		.name = name,
		.address_cells = 2,
		.size_cells = 1,
	};
	return true;
}

static bool property(void)
{
	uint32_t bytes;
	uint32_t name;

	if (f.end - f.at < 8)
		return false;
	bytes = be32(f.at);
	name = be32(f.at + 4);
	f.at += 8;
	if (bytes > (uint64_t)(f.end - f.at) || name >= f.strings_bytes ||
	    !string_bytes((const uint8_t *)f.strings + name, f.strings_bytes - name))
		return false;
	if (f.depth && !f.below)
		read_property(&f.node[f.depth - 1], f.strings + name, f.at, bytes);
	f.at += bytes + 3 - (bytes + 3) % 4;
	return true;
}

static bool token(void)
{
	uint32_t what;

	if (f.end - f.at < 4)
		return false;
	what = be32(f.at);
	f.at += 4;
	if (what == FDT_BEGIN)
		return begin_node();
	if (what == FDT_PROP)
		return property();
	if (what == FDT_END && f.below) {
		f.below--;
		return true;
	}
	if (what == FDT_END && f.depth) {
		end_node();
		f.depth--;
		return true;
	}
	f.ended = what == FDT_FINISH && !f.depth;
	return what == FDT_NOP;
}

/* Blocks that were reserved by the header: pairs of 64-bit numbers up to a pair of zeros. */
static void read_reserved(uint32_t offset, uint32_t total)
{
	if (offset < FDT_HEADER_BYTES)
		return;
	for (; offset <= total && total - offset >= 16; offset += 16) {
		uint64_t start = cells(f.tree + offset, 2);
		uint64_t bytes = cells(f.tree + offset + 8, 2);

		if (!start && !bytes)
			return;
		ashlar_boot_take(start, bytes);
	}
}

/* Everybody on node 0 and equally far from each other; the boot CPU alone. */
static void begin_machine(uint64_t boot_hardware)
{
	for (unsigned i = 0; i < KERNEL_MAX_NODES; i++)
		for (unsigned j = 0; j < KERNEL_MAX_NODES; j++)
			machine.distance[i][j] = i == j ? 10 : 20;
	machine.cpus = 1;
	machine.nodes = 1;
	machine.cpu[0].hardware = boot_hardware;
}

bool fdt_read(const void *tree, uint64_t bytes, uint64_t physical, uint64_t boot_hardware)
{
	const uint8_t *t = tree;
	uint32_t total;
	uint32_t structure;
	uint32_t strings;

	if (bytes < FDT_HEADER_BYTES || be32(t) != FDT_MAGIC)
		return false;
	total = be32(t + 4);
	structure = be32(t + 8);
	strings = be32(t + 12);
	if (total > bytes || structure >= total || strings >= total)
		return false;
	f = (struct fdt){
		.tree = t,
		.at = t + structure,
		.end = t + total,
		.strings = (const char *)t + strings,
		.strings_bytes = total - strings,
		.boot_hardware = boot_hardware,
	};
	begin_machine(boot_hardware);
	while (token())
		continue;
	if (!f.ended)
		say("it is damaged, and not read to its end");
	ashlar_boot_take(physical, total);
	if (f.initrd_end > f.initrd_start) {
		ashlar_boot_take(f.initrd_start, f.initrd_end - f.initrd_start);
		machine.initrd = f.initrd_start;
	}
	read_reserved(be32(t + 16), total);
	return true;
}
