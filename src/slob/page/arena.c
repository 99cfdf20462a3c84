/* SPDX-License-Identifier: MIT */
/*
 * arena.c - see arena.h
 */
#include "page/arena.h"
#include "page/pages.h"
#include "port/port.h"

/* Up to the next address at which a kind of memory ends; what is before it is of @attributes. */
static size_t arena_kind(size_t at, size_t bytes, u32 *attributes)
{
	for (unsigned kind = 0; kind < 2; kind++) {
		size_t end = port_zone_bytes(kind);

		if (at >= end)
			continue;
		*attributes |= kind ? ZONE_DMA32 : ZONE_DMA | ZONE_DMA32;
		bytes = size_min(bytes, end - at);
	}
	return bytes;
}

/* A run of memory becomes regions, each of one node and one kind. */
static void arena_add(const char *arena, char *start, size_t bytes, unsigned nodes)
{
	while (bytes) {
		u32 attributes = 0;
		size_t piece = arena_kind((size_t)(start - arena), bytes, &attributes);
		unsigned node = 0;

		if (nodes > 1)
			port_node_run(start, &piece, &node);
		pages_add(start, piece, attributes | ZONE_NODE(node));
		start += piece;
		bytes -= piece;
	}
}

bool arena_start(size_t limit, unsigned nodes)
{
	size_t left;
	void *arena;

	if (!port_arena(PAGE_SIZE, &arena, &left))
		return false;
	for (char *at = arena; left && limit;) {
		void *start = at;
		size_t bytes = left;

		if (!port_memory(&start, &bytes, false))
			break;
		bytes = size_min(bytes, limit);
		limit -= bytes;
		port_memory(&start, &bytes, true);
		arena_add(arena, start, bytes, nodes);
		left -= (size_t)((char *)start + bytes - at);
		at = (char *)start + bytes;
	}
	return pages_zones != NULL;
}
