/* SPDX-License-Identifier: MIT */
/*
 * summary.h - what `ashlar run` says at the end
 */
#ifndef ASHLAR_TOOL_SUMMARY_H
#define ASHLAR_TOOL_SUMMARY_H

#include <stdio.h>

#include "heap.h"

/* How a run went. */
struct summary {
	char **argv;
	uint32_t pid;
	int status; /* of wait */
	double seconds;
	const char *no_record; /* why there may be none, in a few words; or NULL */
	struct heap *heaps;    /* all that left a record: misused ones first, then the largest */
	size_t nr_heaps;
	const struct heap *main; /* the program's own among them, or NULL */
};

void summary_print(FILE *out, const struct summary *s);
struct json_object *summary_json(const struct summary *s);

#endif
