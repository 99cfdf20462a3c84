/* SPDX-License-Identifier: MIT */
/*
 * print.h - the figures of a heap, for people and for scripts
 */
#ifndef ASHLAR_TOOL_PRINT_H
#define ASHLAR_TOOL_PRINT_H

#include <stdio.h>

#include "columns.h"

struct json_object;

/* Are colours wanted on this stream? Not if it is no terminal, or NO_COLOR is set. */
bool print_has_colour(FILE *out);

/* A heading: bold where there are colours. */
void print_heading(FILE *out, const char *text);

/* Where the memory is: a few lines. */
void print_sums(FILE *out, const struct heap *h);

/* The @limit caches with the largest @key, its columns those with a heading; 0: all that were
 * ever used. */
void print_caches(FILE *out, const struct heap *h, const struct column *key, size_t limit);

/* The groups that pay for memory; nothing iff there are none. */
void print_groups(FILE *out, const struct heap *h);

/* What went wrong: one line each; nothing iff nothing did. */
void print_events(FILE *out, const struct heap *h);

void print_slabinfo(FILE *out, const struct heap *h);

/* The process as JSON; the caller puts it into something or frees it. */
struct json_object *print_json(const struct heap *h);
bool print_json_write(FILE *out, struct json_object *object);

#endif
