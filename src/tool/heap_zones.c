/* SPDX-License-Identifier: MIT */
/*
 * heap_zones.c - the zones of pages, read and printed
 *
 * What    Each zone's figures and its free blocks by order; as the kernel's /proc/zoneinfo and
 *         /proc/buddyinfo have them, and as JSON.
 * See     heap.h for who holds them
 */
#include <inttypes.h>
#include <json-c/json.h>

#include "heap_reader.h"
#include "heap_zones.h"

static const char *heap_zones_name(const struct heap_zone *z)
{
	static const char *const names[] = { "DMA", "DMA32", "Normal" };

	return z->kind < HEAP_KINDS ? names[z->kind] : "?";
}

/* How many orders the library has, from where their counts lie; 0 iff it does not say. */
static unsigned heap_zones_orders(const struct heap_reader *r, uint64_t *step)
{
	uint64_t first = r->a.fields[ASHLAR_ZONE_BLOCKS].offset;
	uint64_t next = r->a.fields[ASHLAR_ZONE_BLOCKS_NEXT].offset;
	uint64_t last = r->a.fields[ASHLAR_ZONE_BLOCKS_LAST].offset;

	*step = next - first;
	if (next <= first || last < next || (last - first) / *step >= HEAP_ORDERS)
		return 0;
	return (unsigned)((last - first) / *step) + 1;
}

void heap_take_zones(struct heap *h, const struct heap_reader *r)
{
	uint64_t step;
	unsigned orders = heap_zones_orders(r, &step);

	h->zones = tool_alloc((r->a.zones.count + 1) * sizeof(h->zones[0]));
	for (size_t i = 0; i < r->a.zones.count; i++) {
		uint64_t at = r->a.zones.address + i * r->a.zones.step;
		uint64_t first = heap_figure(r, at, ASHLAR_ZONE_FIRST);
		uint64_t end = heap_figure(r, at, ASHLAR_ZONE_END);
		struct heap_zone *z = &h->zones[i];

		*z = (struct heap_zone){
			.node = heap_figure(r, at, ASHLAR_ZONE_NODE),
			.kind = heap_figure(r, at, ASHLAR_ZONE_KIND),
			.pages = end > first ? end - first : 0,
			.managed = heap_figure(r, at, ASHLAR_ZONE_MANAGED),
			.free = heap_figure(r, at, ASHLAR_ZONE_FREE),
			.dirty = heap_figure(r, at, ASHLAR_ZONE_DIRTY),
			.min = heap_figure(r, at, ASHLAR_ZONE_MIN),
			.low = heap_figure(r, at, ASHLAR_ZONE_LOW),
			.high = heap_figure(r, at, ASHLAR_ZONE_HIGH),
			.orders = orders,
		};
		for (unsigned k = 0; k < HEAP_KINDS; k++)
			z->reserve[k] = heap_figure(
				r, at, (enum ashlar_field_id)(ASHLAR_ZONE_RESERVE_DMA + k));
		for (unsigned o = 0; o < orders; o++)
			z->blocks[o] = heap_figure(r, at + o * step, ASHLAR_ZONE_BLOCKS);
	}
	h->nr_zones = r->a.zones.count;
}

void heap_zones_print_buddyinfo(FILE *out, const struct heap *h)
{
	for (size_t i = 0; i < h->nr_zones; i++) {
		const struct heap_zone *z = &h->zones[i];

		fprintf(out, "Node %" PRIu64 ", zone %8s ", z->node, heap_zones_name(z));
		for (unsigned o = 0; o < z->orders; o++)
			fprintf(out, "%6" PRIu64 " ", z->blocks[o]);
		fputc('\n', out);
	}
}

void heap_zones_print_zoneinfo(FILE *out, const struct heap *h)
{
	for (size_t i = 0; i < h->nr_zones; i++) {
		const struct heap_zone *z = &h->zones[i];

		fprintf(out, "Node %" PRIu64 ", zone %8s\n", z->node, heap_zones_name(z));
		fprintf(out, "  pages free     %" PRIu64 "\n", z->free);
		fprintf(out, "        min      %" PRIu64 "\n", z->min);
		fprintf(out, "        low      %" PRIu64 "\n", z->low);
		fprintf(out, "        high     %" PRIu64 "\n", z->high);
		fprintf(out, "        spanned  %" PRIu64 "\n", z->pages);
		fprintf(out, "        present  %" PRIu64 "\n", z->managed);
		fprintf(out, "        managed  %" PRIu64 "\n", z->managed);
		fprintf(out, "        protection: (%" PRIu64 ", %" PRIu64 ", %" PRIu64 ")\n",
			z->reserve[0], z->reserve[1], z->reserve[2]);
	}
}

static void heap_zones_json_add(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

struct json_object *heap_zones_json(const struct heap *h)
{
	struct json_object *zones = json_object_new_array();

	for (size_t i = 0; i < h->nr_zones; i++) {
		const struct heap_zone *z = &h->zones[i];
		struct json_object *zone = json_object_new_object();
		struct json_object *blocks = json_object_new_array();

		json_object_object_add(zone, "name", json_object_new_string(heap_zones_name(z)));
		heap_zones_json_add(zone, "node", z->node);
		heap_zones_json_add(zone, "spanned_pages", z->pages);
		heap_zones_json_add(zone, "managed_pages", z->managed);
		heap_zones_json_add(zone, "free_pages", z->free);
		heap_zones_json_add(zone, "dirty_pages", z->dirty);
		heap_zones_json_add(zone, "min_pages", z->min);
		heap_zones_json_add(zone, "low_pages", z->low);
		heap_zones_json_add(zone, "high_pages", z->high);
		for (unsigned o = 0; o < z->orders; o++)
			json_object_array_add(blocks, json_object_new_uint64(z->blocks[o]));
		json_object_object_add(zone, "free_blocks", blocks);
		json_object_array_add(zones, zone);
	}
	return zones;
}
