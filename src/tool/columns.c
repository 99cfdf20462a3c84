/* SPDX-License-Identifier: MIT */
/*
 * columns.c - see columns.h
 */
#include <inttypes.h>
#include <string.h>

#include "columns.h"

#define OF_PROCESS(name, expression)                                                     \
	static uint64_t columns_##name(const struct heap *h, const struct ashlar_row *r) \
	{                                                                                \
		(void)r;                                                                 \
		return expression;                                                       \
	}
#define OF_CACHE(name, expression)                                                       \
	static uint64_t columns_##name(const struct heap *h, const struct ashlar_row *r) \
	{                                                                                \
		(void)h;                                                                 \
		return expression;                                                       \
	}

OF_PROCESS(rss_peak, h->rss_peak)
OF_PROCESS(peak, h->pages.peak)
OF_PROCESS(live, h->sums.live)
OF_PROCESS(in_use, h->sums.objects)
OF_PROCESS(large, h->sums.large)
OF_PROCESS(slabs, h->sums.slabs)
OF_PROCESS(idle, h->sums.idle)
OF_PROCESS(arrays, h->sums.arrays)
OF_PROCESS(waste, h->sums.waste)
OF_PROCESS(lists, h->sums.lists)
OF_PROCESS(tables, h->sums.tables)
OF_PROCESS(online, h->pages.online)
OF_PROCESS(discarded, h->pages.discarded)
OF_PROCESS(refaulted, h->pages.refaulted)
OF_PROCESS(user, h->user_us)
OF_PROCESS(system, h->system_us)
OF_PROCESS(cpus, h->cpus)
OF_PROCESS(guard_slots, h->guard.slots)
OF_PROCESS(guarded, h->guard.used)
OF_PROCESS(guard_sampled, h->guard.sampled)
OF_PROCESS(guard_missed, h->guard.missed)
OF_PROCESS(misuse, h->events[ASHLAR_EVENT_MISUSE])
OF_PROCESS(failures, h->events[ASHLAR_EVENT_FAILURE])
OF_PROCESS(refusals, h->events[ASHLAR_EVENT_REFUSAL])
OF_PROCESS(leaks, h->events[ASHLAR_EVENT_LEAK])
OF_PROCESS(faults, h->events[ASHLAR_EVENT_FAULT])

const struct column columns_process[] = {
	{ "rss_peak", "process peak", COLUMN_BYTES, columns_rss_peak,
	  "The most memory that the process had at one time, as the system counts it: heap, "
	  "stacks, code, mapped files. 0 where it is not known." },
	{ "heap_peak", "heap peak", COLUMN_BYTES, columns_peak,
	  "The most that was in slabs, with their free objects, and large blocks at one time." },
	{ "live", "live", COLUMN_BYTES, columns_live,
	  "What the program has at this moment: objects, at the size of their cache, and large "
	  "blocks." },
	{ "objects", NULL, COLUMN_COUNT, columns_in_use, "The number of objects in `live`." },
	{ "large", NULL, COLUMN_BYTES, columns_large,
	  "Large blocks in `live`: above 32 KiB a block is pages of its own." },
	{ "slabs", "in slabs", COLUMN_BYTES, columns_slabs,
	  "Slabs of all caches, with all that is in them: objects in use, free ones, waste." },
	{ "idle", "free in slabs", COLUMN_BYTES, columns_idle, "Free objects inside slabs." },
	{ "arrays", "in arrays", COLUMN_BYTES, columns_arrays,
	  "Free objects at hand in the CPUs' arrays and in the shared array behind them." },
	{ "waste", NULL, COLUMN_BYTES, columns_waste,
	  "What is left over in slabs because objects do not fill them to the last byte." },
	{ "lists", "on page lists", COLUMN_BYTES, columns_lists,
	  "Free pages that still have memory behind them, on the lists of the zones and CPUs, and "
	  "freed mappings; kept for reuse within a bound." },
	{ "tables", NULL, COLUMN_BYTES, columns_tables,
	  "What Ashlar itself has: arrays, and descriptions of caches and mappings." },
	{ "online", NULL, COLUMN_BYTES, columns_online,
	  "Address space that is ready for use; a page of it costs memory when it is touched." },
	{ "discarded", NULL, COLUMN_BYTES, columns_discarded,
	  "Given back to the system, in sum since the start." },
	{ "refaulted", NULL, COLUMN_BYTES, columns_refaulted,
	  "Of what was given back, how much was needed again." },
	{ "user_us", NULL, COLUMN_US, columns_user,
	  "Processor time in the program. 0: not known." },
	{ "system_us", NULL, COLUMN_US, columns_system,
	  "Processor time in the kernel. 0: not known." },
	{ "cpus", NULL, COLUMN_COUNT, columns_cpus, "CPUs that have arrays in this process." },
	{ "guard_slots", NULL, COLUMN_COUNT, columns_guard_slots,
	  "Slots for guarded objects (`guard_slots=`). 0: nothing is guarded, or, at a process's "
	  "end, it is not known." },
	{ "guarded", "guarded", COLUMN_COUNT, columns_guarded,
	  "Slots in use: objects in `objects` that are on pages of their own, in no slab." },
	{ "guard_sampled", NULL, COLUMN_COUNT, columns_guard_sampled,
	  "Objects that were guarded, in sum since the start." },
	{ "guard_missed", NULL, COLUMN_COUNT, columns_guard_missed,
	  "Objects whose turn it was while all slots were in use: they were ordinary ones." },
	{ "misuse", "wrong uses of the heap", COLUMN_COUNT, columns_misuse,
	  "Wrong pointers and second frees: each is reported and ends the program." },
	{ "failures", "failed allocations", COLUMN_COUNT, columns_failures,
	  "Allocations that found no memory." },
	{ "refusals", "refused caches", COLUMN_COUNT, columns_refusals,
	  "Calls of kmem_cache_create with something wrong." },
	{ "leaks", "caches destroyed in use", COLUMN_COUNT, columns_leaks,
	  "Calls of kmem_cache_destroy while objects were still in use." },
	{ "faults", "faults found by the audit", COLUMN_COUNT, columns_faults,
	  "Rules of Ashlar's own that an audit found broken: a fault of ours, or memory that was "
	  "overwritten." },
	{ 0 },
};

