/* SPDX-License-Identifier: MIT */
/*
 * node.c - see node.h
 */
#include "page/node.h"
#include "base/check.h"
#include "port/port.h"

struct node_table node_table = { .count = 1 };

static unsigned node_distance(unsigned from, unsigned to)
{
	return node_table.fake ? (from == to ? 10 : 20) : port_node_distance(from, to);
}

/* N1: insertion by distance; who comes later goes behind its equals. */
static void node_sort(unsigned from)
{
	u8 *order = node_table.order[from];

	for (unsigned i = 0; i < node_table.count; i++) {
		unsigned node = (from + i) % node_table.count;
		unsigned at = i;

		for (; at > 1 && node_distance(from, node) < node_distance(from, order[at - 1]);
		     at--)
			order[at] = order[at - 1];
		order[at] = (u8)node;
	}
}

void node_init(unsigned count, unsigned fake)
{
	node_table = (struct node_table){ .count = count };
	if (fake > 1) {
		node_table.fake = true;
		node_table.count = fake < PORT_MAX_NODES ? fake : PORT_MAX_NODES;
		for (unsigned cpu = 0; cpu < PORT_MAX_CPUS; cpu++)
			node_table.of_cpu[cpu] = (u8)(cpu % node_table.count + 1);
	}
	ASSERT(node_table.count >= 1 && node_table.count <= PORT_MAX_NODES);
	for (unsigned n = 0; n < node_table.count; n++)
		node_sort(n);
}

unsigned node_of_cpu_slow(unsigned cpu)
{
	unsigned known = READ_ONCE(node_table.of_cpu[cpu]);
	unsigned node;

	if (known)
		return known - 1;
	node = port_cpu_node(cpu);
	if (node < node_table.count)
		WRITE_ONCE(node_table.of_cpu[cpu], (u8)(node + 1));
	return node < node_table.count ? node : PORT_NODE_UNKNOWN;
}

unsigned node_here_slow(void)
{
	unsigned node = node_of_cpu_slow(port_cpu());

	return node == PORT_NODE_UNKNOWN ? 0 : node;
}
