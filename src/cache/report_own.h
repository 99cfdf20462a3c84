/* SPDX-License-Identifier: MIT */
/*
 * report_own.h - what the files of the reports tell each other
 */
#ifndef ASHLAR_CACHE_REPORT_OWN_H
#define ASHLAR_CACHE_REPORT_OWN_H

#include "base/text.h"

/* Frees say "double free" of what is free already; everything else says "use after free". */
bool report_is_free(const char *function);

/* "invalid free: " or "invalid pointer: " */
void report_invalid(struct text *t, const char *function);

/* "double free: " or "use after free: " */
void report_again(struct text *t, const char *function);

/* What @function takes, where that is not any object or block of kmalloc's; or NULL. */
const char *report_wants(const char *function);
bool report_wants_pages(const char *function);

/* "invalid free: this is no block of pages, but "; @function takes @what. */
void report_no(struct text *t, const char *function, const char *what);

/* How far @p is behind @start: "24 bytes" */
void report_distance(struct text *t, const void *p, const void *start);

/* What is at @p, in the arena and in no slab. Lines, the first of them begun. */
void report_in_pages(struct text *t, const char *function, const void *p);

/* The same outside the arena: in a mapping of ours, or not ours. */
void report_outside(struct text *t, const char *function, const void *p);

#endif