OF_CACHE(cache_used, heap_row_used(r))
OF_CACHE(cache_total, heap_row_total(r))
OF_CACHE(cache_live, heap_times(heap_row_used(r), r->stride))
OF_CACHE(cache_memory, heap_times(r->slabs, heap_slab_bytes(h, r)))
OF_CACHE(cache_peak, heap_times(r->slabs_peak, heap_slab_bytes(h, r)))
OF_CACHE(cache_object_size, r->object_size)
OF_CACHE(cache_stride, r->stride)
OF_CACHE(cache_objects, r->objects)
OF_CACHE(cache_slab_bytes, heap_slab_bytes(h, r))
OF_CACHE(cache_slabs, r->slabs)
OF_CACHE(cache_slabs_empty, r->slabs_empty)
OF_CACHE(cache_slabs_grown, r->slabs_grown)
OF_CACHE(cache_free, r->objects_free)
OF_CACHE(cache_array, r->objects_array)
OF_CACHE(cache_shared, r->objects_shared)
OF_CACHE(cache_pending, r->objects_pending)
OF_CACHE(cache_guarded, r->objects_guarded)
OF_CACHE(cache_limit, r->limit)
OF_CACHE(cache_batch, r->batchcount)
OF_CACHE(cache_factor, r->shared_factor)
OF_CACHE(cache_align, r->align)

