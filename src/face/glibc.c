/* SPDX-License-Identifier: MIT */
/*
 * glibc.c - what glibc programs print about their heap: malloc_stats, malloc_info
 *
 * See     mallinfo.c for the rest
 * Source  malloc_info(3), malloc_stats(3)
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>

#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/stat.h"
#include "face/face.h"

FACE_PUBLIC void malloc_stats(void)
{
	struct stat_sum s = { 0 };

	if (!preload_inert && init_ready())
		stat_sum(&s);
	fprintf(stderr,
		"ashlar: in use %zu bytes, of it %zu in mappings of their own\n"
		"ashlar: online %zu, free pages %zu (%zu with memory behind), slabs %zu\n"
		"ashlar: free objects: in slabs %zu, in CPUs' and shared arrays %zu\n",
		s.used_bytes, s.mapping_bytes, s.online_bytes, s.free_bytes, s.dirty_bytes,
		s.slab_bytes, s.idle_bytes, s.parked_bytes);
}

/* One line about a cache; it is read during the visit and printed after: printing allocates. */
static void glibc_info_cache(FILE *out, unsigned id)
{
	struct kmem_cache_node *n = cache_visit(id);
	struct kmem_cache c;
	size_t slabs, idle, parked;

	if (!n)
		return;
	c = *n->cache;
	slabs = READ_ONCE(n->slabs);
	idle = READ_ONCE(n->free_objects);
	parked = array_count_node(n) + READ_ONCE(n->shared_avail);
	cache_leave(n);
	if (slabs)
		fprintf(out,
			"<cache name=\"%s\" size=\"%u\" slabs=\"%zu\" objects=\"%zu\" "
			"idle=\"%zu\" parked=\"%zu\"/>\n",
			c.name, c.object_size, slabs, slabs * c.shape.objects, idle, parked);
}

FACE_PUBLIC int malloc_info(int options, FILE *out)
{
	struct stat_sum s = { 0 };

	if (options != 0)
		return EINVAL;
	if (!preload_inert && init_ready())
		stat_sum(&s);
	fprintf(out, "<malloc version=\"ashlar-1\">\n<heap nr=\"0\">\n");
	if (!preload_inert)
		for (unsigned id = 1; id < CONFIG_MAX_IDS; id++)
			glibc_info_cache(out, id);
	fprintf(out,
		"</heap>\n"
		"<total type=\"used\" size=\"%zu\"/>\n"
		"<total type=\"mmap\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n"
		"<aspace type=\"total\" size=\"%zu\"/>\n"
		"</malloc>\n",
		s.used_bytes, s.mapping_bytes, s.online_bytes, s.online_bytes);
	return 0;
}
