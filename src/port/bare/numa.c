/* SPDX-License-Identifier: MIT */
/*
 * numa.c - NUMA nodes of a bare machine: where memory lies, which CPU is near it
 *
 * What    The boot map says of which node memory is, the kernel how far nodes are from each other
 *         and which CPU is on which (ashlar_host_distance, ashlar_host_cpu_node). A CPU
 *         whose node has no memory is treated as one of the nearest node that has.
 * Rules   BN1 a number of a node past the last one means the last one
 */
#include "percpu.h"
#include "port/bare/bare.h"
#include "port/port.h"

static unsigned bare_node(unsigned node)
{
	return node < bare_boot.nodes ? node : bare_boot.nodes - 1; /* BN1 */
}

/* Memory has its place: there is nothing to ask for. */
bool port_bind(void *start, size_t bytes, unsigned node)
{
	(void)start;
	(void)bytes;
	(void)node;
	return true;
}

bool port_node_run(const void *start, size_t *bytes, unsigned *node)
{
	const struct memblock_list *memory = &bare.map.memory;
	uint64_t from = ashlar_virt_to_phys(start);
	bool found = false;

	for (unsigned i = 0; i < memory->count; i++) {
		const struct memblock_range *r = &memory->range[i];

		if (r->end <= from)
			continue;
		if (r->start - from >= *bytes && r->start > from)
			break;
		if (found && bare_node(r->node) != *node) {
			*bytes = r->start - from;
			break;
		}
		*node = bare_node(r->node);
		found = true;
	}
	return true;
}

unsigned port_node_distance(unsigned from, unsigned to)
{
	unsigned distance = ashlar_host_distance ? ashlar_host_distance(from, to) : 0;

	return distance ? distance : from == to ? 10 : 20;
}

static bool bare_node_has_memory(unsigned node)
{
	for (unsigned i = 0; i < bare.map.memory.count; i++)
		if (bare_node(bare.map.memory.range[i].node) == node)
			return true;
	return false;
}

unsigned port_cpu_node(unsigned cpu)
{
	unsigned node = ashlar_host_cpu_node ? bare_node(ashlar_host_cpu_node(cpu)) : 0;
	unsigned best = node;

	if (bare_node_has_memory(node))
		return node;
	for (unsigned n = 0; n < bare_boot.nodes; n++)
		if (bare_node_has_memory(n) &&
		    (best == node || port_node_distance(node, n) < port_node_distance(node, best)))
			best = n;
	return best;
}
