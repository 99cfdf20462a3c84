/* SPDX-License-Identifier: MIT */
/*
 * node.h - which memory is near which CPU
 *
 * What    NUMA nodes 0 .. nodes-1: the node of each CPU, and for each node all nodes by
 *         distance, the order in which an allocation falls back. With fake_numa=N the nodes
 *         are made up and the CPUs dealt out in turn, to try what several nodes do.
 * Rules   N1  order[n] holds every node once, n first, then by distance, and among
 *             equals the next number first, so that neighbours do not all lean on node 0
 *         N2  the node of a CPU never changes once it is known
 */
#ifndef ASHLAR_PAGE_NODE_H
#define ASHLAR_PAGE_NODE_H

#include "base/base.h"

struct node_table {
	unsigned count;                           /* 1 on most machines */
	bool fake;                                /* fake_numa: memory is not bound */
	u8 order[PORT_MAX_NODES][PORT_MAX_NODES]; /* N1 */
	u8 of_cpu[PORT_MAX_CPUS];                 /* number + 1, 0: not known yet (N2) */
};

extern struct node_table node_table internal_data;

/* @count nodes as the port describes them, or, if @fake is above 1, so many made-up ones. */
void node_init(unsigned count, unsigned fake);

unsigned node_of_cpu_slow(unsigned cpu);
unsigned node_here_slow(void);

/* The node of CPU @cpu, on which this thread has just been; PORT_NODE_UNKNOWN iff it moved and
 * the CPU was never seen. */
static inline unsigned node_of_cpu(unsigned cpu)
{
	return node_table.count == 1 ? 0 : node_of_cpu_slow(cpu);
}

/* The node this thread runs on; may be stale when it returns. */
static inline unsigned node_here(void)
{
	return node_table.count == 1 ? 0 : node_here_slow();
}

#endif
