/* SPDX-License-Identifier: MIT */
/*
 * columns.h - every figure that the command shows: its name, unit and meaning
 *
 * What    Three tables, of processes, caches and groups. They feed the tables on the terminal, the
 *         keys of --json and --sort, `ashlar help columns` and docs/stats.md, so that these
 *         cannot differ.
 */
#ifndef ASHLAR_TOOL_COLUMNS_H
#define ASHLAR_TOOL_COLUMNS_H

#include <stdio.h>

#include "heap.h"

enum column_unit {
	COLUMN_COUNT,
	COLUMN_BYTES,
	COLUMN_US, /* microseconds */
};

struct column {
	const char *key;     /* in JSON and after --sort */
	const char *heading; /* NULL: only in JSON */
	enum column_unit unit;
	uint64_t (*value)(const struct heap *h, const struct ashlar_row *r);
	const char *help;
};

/* The same of a group that pays for memory. */
struct column_group {
	struct column column; /* without a value */
	uint64_t (*value)(const struct heap_group *g);
};

/* All end with a key of NULL. Values of columns_process ignore the row. */
extern const struct column columns_process[];
extern const struct column columns_cache[];
extern const struct column_group columns_group[];

/* The column with this key, or NULL. */
const struct column *columns_find(const struct column *table, const char *key);

/* The width of @text on a terminal of the longest value: numbers are set right. */
void columns_format(char *to, size_t bytes, enum column_unit unit, uint64_t value);

/* What every figure means: for people, and as docs/stats.md. */
void columns_print_help(FILE *out);
void columns_print_markdown(FILE *out);

#endif
