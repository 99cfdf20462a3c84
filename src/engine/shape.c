/* SPDX-License-Identifier: MIT */
/*
 * shape.c - see shape.h
 */
#include "engine/shape.h"
#include "base/check.h"
#include "page/page.h"

#define SHAPE_OBJECTS_MIN 8u   /* fewer in a slab only where the order would get too large */
#define SHAPE_ORDER_EXTRA 2u   /* orders above the port's that are tried for these */
#define SHAPE_COLOURS_MAX 255u /* struct page keeps the colour in a byte */

/* Of a slab whose first @skip bytes serve nobody. */
static size_t shape_objects(size_t stride, unsigned order, size_t skip)
{
	size_t bytes = PAGE_SIZE << order;

	if (bytes < skip)
		return 0;
	if (order == 0) /* words that are no bits (page.h) */
		return size_min((bytes - skip) / stride,
				size_min(PAGE_OWNER_WORD, PAGE_WORDS) * 64);
	return size_min((bytes - skip) / stride, ((size_t)PAGE_WORDS * 64) << order); /* H2 */
}

/* H4 */
static bool shape_is_good(size_t stride, unsigned order, size_t objects)
{
	size_t bytes = PAGE_SIZE << order;

	if ((bytes - objects * stride) * 8 > bytes)
		return order >= MAX_ORDER;
	return objects >= SHAPE_OBJECTS_MIN || order >= PORT_SLAB_ORDER + SHAPE_ORDER_EXTRA;
}

bool shape_choose(struct shape *shape, size_t stride, size_t align)
{
	return shape_choose_lead(shape, stride, align, 0);
}

bool shape_choose_lead(struct shape *shape, size_t stride, size_t align, size_t lead)
{
	size_t colour_off = size_max(align, CACHE_LINE);
	size_t first = size_align(lead, align);
	size_t skip = first - lead;

	ASSERT(stride >= GRANULE_SIZE && stride % align == 0);
	for (unsigned order = PORT_SLAB_ORDER; order <= MAX_ORDER; order++) {
		size_t objects = shape_objects(stride, order, skip);
		size_t waste = (PAGE_SIZE << order) - objects * stride;

		if (objects == 0 || !shape_is_good(stride, order, objects))
			continue;
		*shape = (struct shape){
			.stride = (u32)stride,
			.objects = (u32)objects,
			.reciprocal = (u32)((((u64)1 << 32) + stride - 1) / stride),
			.colour_off = (u32)colour_off,
			.waste_bytes = (u32)waste,
			.first = (u32)first,
			.colours =
				(u16)size_min((waste - skip) / colour_off + 1, SHAPE_COLOURS_MAX),
			.order = (u8)order,
		};
		return true;
	}
	return false;
}
