/* SPDX-License-Identifier: MIT */
/*
 * span.c - see span.h
 */
#include "page/span.h"
#include "page/node.h"
#include "port/port.h"

/* Each node has an equal share, the last one the rest. */
static unsigned span_share(struct span *spans)
{
	unsigned nodes = node_table.count;
	size_t block = size_min(map.align, PAGE_SIZE << MAX_ORDER) >> PAGE_SHIFT;
	size_t share = map.nr_pages / nodes & ~(block - 1);

	for (unsigned n = 0; n < nodes; n++)
		spans[n] = (struct span){ n + 1 == nodes ? map.nr_pages : (n + 1) * share, n };
	return nodes;
}

/* As the machine's memory lies; 0: it lies nowhere yet. */
static unsigned span_follow(struct span *spans)
{
	size_t begin = 0;
	unsigned count = 0;
	unsigned node = 0;

	for (size_t at = 0; at < map.nr_pages && count < SPAN_MAX;) {
		size_t bytes = (map.nr_pages - at) << PAGE_SHIFT;
		size_t end;

		if (!port_node_run(map_address(at), &bytes, &node))
			return 0;
		at += bytes >> PAGE_SHIFT;
		end = at < map.nr_pages ? at & ~(map_grain() - 1) : map.nr_pages;
		if (end == begin)
			continue; /* less than a section: SP2 */
		spans[count++] =
			(struct span){ end, (unsigned)size_min(node, node_table.count - 1) };
		begin = end;
	}
	spans[count - 1].end = map.nr_pages;
	return count;
}

unsigned span_cut(struct span spans[SPAN_MAX])
{
	unsigned count = 0;

	if (node_table.count > 1 && !node_table.fake)
		count = span_follow(spans);
	return count ? count : span_share(spans);
}
