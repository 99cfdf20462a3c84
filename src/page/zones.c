/* SPDX-License-Identifier: MIT */
/*
 * zones.c - see zones.h
 */
#include "page/zones.h"
#include "base/check.h"
#include "page/node.h"
#include "page/span.h"
#include "page/zone.h"
#include "port/port.h"

struct zones zones;

/* First page behind memory of this kind and all lower ones, in whole steps of growth. */
static size_t zones_kind_end(enum zone_kind kind)
{
	size_t pages;

	if (kind == ZONE_NORMAL)
		return map.nr_pages;
	pages = port_zone_bytes(kind) >> PAGE_SHIFT & ~(map_grain() - 1);
	return size_min(pages, map.nr_pages);
}

bool zones_are_several(void)
{
	return node_table.count > 1 || port_zone_bytes(ZONE_DMA) || port_zone_bytes(ZONE_DMA32);
}

/* A node's zones of a kind are a chain, upwards. */
static void zones_add(unsigned node, enum zone_kind kind, size_t first, size_t end)
{
	struct zone *z = &zones.of[zones.count];
	u8 *link = &zones.at[node][kind];

	ASSERT(zones.count < MAX_ZONES);
	while (*link)
		link = &zones.of[*link - 1].next;
	zone_init(z, zones.count, node, first, end);
	z->kind = (u8)kind;
	zones.home[node] = z;
	*link = (u8)++zones.count;
	for (unsigned k = kind; k < NR_ZONE_KINDS; k++)
		zones.has[k] = true;
}

/* One node's pages [first, end), cut where a kind ends. */
static void zones_add_span(unsigned node, size_t first, size_t end)
{
	for (unsigned kind = 0; kind < NR_ZONE_KINDS; kind++) {
		size_t to = size_min(zones_kind_end((enum zone_kind)kind), end);

		if (to <= first)
			continue;
		zones_add(node, (enum zone_kind)kind, first, to);
		first = to;
	}
}

void zones_init(void)
{
	struct span spans[SPAN_MAX];
	unsigned count = span_cut(spans);

	zones.count = 0;
	for (unsigned n = 0; n < PORT_MAX_NODES; n++) {
		zones.home[n] = NULL;
		for (unsigned kind = 0; kind < NR_ZONE_KINDS; kind++)
			zones.at[n][kind] = 0;
	}
	for (unsigned kind = 0; kind < NR_ZONE_KINDS; kind++)
		zones.has[kind] = false;
	for (unsigned i = 0; i < count; i++)
		zones_add_span(spans[i].node, i ? spans[i - 1].end : 0, spans[i].end);
}

struct zone *zones_of_slow(size_t pfn)
{
	unsigned i = 0;

	while (i + 1 < zones.count && pfn >= zones.of[i].end_pfn)
		i++;
	return &zones.of[i];
}

/* Of a zone's pages, what a request of @kind has to leave because it has had all of @above. */
static size_t zones_keep(const struct zone *z, enum zone_kind kind)
{
	static const u16 ratio[NR_ZONE_KINDS] = CONFIG_LOWMEM_RATIO;
	size_t above = 0;

	for (unsigned i = 0; i < zones.count; i++)
		if (zones.of[i].kind > z->kind && zones.of[i].kind <= kind)
			above += READ_ONCE(zones.of[i].managed_pages);
	return above / ratio[z->kind];
}

void zones_set_reserves(void)
{
	if (zones.count == 1)
		return;
	for (unsigned i = 0; i < zones.count; i++)
		for (unsigned kind = 0; kind < NR_ZONE_KINDS; kind++)
			WRITE_ONCE(zones.of[i].lowmem_reserve[kind],
				   zones_keep(&zones.of[i], (enum zone_kind)kind));
}

size_t zones_audit(void)
{
	size_t faults = 0;
	size_t next = 0;

	for (unsigned i = 0; i < zones.count; i++) {
		faults += zones.of[i].first_pfn != next; /* ZK4 */
		next = zones.of[i].end_pfn;
		faults += zone_audit(&zones.of[i]);
	}
	return faults + (next != map.nr_pages); /* ZK4 */
}
