/* SPDX-License-Identifier: MIT */
/*
 * heap_zones.h - the zones of pages, printed; nothing iff there are none (a record, slob)
 */
#ifndef ASHLAR_TOOL_HEAP_ZONES_H
#define ASHLAR_TOOL_HEAP_ZONES_H

#include <stdio.h>

#include "heap.h"

struct json_object;

/* As Linux's /proc/buddyinfo: free blocks by order. */
void heap_zones_print_buddyinfo(FILE *out, const struct heap *h);

/* As Linux's /proc/zoneinfo, as far as there is something to say. */
void heap_zones_print_zoneinfo(FILE *out, const struct heap *h);

/* A list, which the caller puts into something or frees. */
struct json_object *heap_zones_json(const struct heap *h);

#endif
