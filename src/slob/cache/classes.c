/* SPDX-License-Identifier: MIT */
/*
 * classes.c - ashlar_kmalloc_caches, for programs compiled without ASHLAR_SLOB
 *
 * What    kmalloc of a constant size looks a cache up while compiling (slab.h). Here the caches
 *         are numbers: the sizes of the classes (SC4). A file of its own: who is compiled with
 *         ASHLAR_SLOB does not link it.
 */
#include "cache/kmalloc.h"

#define CLASS(size) ((struct kmem_cache *)(size))
#define CLASSES(top) \
	CLASS((top) / 4 * 5), CLASS((top) / 4 * 6), CLASS((top) / 4 * 7), CLASS((top) / 4 * 8)
#define EIGHTS(top)                                                                                \
	CLASS((top) / 8 * 9), CLASS((top) / 8 * 10), CLASS((top) / 8 * 11), CLASS((top) / 8 * 12), \
		CLASS((top) / 8 * 13), CLASS((top) / 8 * 14), CLASS((top) / 8 * 15),               \
		CLASS((top)*2)

struct kmem_cache *ashlar_kmalloc_caches[CONFIG_KMALLOC_CLASSES] = {
	CLASS(16),    CLASS(32),    CLASS(48),     CLASS(64),      CLASS(80),    CLASS(96),
	CLASS(112),   CLASS(128),   CLASSES(128),  CLASSES(256),   CLASSES(512), EIGHTS(1024),
	EIGHTS(2048), EIGHTS(4096), CLASSES(8192), CLASSES(16384),
};

void *ashlar_kmalloc_constant(struct kmem_cache *cache, gfp_t gfp, size_t size)
{
	(void)cache;
	return ashlar_kmalloc(size, gfp);
}