const struct column columns_cache[] = {
	{ "peak", "peak", COLUMN_BYTES, columns_cache_peak,
	  "The most memory that the cache's slabs took at one time." },
	{ "memory", "memory", COLUMN_BYTES, columns_cache_memory,
	  "What its slabs take at this moment." },
	{ "live", "live", COLUMN_BYTES, columns_cache_live, "Objects in use, each at its stride." },
	{ "used", "used", COLUMN_COUNT, columns_cache_used,
	  "Objects in use: the program has them." },
	{ "total", NULL, COLUMN_COUNT, columns_cache_total,
	  "Objects in all its slabs, and guarded ones." },
	{ "free", "free", COLUMN_COUNT, columns_cache_free, "Free objects in slabs." },
	{ "array", "array", COLUMN_COUNT, columns_cache_array, "Free objects in CPUs' arrays." },
	{ "shared", "shared", COLUMN_COUNT, columns_cache_shared,
	  "Free objects in the shared array, through which CPUs hand them to each other." },
	{ "pending", NULL, COLUMN_COUNT, columns_cache_pending,
	  "Free objects that kfree_nolock left to the next holder of the node's lock." },
	{ "guarded", NULL, COLUMN_COUNT, columns_cache_guarded,
	  "Objects in `used` that are on pages of their own, in no slab (`guard=`)." },
	{ "slabs", "slabs", COLUMN_COUNT, columns_cache_slabs, "Slabs at this moment." },
	{ "slabs_empty", "empty", COLUMN_COUNT, columns_cache_slabs_empty,
	  "Slabs without an object in use." },
	{ "slabs_grown", "grown", COLUMN_COUNT, columns_cache_slabs_grown,
	  "Slabs made since the start." },
	{ "size", "size", COLUMN_COUNT, columns_cache_object_size,
	  "Bytes of an object, as asked for." },
	{ "stride", "stride", COLUMN_COUNT, columns_cache_stride, "Bytes from object to object." },
	{ "align", NULL, COLUMN_COUNT, columns_cache_align, "Alignment of an object, bytes." },
	{ "objects", "per slab", COLUMN_COUNT, columns_cache_objects, "Objects in one slab." },
	{ "slab", "slab", COLUMN_BYTES, columns_cache_slab_bytes, "Bytes of one slab." },
	{ "limit", NULL, COLUMN_COUNT, columns_cache_limit, "The most objects in a CPU's array." },
	{ "batch", NULL, COLUMN_COUNT, columns_cache_batch,
	  "Objects that a refill or a flush of an array moves." },
	{ "factor", NULL, COLUMN_COUNT, columns_cache_factor,
	  "The shared array holds this many batches." },
	{ 0 },
};

