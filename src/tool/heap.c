/* SPDX-License-Identifier: MIT */
/*
 * heap.c - see heap.h
 *
 * Rules   HP1  every number is as far as it goes: sums never wrap, differences never go
 *              below 0, however wild the input
 *         HP2  text has an end and only characters that a terminal can show
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "heap.h"
#include "heap_reader.h"
#include "target.h"

#define HEAP_ROWS_MAX 65536u
#define HEAP_TABLE_MAX 65536u  /* entries of any table in a process */
#define HEAP_STRUCT_MAX 65536u /* bytes of any structure in a process */

static uint64_t heap_minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

uint64_t heap_times(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t heap_plus(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* HP2 */
static void heap_clean_text(char *text, size_t bytes)
{
	text[bytes - 1] = '\0';
	tool_clean(text);
}

uint64_t heap_row_total(const struct ashlar_row *r)
{
	return heap_plus(heap_times(r->slabs, r->objects), r->objects_guarded);
}

uint64_t heap_row_parked(const struct ashlar_row *r)
{
	return heap_plus(heap_plus(r->objects_array, r->objects_shared), r->objects_pending);
}

uint64_t heap_row_used(const struct ashlar_row *r)
{
	return heap_minus(heap_row_total(r), heap_plus(r->objects_free, heap_row_parked(r)));
}

uint64_t heap_slab_bytes(const struct heap *h, const struct ashlar_row *r)
{
	if (r->kind == ASHLAR_ROW_INSIDE)
		return r->stride;
	return heap_times(h->page_bytes, (uint64_t)1 << (r->order & 31));
}

bool heap_row_is_ours(const struct ashlar_row *r)
{
	return r->flags & ASHLAR_FLAG_OWN;
}

void heap_add(uint64_t *sum, uint64_t n, uint64_t each)
{
	*sum = heap_plus(*sum, heap_times(n, each));
}

static void heap_sum(struct heap *h)
{
	struct heap_sums *s = &h->sums;
	uint64_t known;

	for (size_t i = 0; i < h->nr_rows; i++) {
		const struct ashlar_row *r = &h->rows[i];
		uint64_t slab = heap_slab_bytes(h, r);

		if (r->kind == ASHLAR_ROW_INSIDE) {
			heap_add(&s->objects, heap_row_used(r), 1);
			continue; /* the row of all slob pages has the rest */
		}
		if (r->kind == ASHLAR_ROW_UNITS) {
			heap_add(&s->live, heap_row_used(r), r->stride);
		} else if (heap_row_is_ours(r)) {
			heap_add(&s->tables, heap_row_used(r), r->stride);
		} else {
			heap_add(&s->objects, heap_row_used(r), 1);
			heap_add(&s->live, heap_row_used(r), r->stride);
		}
		heap_add(&s->slabs, r->slabs, slab);
		heap_add(&s->idle, r->objects_free, r->stride);
		heap_add(&s->arrays, heap_row_parked(r), r->stride);
		heap_add(&s->waste, r->slabs, heap_minus(slab, heap_times(r->objects, r->stride)));
	}
	s->large = heap_plus(h->pages.runs, h->pages.mappings);
	s->live = heap_plus(s->live, s->large);
	s->lists = heap_plus(heap_plus(h->pages.dirty, h->pages.pcp), h->pages.kept);
	known = heap_plus(heap_plus(h->pages.free, h->pages.pcp),
			  heap_plus(s->slabs, h->pages.runs));
	s->tables = heap_plus(s->tables, heap_minus(h->pages.online, known));
}

void heap_free(struct heap *h)
{
	free(h->groups);
	h->groups = NULL;
	h->nr_groups = 0;
	free(h->zones);
	h->zones = NULL;
	h->nr_zones = 0;
	free(h->rows);
	h->rows = NULL;
	h->nr_rows = 0;
}

/* ---- from a record ------------------------------------------------------------------ */

static bool heap_check_record(const struct ashlar_record *r, uint64_t file_bytes)
{
	return r->magic == ASHLAR_RECORD_MAGIC && r->version == ASHLAR_ANCHOR_VERSION &&
	       r->bytes == sizeof(*r) && r->row_bytes == sizeof(struct ashlar_row) &&
	       (file_bytes - r->bytes) % r->row_bytes == 0 &&
	       (file_bytes - r->bytes) / r->row_bytes <= HEAP_ROWS_MAX;
}

static void heap_take_record(struct heap *h, const struct ashlar_record *r)
{
	*h = (struct heap){
		.pid = r->pid,
		.parent = r->parent,
		.cpus = r->cpus,
		.audited = r->audited,
		.ended = true,
		.page_bytes = r->page_bytes,
		.rss_peak = r->rss_peak,
		.user_us = r->user_us,
		.system_us = r->system_us,
		.pages = r->pages,
	};
	memcpy(h->events, r->events, sizeof(h->events));
	memcpy(h->percpu, r->percpu, sizeof(h->percpu));
	memcpy(h->why, r->why, sizeof(h->why));
	memcpy(h->message, r->message, sizeof(h->message));
	memcpy(h->command, r->command, sizeof(h->command));
	heap_clean_text(h->percpu, sizeof(h->percpu));
	heap_clean_text(h->why, sizeof(h->why));
	heap_clean_text(h->message, sizeof(h->message));
	heap_clean_text(h->command, sizeof(h->command));
}

static bool heap_read_bytes(int fd, void *to, size_t bytes)
{
	char *at = to;

	while (bytes) {
		ssize_t n = read(fd, at, bytes);

		if (n <= 0)
			return false;
		at += n;
		bytes -= (size_t)n;
	}
	return true;
}

static bool heap_read_record_rows(struct heap *h, int fd, size_t rows)
{
	h->rows = tool_alloc((rows + 1) * sizeof(h->rows[0]));
	h->nr_rows = rows;
	if (!heap_read_bytes(fd, h->rows, rows * sizeof(h->rows[0]))) {
		heap_free(h);
		return false;
	}
	for (size_t i = 0; i < rows; i++)
		heap_clean_text(h->rows[i].name, sizeof(h->rows[i].name));
	heap_sum(h);
	return true;
}

bool heap_read_record(struct heap *h, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct ashlar_record r;
	struct stat st;
	bool good;

	if (fd < 0)
		return false;
	good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size >= sizeof(r) &&
	       heap_read_bytes(fd, &r, sizeof(r)) && heap_check_record(&r, (uint64_t)st.st_size);
	if (good) {
		heap_take_record(h, &r);
		good = heap_read_record_rows(
			h, fd, ((size_t)st.st_size - sizeof(r)) / sizeof(struct ashlar_row));
	}
	close(fd);
	return good;
}

/* ---- from memory -------------------------------------------------------------------- */

uint64_t heap_field(const struct heap_reader *r, const unsigned char *p, size_t bytes,
		    enum ashlar_field_id id)
{
	const struct ashlar_field *f = &r->a.fields[id];
	uint64_t n = 0;

	if (f->bytes > sizeof(n) || (size_t)f->offset + f->bytes > bytes)
		return 0;
	memcpy(&n, p + f->offset, f->bytes);
	return n;
}

uint64_t heap_figure(const struct heap_reader *r, uint64_t address, enum ashlar_field_id id)
{
	const struct ashlar_field *f = &r->a.fields[id];
	uint64_t n = 0;

	if (f->bytes > sizeof(n) || !target_read(r->t, address + f->offset, &n, f->bytes))
		return 0;
	return n;
}

uint64_t heap_pointer(const struct heap_reader *r, const struct ashlar_table *t, size_t i)
{
	uint64_t p = 0;

	if (!target_read(r->t, t->address + i * t->step, &p, sizeof(p)))
		return 0;
	return p;
}

static bool heap_table_is_sane(const struct ashlar_table *t)
{
	return t->count <= HEAP_TABLE_MAX && t->step > 0 && t->step <= HEAP_STRUCT_MAX;
}

static bool heap_anchor_is_sane(const struct ashlar_anchor *a)
{
	return a->state == ASHLAR_STATE_SERVING && a->bytes >= sizeof(*a) &&
	       a->nr_fields >= ASHLAR_FIELDS && heap_table_is_sane(&a->nodes) &&
	       heap_table_is_sane(&a->regions) && heap_table_is_sane(&a->zones) &&
	       heap_table_is_sane(&a->pcps) && a->header_bytes > 0 && a->header_bytes <= 256 &&
	       a->page_bytes >= 1024 && a->page_bytes <= (1u << 20) &&
	       a->node_bytes <= HEAP_STRUCT_MAX && a->cache_bytes <= HEAP_STRUCT_MAX &&
	       a->zone_bytes <= HEAP_STRUCT_MAX && heap_table_is_sane(&a->groups) &&
	       a->group_bytes <= HEAP_STRUCT_MAX;
}

void heap_take_name(const struct heap_reader *r, const unsigned char *cache, struct ashlar_row *row)
{
	const struct ashlar_field *f = &r->a.fields[ASHLAR_CACHE_NAME];
	size_t bytes = f->bytes < sizeof(row->name) ? f->bytes : sizeof(row->name);

	if ((size_t)f->offset + bytes <= r->a.cache_bytes)
		memcpy(row->name, cache + f->offset, bytes);
	heap_clean_text(row->name, sizeof(row->name));
}

/* The cache and node structures, into a row; returns where the cache is, 0 where there is none (any
 * more). */
static uint64_t heap_take_row(const struct heap_reader *r, size_t id, struct ashlar_row *row)
{
	uint64_t address = heap_pointer(r, &r->a.nodes, id);
	size_t nb = r->a.node_bytes;
	size_t cb = r->a.cache_bytes;
	unsigned char *node = tool_alloc(nb + cb + 1);
	unsigned char *cache = node + nb;
	bool found = address && target_read(r->t, address, node, nb);
	uint64_t owner = found ? heap_field(r, node, nb, ASHLAR_NODE_CACHE) : 0;
	bool good = owner && target_read(r->t, owner, cache, cb) &&
		    heap_field(r, node, nb, ASHLAR_NODE_HEADER_OFFSET) == id * r->a.header_bytes;

	if (good) {
		*row = (struct ashlar_row){
			.slabs = heap_field(r, node, nb, ASHLAR_NODE_SLABS),
			.slabs_peak = heap_field(r, node, nb, ASHLAR_NODE_SLABS_PEAK),
			.slabs_empty = heap_field(r, node, nb, ASHLAR_NODE_SLABS_EMPTY),
			.slabs_grown = heap_field(r, node, nb, ASHLAR_NODE_SLABS_GROWN),
			.objects_free = heap_field(r, node, nb, ASHLAR_NODE_OBJECTS_FREE),
			.objects_shared = heap_field(r, node, nb, ASHLAR_NODE_SHARED_AVAIL),
			.object_size = (uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_OBJECT_SIZE),
			.stride = (uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_STRIDE),
			.objects = (uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_OBJECTS),
			.order = (uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_ORDER),
			.align = (uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_ALIGN),
			.limit = (uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_LIMIT),
			.batchcount = (uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_BATCHCOUNT),
			.shared_factor =
				(uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_SHARED_FACTOR),
			.slabs_full = heap_field(r, node, nb, ASHLAR_NODE_SLABS_FULL),
			.ctor = heap_field(r, cache, cb, ASHLAR_CACHE_CTOR),
			.flags = (uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_FLAGS),
			.debug = (uint32_t)heap_field(r, cache, cb, ASHLAR_CACHE_DEBUG),
			.taken = heap_field(r, node, nb, ASHLAR_NODE_TAKEN),
			.taken_peak = heap_field(r, node, nb, ASHLAR_NODE_TAKEN_PEAK),
			.free_peak = heap_field(r, node, nb, ASHLAR_NODE_FREE_PEAK),
			.counted = heap_field(r, cache, cb, ASHLAR_CACHE_COUNTED),
			.alloc_hit = heap_field(r, cache, cb, ASHLAR_CACHE_ALLOC_HIT),
			.alloc_miss = heap_field(r, cache, cb, ASHLAR_CACHE_ALLOC_MISS),
			.free_hit = heap_field(r, cache, cb, ASHLAR_CACHE_FREE_HIT),
			.free_miss = heap_field(r, cache, cb, ASHLAR_CACHE_FREE_MISS),
			.errors = heap_field(r, cache, cb, ASHLAR_CACHE_ERRORS),
			.far_allocs = heap_field(r, cache, cb, ASHLAR_CACHE_FAR_ALLOCS),
			.far_frees = heap_field(r, cache, cb, ASHLAR_CACHE_FAR_FREES),
			.overflows = heap_field(r, cache, cb, ASHLAR_CACHE_OVERFLOWS),
			.objects_pending = heap_field(r, node, nb, ASHLAR_NODE_PENDING),
			.objects_guarded = heap_field(r, cache, cb, ASHLAR_CACHE_GUARDED),
		};
		heap_take_name(r, cache, row);
	}
	free(node);
	return good ? owner : 0;
}

/* A cache on a further NUMA node: into the row that it has already. */
static void heap_add_node(struct ashlar_row *row, const struct ashlar_row *node)
{
	heap_add(&row->slabs, node->slabs, 1);
	heap_add(&row->slabs_peak, node->slabs_peak, 1);
	heap_add(&row->slabs_empty, node->slabs_empty, 1);
	heap_add(&row->slabs_grown, node->slabs_grown, 1);
	heap_add(&row->objects_free, node->objects_free, 1);
	heap_add(&row->objects_shared, node->objects_shared, 1);
	heap_add(&row->objects_pending, node->objects_pending, 1);
}

/* All caches; rows[id] is the number of the id's row, counted from 1. A cache has as many ids as
 * there are NUMA nodes, one after the other. */
static void heap_take_rows(struct heap *h, const struct heap_reader *r, uint32_t *rows)
{
	uint64_t before = 0;

	h->rows = tool_alloc((r->a.nodes.count + 1) * sizeof(h->rows[0]));
	for (size_t id = 1; id < r->a.nodes.count; id++) {
		struct ashlar_row *row = &h->rows[h->nr_rows];
		uint64_t cache = heap_take_row(r, id, row);

		if (cache && cache == before)
			heap_add_node(row - 1, row);
		else if (cache)
			h->nr_rows++;
		rows[id] = cache ? (uint32_t)h->nr_rows : 0;
		before = cache;
	}
}

/* What CPUs' arrays hold: one read a CPU, of all headers. */
static void heap_take_arrays(struct heap *h, const struct heap_reader *r, const uint32_t *rows)
{
	size_t bytes = (size_t)r->a.nodes.count * r->a.header_bytes;
	unsigned char *headers = tool_alloc(bytes + 1);

	for (size_t cpu = 0; cpu < r->a.regions.count; cpu++) {
		uint64_t region = heap_pointer(r, &r->a.regions, cpu);

		if (!region || !target_read(r->t, region, headers, bytes))
			continue;
		h->cpus++;
		for (size_t id = 1; id < r->a.nodes.count; id++)
			if (rows[id])
				h->rows[rows[id] - 1].objects_array +=
					heap_field(r, headers + id * r->a.header_bytes,
						   r->a.header_bytes, ASHLAR_ARRAY_AVAIL);
	}
	free(headers);
}

/* All groups that pay; of one that goes away meanwhile the figures may be any. */
static void heap_take_groups(struct heap *h, const struct heap_reader *r)
{
	const struct ashlar_field *name = &r->a.fields[ASHLAR_GROUP_NAME];
	size_t gb = r->a.group_bytes;
	unsigned char *group = tool_alloc(gb + 1);

	h->groups = tool_alloc((r->a.groups.count + 1) * sizeof(h->groups[0]));
	for (size_t i = 0; i < r->a.groups.count; i++) {
		uint64_t address = heap_pointer(r, &r->a.groups, i);
		struct heap_group *g = &h->groups[h->nr_groups];

		if (!address || !target_read(r->t, address, group, gb))
			continue;
		*g = (struct heap_group){
			.bytes = heap_field(r, group, gb, ASHLAR_GROUP_BYTES),
			.peak = heap_field(r, group, gb, ASHLAR_GROUP_PEAK),
			.limit = heap_field(r, group, gb, ASHLAR_GROUP_LIMIT),
			.objects = heap_field(r, group, gb, ASHLAR_GROUP_OBJECTS),
			.refused = heap_field(r, group, gb, ASHLAR_GROUP_REFUSED),
		};
		if (name->bytes == sizeof(g->name) && name->offset + sizeof(g->name) <= gb)
			memcpy(g->name, group + name->offset, sizeof(g->name));
		heap_clean_text(g->name, sizeof(g->name));
		h->nr_groups++;
	}
	free(group);
}

static void heap_take_pages(struct heap *h, const struct heap_reader *r)
{
	struct ashlar_pages *p = &h->pages;
	uint64_t page = r->a.page_bytes;

	for (size_t i = 0; i < r->a.zones.count; i++) {
		uint64_t zone = r->a.zones.address + i * r->a.zones.step;

		heap_add(&p->online, heap_figure(r, zone, ASHLAR_ZONE_MANAGED), page);
		heap_add(&p->free, heap_figure(r, zone, ASHLAR_ZONE_FREE), page);
		heap_add(&p->dirty, heap_figure(r, zone, ASHLAR_ZONE_DIRTY), page);
		heap_add(&p->refaulted, heap_figure(r, zone, ASHLAR_ZONE_REFAULTED), page);
		heap_add(&p->discarded, heap_figure(r, zone, ASHLAR_ZONE_DISCARDED), page);
	}
	for (size_t i = 0; i < r->a.pcps.count; i++)
		heap_add(&p->pcp,
			 heap_figure(r, r->a.pcps.address + i * r->a.pcps.step, ASHLAR_PCP_PAGES),
			 page);
	p->peak = heap_times(heap_figure(r, r->a.pages, ASHLAR_PAGES_PEAK), page);
	p->runs = heap_times(heap_figure(r, r->a.large, ASHLAR_LARGE_RUNS), page);
	p->mappings = heap_times(heap_figure(r, r->a.large, ASHLAR_LARGE_USED), page);
	p->kept = heap_times(heap_figure(r, r->a.large, ASHLAR_LARGE_KEPT), page);
}

/* The library's description of itself, looked over; false, said, iff it will not do. */
static bool heap_take_anchor(struct heap_reader *r)
{
	const struct ashlar_anchor *a = &r->a;
	const char *name = r->t->name;

	if (!target_read(r->t, r->t->anchor, &r->a, sizeof(r->a)) ||
	    a->magic != ASHLAR_ANCHOR_MAGIC) {
		tool_say("%s: the library's description of itself cannot be read", name);
		return false;
	}
	if (a->version != ASHLAR_ANCHOR_VERSION) {
		tool_say("%s: another version of the library (%u; this command reads %u)", name,
			 a->version, ASHLAR_ANCHOR_VERSION);
		return false;
	}
	if (a->state == ASHLAR_STATE_IDLE) {
		tool_say("%s: Ashlar is loaded but not used: the program has its own malloc", name);
		return false;
	}
	if (!heap_anchor_is_sane(a)) {
		tool_say("%s: the library's description of itself is damaged", name);
		return false;
	}
	return true;
}

bool heap_read_target(struct heap *h, struct target *t)
{
	struct heap_reader r = { .t = t };
	uint32_t *rows;

	*h = (struct heap){ .pid = t->pid };
	if (!heap_take_anchor(&r))
		return false;
	h->page_bytes = r.a.page_bytes;
	memcpy(h->events, r.a.events, sizeof(h->events));
	memcpy(h->percpu, r.a.percpu, sizeof(h->percpu));
	memcpy(h->why, r.a.why, sizeof(h->why));
	memcpy(h->message, r.a.message, sizeof(h->message));
	heap_clean_text(h->percpu, sizeof(h->percpu));
	heap_clean_text(h->why, sizeof(h->why));
	heap_clean_text(h->message, sizeof(h->message));
	target_describe(t, h->command, sizeof(h->command), &h->rss_peak);
	heap_clean_text(h->command, sizeof(h->command));
	heap_take_groups(h, &r);
	if (heap_is_slob(h)) {
		heap_take_slob(h, &r);
		heap_sum(h);
		return true;
	}
	rows = tool_alloc((r.a.nodes.count + 1) * sizeof(rows[0]));
	heap_take_rows(h, &r, rows);
	heap_take_arrays(h, &r, rows);
	free(rows);
	heap_take_pages(h, &r);
	heap_take_guard(h, &r);
	heap_take_zones(h, &r);
	heap_sum(h);
	return true;
}
