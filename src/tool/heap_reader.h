/* SPDX-License-Identifier: MIT */
/*
 * heap_reader.h - reading by the library's own description, for heap.c and heap_slob.c
 */
#ifndef ASHLAR_TOOL_HEAP_READER_H
#define ASHLAR_TOOL_HEAP_READER_H

#include "heap.h"

struct heap_reader {
	struct target *t;
	struct ashlar_anchor a;
};

/* The unsigned integer in field @id of a structure whose @bytes bytes lie at @p. */
uint64_t heap_field(const struct heap_reader *r, const unsigned char *p, size_t bytes,
		    enum ashlar_field_id id);

/* A figure that stands alone: field @id of the structure at @address. */
uint64_t heap_figure(const struct heap_reader *r, uint64_t address, enum ashlar_field_id id);

/* Entry @i of a table of pointers. */
uint64_t heap_pointer(const struct heap_reader *r, const struct ashlar_table *t, size_t i);

/* The name in a struct kmem_cache. */
void heap_take_name(const struct heap_reader *r, const unsigned char *cache,
		    struct ashlar_row *row);

/* *@sum += @n * @each, as far as it goes. */
void heap_add(uint64_t *sum, uint64_t n, uint64_t each);

/* heap_zones.c: the zones, by their descriptors. */
void heap_take_zones(struct heap *h, const struct heap_reader *r);

/* heap_guard.c: the sums about guarded objects. */
void heap_take_guard(struct heap *h, const struct heap_reader *r);

/* heap_slob.c: zones, pages and caches of a slob process. */
void heap_take_slob(struct heap *h, const struct heap_reader *r);

#endif
