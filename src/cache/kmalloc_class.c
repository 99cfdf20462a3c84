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
	unsigned first = 8; /* class, above 2^top bytes, 2^shift of them a doubling */
	unsigned top = 7;
	unsigned shift = 2;

	if (class < first)
		return (size_t)16 * (class + 1);
	if (class >= 44) {
		first = 44;
		top = 13;
	} else if (class >= 20) {
		first = 20;
		top = 10;
		shift = 3;
	}
	top += (class - first) >> shift;
	return ((size_t)1 << top) +
	       ((size_t)((class - first) % (1u << shift) + 1) << (top - shift));
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
