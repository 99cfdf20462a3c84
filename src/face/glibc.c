/* SPDX-License-Identifier: MIT */
/*
 * glibc.c - what glibc programs ask about their heap: mallinfo, malloc_info, mallopt ...
 *
 * What    glibc's fields, filled with what they mean here; ashlar(7) says which.
 * Source  mallinfo(3), malloc_info(3), malloc_stats(3), malloc_trim(3), mallopt(3)
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/stat.h"
#include "face/face.h"

FACE_PUBLIC struct mallinfo2 mallinfo2(void)
{
	struct stat_sum sum = { 0 };

	if (!preload_inert && init_ready())
		stat_sum(&sum);
	return (struct mallinfo2){
		.arena = sum.online_bytes,
		.ordblks = 1,
		.hblkhd = sum.mapping_bytes,
		.hblks = sum.mapping_bytes != 0,
		.fsmblks = sum.parked_bytes,
		.uordblks = sum.used_bytes - sum.mapping_bytes,
		.fordblks = sum.online_bytes - (sum.used_bytes - sum.mapping_bytes),
		.keepcost = sum.dirty_bytes + sum.kept_bytes,
	};
}

static int glibc_clamp(size_t n)
{
	return n > INT_MAX ? INT_MAX : (int)n;
}

FACE_PUBLIC struct mallinfo mallinfo(void)
{
	struct mallinfo2 m = mallinfo2();

	return (struct mallinfo){
		.arena = glibc_clamp(m.arena),
		.ordblks = glibc_clamp(m.ordblks),
		.hblkhd = glibc_clamp(m.hblkhd),
		.hblks = glibc_clamp(m.hblks),
		.fsmblks = glibc_clamp(m.fsmblks),
		.uordblks = glibc_clamp(m.uordblks),
		.fordblks = glibc_clamp(m.fordblks),
		.keepcost = glibc_clamp(m.keepcost),
	};
}

FACE_PUBLIC int malloc_trim(size_t pad)
{
	int saved = errno;
	size_t bytes;

	(void)pad; /* there is no top of the heap to leave room at */
	if (preload_inert)
		return 0;
	bytes = ashlar_purge();
	errno = saved;
	return bytes != 0;
}

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

/* glibc's parameters steer machinery that is not here; the known ones are accepted. */
FACE_PUBLIC int mallopt(int parameter, int value)
{
	(void)value;
	switch (parameter) {
	case M_MXFAST:
	case M_TRIM_THRESHOLD:
	case M_TOP_PAD:
	case M_MMAP_THRESHOLD:
	case M_MMAP_MAX:
	case M_CHECK_ACTION:
	case M_PERTURB:
	case M_ARENA_TEST:
	case M_ARENA_MAX:
		return 1;
	default:
		return 0;
	}
}
