/* SPDX-License-Identifier: MIT */
/*
 * print.c - see print.h
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heap_zones.h"
#include "print.h"

#define PRINT_NAME_WIDTH 20

bool print_has_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void print_heading(FILE *out, const char *text)
{
	bool colour = print_has_colour(out);

	fprintf(out, "%s%s%s", colour ? "\033[1m" : "", text, colour ? "\033[0m" : "");
}

static void print_figure(FILE *out, const char *what, uint64_t bytes, const char *more)
{
	char text[32];

	columns_format(text, sizeof(text), COLUMN_BYTES, bytes);
	fprintf(out, "  %-16s %12s%s%s\n", what, text, *more ? "   " : "", more);
}

void print_sums(FILE *out, const struct heap *h)
{
	const struct heap_sums *s = &h->sums;
	char count[32];
	char large[32];
	char more[128];

	if (h->rss_peak)
		print_figure(out, "process peak", h->rss_peak, "all memory of the process");
	print_figure(out, "heap peak", h->pages.peak, "the most in slabs and large blocks");
	columns_format(count, sizeof(count), COLUMN_COUNT, s->objects);
	columns_format(large, sizeof(large), COLUMN_BYTES, s->large);
	snprintf(more, sizeof(more), "%s object%s%s, %s in large blocks", count,
		 s->objects == 1 ? "" : "s", heap_is_slob(h) ? " of caches" : "", large);
	for (char *blanks = strstr(more, "   "); blanks; blanks = strstr(more, "   "))
		memmove(blanks, blanks + 2, strlen(blanks + 2) + 1);
	print_figure(out, h->ended ? "live at the end" : "live", s->live, more);
	if (heap_is_slob(h)) {
		print_figure(out, "free in pages", s->idle, "between blocks that are in use");
	} else {
		print_figure(out, "free in slabs", s->idle, "free objects in slabs");
		print_figure(out, "in arrays", s->arrays, "free objects at hand for the CPUs");
	}
	print_figure(out, "on page lists", s->lists, "free pages kept for reuse");
}

/* ---- caches ------------------------------------------------------------------------- */

static struct {
	const struct heap *heap;
	const struct column *key;
} print_order;

static int print_compare(const void *a, const void *b)
{
	const struct ashlar_row *x = *(const struct ashlar_row *const *)a;
	const struct ashlar_row *y = *(const struct ashlar_row *const *)b;
	uint64_t m = print_order.key->value(print_order.heap, x);
	uint64_t n = print_order.key->value(print_order.heap, y);

	if (m != n)
		return m < n ? 1 : -1;
	return x < y ? -1 : x > y;
}

/* The first columns, as many as a short table has. */
#define PRINT_SHORT 4

static void print_cache_row(FILE *out, const struct heap *h, const struct ashlar_row *r, bool all)
{
	unsigned n = 0;

	fprintf(out, "  %-*s", PRINT_NAME_WIDTH, r ? r->name : "cache");
	for (const struct column *c = columns_cache; c->key && (all || n < PRINT_SHORT); c++, n++) {
		char text[32];
		int width = c->unit == COLUMN_BYTES ? 11 : 9;

		if (!c->heading)
			continue;
		if (r)
			columns_format(text, sizeof(text), c->unit, c->value(h, r));
		fprintf(out, " %*s", width, r ? text : c->heading);
	}
	fputc('\n', out);
}

void print_caches(FILE *out, const struct heap *h, const struct column *key, size_t limit)
{
	const struct ashlar_row **order = tool_alloc((h->nr_rows + 1) * sizeof(void *));
	size_t n = 0;

	for (size_t i = 0; i < h->nr_rows; i++)
		if ((h->rows[i].slabs_grown || h->rows[i].objects_guarded) &&
		    (!limit || (key->value(h, &h->rows[i]) && !heap_row_is_ours(&h->rows[i]))))
			order[n++] = &h->rows[i];
	print_order.heap = h;
	print_order.key = key;
	qsort(order, n, sizeof(void *), print_compare);
	if (limit && n > limit)
		n = limit;
	if (n) {
		if (print_has_colour(out))
			fputs("\033[1m", out);
		print_cache_row(out, h, NULL, limit == 0);
		if (print_has_colour(out))
			fputs("\033[0m", out);
	}
	for (size_t i = 0; i < n; i++)
		print_cache_row(out, h, order[i], limit == 0);
	free(order);
}

static void print_group_row(FILE *out, const struct heap_group *g)
{
	fprintf(out, "  %-*s", PRINT_NAME_WIDTH, g ? g->name : "group");
	for (const struct column_group *k = columns_group; k->column.key; k++) {
		const struct column *c = &k->column;
		char text[32];

		if (g)
			columns_format(text, sizeof(text), c->unit, k->value(g));
		fprintf(out, " %*s", c->unit == COLUMN_BYTES ? 11 : 9, g ? text : c->heading);
	}
	fputc('\n', out);
}

void print_groups(FILE *out, const struct heap *h)
{
	if (!h->nr_groups)
		return;
	if (print_has_colour(out))
		fputs("\033[1m", out);
	print_group_row(out, NULL);
	if (print_has_colour(out))
		fputs("\033[0m", out);
	for (size_t i = 0; i < h->nr_groups; i++)
		print_group_row(out, &h->groups[i]);
}