const struct column *columns_find(const struct column *table, const char *key)
{
	for (const struct column *c = table; c->key; c++)
		if (strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

static void columns_format_bytes(char *to, size_t bytes, uint64_t value)
{
	static const char *const units[] = { "B  ", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double n = (double)value;
	unsigned u = 0;

	for (; n >= 1023.95 && u + 1 < sizeof(units) / sizeof(units[0]); u++)
		n /= 1024;
	if (u == 0)
		snprintf(to, bytes, "%.0f   %s", n, units[u]);
	else
		snprintf(to, bytes, "%.1f %s", n, units[u]);
}

/* 1234567 as 1,234,567 */
static void columns_format_count(char *to, size_t bytes, uint64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	size_t at = 0;

	for (int i = 0; i < n && at + 2 < bytes; i++) {
		if (i && (n - i) % 3 == 0)
			to[at++] = ',';
		to[at++] = digits[i];
	}
	to[at] = '\0';
}

void columns_format(char *to, size_t bytes, enum column_unit unit, uint64_t value)
{
	switch (unit) {
	case COLUMN_BYTES:
		columns_format_bytes(to, bytes, value);
		return;
	case COLUMN_US:
		snprintf(to, bytes, "%.2f s", (double)value / 1e6);
		return;
	case COLUMN_COUNT:
		columns_format_count(to, bytes, value);
		return;
	}
}

/* ---- of a group ----------------------------------------------------------------------- */

#define OF_GROUP(name)                                                   \
	static uint64_t columns_group_##name(const struct heap_group *g) \
	{                                                                \
		return g->name;                                          \
	}

OF_GROUP(bytes)
OF_GROUP(peak)
OF_GROUP(limit)
OF_GROUP(objects)
OF_GROUP(refused)

const struct column_group columns_group[] = {
	{ { "charged", "charged", COLUMN_BYTES, NULL,
	    "What the group pays for at this moment, with all groups below it." },
	  columns_group_bytes },
	{ { "charged_peak", "peak", COLUMN_BYTES, NULL, "The most that it paid for at one time." },
	  columns_group_peak },
	{ { "charged_limit", "limit", COLUMN_BYTES, NULL,
	    "The most that it may be charged; 0: any." },
	  columns_group_limit },
	{ { "charged_objects", "objects", COLUMN_COUNT, NULL,
	    "Objects and large blocks that it pays for." },
	  columns_group_objects },
	{ { "charges_refused", "refused", COLUMN_COUNT, NULL,
	    "Allocations that failed because they would have exceeded the limit." },
	  columns_group_refused },
	{ { NULL, NULL, COLUMN_COUNT, NULL, NULL }, NULL },
};

/* ---- what they mean ----------------------------------------------------------------- */

/* @text in lines of at most 76 columns, each after @indent blanks. */
static void columns_wrap(FILE *out, const char *text, int indent)
{
	int column = 0;

	while (*text) {
		int word = (int)strcspn(text, " ");

		if (column && column + 1 + word > 76 - indent) {
			fputc('\n', out);
			column = 0;
		}
		column += fprintf(out, "%*s%.*s", column ? 1 : indent, "", word, text) -
			  (column ? 0 : indent);
		text += word;
		text += *text == ' ';
	}
	fputc('\n', out);
}

static void columns_help_one(FILE *out, const struct column *c)
{
	fprintf(out, "  %s%s%s%s\n", c->key, c->heading ? "  (\"" : "",
		c->heading ? c->heading : "", c->heading ? "\")" : "");
	columns_wrap(out, c->help, 6);
}

static void columns_help_table(FILE *out, const struct column *table)
{
	for (const struct column *c = table; c->key; c++)
		columns_help_one(out, c);
}

void columns_print_help(FILE *out)
{
	fputs("Of a process:\n", out);
	columns_help_table(out, columns_process);
	fputs("\nOf a cache:\n", out);
	columns_help_table(out, columns_cache);
	fputs("\nOf a group that pays for memory:\n", out);
	for (const struct column_group *g = columns_group; g->column.key; g++)
		columns_help_one(out, &g->column);
}

static void columns_markdown_heading(FILE *out)
{
	fputs("\n| key | shown as | unit | meaning |\n|---|---|---|---|\n", out);
}

static void columns_markdown_one(FILE *out, const struct column *c)
{
	static const char *const units[] = { "number", "bytes", "microseconds" };

	fprintf(out, "| `%s` | %s | %s | %s |\n", c->key, c->heading ? c->heading : "",
		units[c->unit], c->help);
}

static void columns_markdown_table(FILE *out, const struct column *table)
{
	columns_markdown_heading(out);
	for (const struct column *c = table; c->key; c++)
		columns_markdown_one(out, c);
}

void columns_print_markdown(FILE *out)
{
	fputs("# What the figures mean\n"
	      "\n"
	      "Every figure that `ashlar` shows. The key is its name in `--json` and after "
	      "`--sort`; figures\nwithout a heading are in `--json` only. `ashlar help columns` "
	      "prints the same.\n"
	      "\n"
	      "This page is made from the command's own table: `ashlar help stats.md "
	      ">docs/stats.md`.\n"
	      "\n"
	      "## Of a process\n",
	      out);
	columns_markdown_table(out, columns_process);
	fputs("\n## Of a cache\n", out);
	columns_markdown_table(out, columns_cache);
	fputs("\n## Of a group that pays for memory\n", out);
	columns_markdown_heading(out);
	for (const struct column_group *g = columns_group; g->column.key; g++)
		columns_markdown_one(out, &g->column);
	fputs("\n"
	      "## /proc/slabinfo\n"
	      "\n"
	      "`--slabinfo` prints version 2.1 of the kernel's format. As there, `active_objs` "
	      "counts objects\nin CPUs' and shared arrays as active: it is `total` - `free`. "
	      "`objsize` is the stride.\n"
	      "\n"
	      "## /sys/kernel/slab\n"
	      "\n"
	      "`--sysfs` writes the attributes of the kernel's directory that have a meaning "
	      "here. `objects` is\n`active_objs`, `slab_size` the stride, `sheaf_capacity` the "
	      "limit of a CPU's array (0 in a debugged\ncache). `shrink` and `validate` are empty: "
	      "a file cannot act on another process.\n"
	      "\n"
	      "## /proc/zoneinfo, /proc/buddyinfo\n"
	      "\n"
	      "`--zoneinfo` prints of each zone of pages what the kernel's file has: pages free, "
	      "the watermarks, `spanned`\n(address space), `present` and `managed` (online; the "
	      "same here), and `protection`, the lowmem reserve by\nthe highest kind that a "
	      "request may have. `--buddyinfo` prints free blocks of 1, 2, 4, ... pages. `--json`\n"
	      "has both in `zones`, and `dirty_pages`: of the free ones, those with memory behind "
	      "them.\n",
	      out);
}
