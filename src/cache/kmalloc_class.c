/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_class.c - the classes of sizes by number and by name, the same for both engines
 *
 * See     include/ashlar/slab.h, ashlar_kmalloc_class: from a size to its class
 */
#include "cache/kmalloc_class.h"
#include "base/text.h"

size_t kmalloc_class_size(unsigned class)
{
	unsigned top = 7 + (class - 8) / 4;

	if (class < 8)
		return (size_t)16 * (class + 1);
	return ((size_t)1 << top) + ((size_t)((class - 8) % 4 + 1) << (top - 2));
}

void kmalloc_class_name(struct text *t, const char *before, size_t size)
{
	text_init(t);
	text_str(t, before);
	text_dec(t, size % 1024 ? size : size / 1024);
	if (size % 1024 == 0)
		text_char(t, 'k');
	text_char(t, '\0');
}