void print_events(FILE *out, const struct heap *h)
{
	bool colour = print_has_colour(out);
	bool any = false;

	for (const struct column *c = columns_find(columns_process, "misuse"); c->key; c++) {
		uint64_t n = c->value(h, NULL);

		if (!n)
			continue;
		fprintf(out, "  %s%-16s%s %12" PRIu64 "   %s\n", colour ? "\033[1;31m" : "",
			any ? "" : "bad events", colour ? "\033[0m" : "", n, c->heading);
		any = true;
	}
	if (any && h->message[0])
		fprintf(out, "  %-16s %s\n", "the last",
			h->message + (strncmp(h->message, "ashlar: ", 8) == 0 ? 8 : 0));
	if (h->audited && !h->events[ASHLAR_EVENT_FAULT])
		fprintf(out, "  %-16s every rule holds\n", "audit");
}

/* ---- for scripts -------------------------------------------------------------------- */

/* The statistics of one cache, where calls are counted. */
static void print_slabinfo_statistics(FILE *out, const struct ashlar_row *r)
{
	uint64_t reaped = r->slabs_grown > r->slabs ? r->slabs_grown - r->slabs : 0;

	fprintf(out,
		" : globalstat %7" PRIu64 " %6" PRIu64 " %5" PRIu64 " %4" PRIu64 " %4" PRIu64
		" %4" PRIu64 " %4" PRIu64 " %4" PRIu64 " %4" PRIu64,
		r->taken, r->taken_peak, r->slabs_grown, reaped, r->errors, r->free_peak,
		r->far_allocs, r->far_frees, r->overflows);
	fprintf(out, " : cpustat %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64, r->alloc_hit,
		r->alloc_miss, r->free_hit, r->free_miss);
}

static void print_slabinfo_row(FILE *out, const struct ashlar_row *r)
{
	uint64_t total = heap_row_total(r);
	uint64_t active = total > r->objects_free ? total - r->objects_free : 0;
	uint64_t slabs = r->slabs > r->slabs_empty ? r->slabs - r->slabs_empty : 0;
	char name[ASHLAR_NAME_BYTES];

	memcpy(name, r->name, sizeof(name));
	for (char *c = name; *c; c++)
		if (*c == ' ')
			*c = '_'; /* readers of the format end a name there */
	fprintf(out, "%-17s %6" PRIu64 " %6" PRIu64 " %6u %4u %4" PRIu64, name, active, total,
		r->stride, r->objects, (uint64_t)1 << (r->order & 31));
	fprintf(out, " : tunables %4u %4u %4u", r->limit, r->batchcount, r->shared_factor);
	fprintf(out, " : slabdata %6" PRIu64 " %6" PRIu64 " %6" PRIu64, slabs, r->slabs,
		r->objects_shared);
}

void print_slabinfo(FILE *out, const struct heap *h)
{
	bool counted = h->nr_rows && h->rows[0].counted;

	fprintf(out, "slabinfo - version: 2.1%s\n", counted ? " (statistics)" : "");
	fputs("# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
	      " : tunables <limit> <batchcount> <sharedfactor>"
	      " : slabdata <active_slabs> <num_slabs> <sharedavail>",
	      out);
	if (counted)
		fputs(" : globalstat <listallocs> <maxobjs> <grown> <reaped> <error>"
		      " <maxfreeable> <nodeallocs> <remotefrees> <alienoverflow>"
		      " : cpustat <allochit> <allocmiss> <freehit> <freemiss>",
		      out);
	fputc('\n', out);
	for (size_t i = 0; i < h->nr_rows; i++) {
		print_slabinfo_row(out, &h->rows[i]);
		if (counted)
			print_slabinfo_statistics(out, &h->rows[i]);
		fputc('\n', out);
	}
}

static void print_json_columns(struct json_object *object, const struct column *table,
			       const struct heap *h, const struct ashlar_row *r)
{
	for (const struct column *c = table; c->key; c++)
		json_object_object_add(object, c->key, json_object_new_uint64(c->value(h, r)));
}

static struct json_object *print_json_groups(const struct heap *h)
{
	struct json_object *groups = json_object_new_array();

	for (size_t i = 0; i < h->nr_groups; i++) {
		struct json_object *group = json_object_new_object();

		json_object_object_add(group, "name", json_object_new_string(h->groups[i].name));
		for (const struct column_group *k = columns_group; k->column.key; k++)
			json_object_object_add(group, k->column.key,
					       json_object_new_uint64(k->value(&h->groups[i])));
		json_object_array_add(groups, group);
	}
	return groups;
}

struct json_object *print_json(const struct heap *h)
{
	struct json_object *process = json_object_new_object();
	struct json_object *caches = json_object_new_array();

	json_object_object_add(process, "pid", json_object_new_uint64(h->pid));
	if (h->ended)
		json_object_object_add(process, "parent", json_object_new_uint64(h->parent));
	json_object_object_add(process, "command", json_object_new_string(h->command));
	json_object_object_add(process, "percpu", json_object_new_string(h->percpu));
	json_object_object_add(process, "percpu_why", json_object_new_string(h->why));
	json_object_object_add(process, "message", json_object_new_string(h->message));
	json_object_object_add(process, "audited", json_object_new_boolean(h->audited != 0));
	print_json_columns(process, columns_process, h, NULL);
	for (size_t i = 0; i < h->nr_rows; i++) {
		struct json_object *cache = json_object_new_object();

		json_object_object_add(cache, "name", json_object_new_string(h->rows[i].name));
		print_json_columns(cache, columns_cache, h, &h->rows[i]);
		json_object_array_add(caches, cache);
	}
	json_object_object_add(process, "caches", caches);
	json_object_object_add(process, "groups", print_json_groups(h));
	json_object_object_add(process, "zones", heap_zones_json(h));
	return process;
}

bool print_json_write(FILE *out, struct json_object *object)
{
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

	return text && fprintf(out, "%s\n", text) > 0;
}
