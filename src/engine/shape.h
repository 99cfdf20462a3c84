/* SPDX-License-Identifier: MIT */
/*
 * shape.h - how a slab is cut: order, objects, colours, waste
 *
 * What    From a stride to the order of its slabs. Pure arithmetic.
 * Rules   H1  objects * stride + waste == slab bytes, objects >= 1
 *         H2  the bitmap fits the descriptors: objects <= 64 * PAGE_WORDS * pages of the slab
 *         H3  reciprocal turns an object's offset into its index exactly
 *         H4  the order is the smallest, from the port's on, that wastes at most an
 *             eighth and holds eight objects; four steps on, anything that wastes an eighth
 */
#ifndef ASHLAR_ENGINE_SHAPE_H
#define ASHLAR_ENGINE_SHAPE_H

#include "base/base.h"

struct shape {
	u32 stride;      /* bytes from object to object */
	u32 objects;     /* in one slab */
	u32 reciprocal;  /* ceil(2^32 / stride): (offset * reciprocal) >> 32 is the index */
	u32 colour_off;  /* bytes from colour to colour: a cache line, or the alignment */
	u32 waste_bytes; /* left over in one slab */
	u32 first;       /* where the first object starts, at colour 0 */
	u16 colours;     /* different offsets of the first object: waste / colour_off + 1 */
	u8 order;        /* a slab is 2^order pages */
};

/* Choose the shape for objects of @stride bytes (a multiple of @align). false iff one object
 * does not fit the largest block. */
bool shape_choose(struct shape *shape, size_t stride, size_t align);

/* The same where @lead bytes of each stride lie before the object. */
bool shape_choose_lead(struct shape *shape, size_t stride, size_t align, size_t lead);

static inline size_t shape_slab_bytes(const struct shape *s)
{
	return PAGE_SIZE << s->order;
}

#endif
