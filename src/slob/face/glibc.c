/* SPDX-License-Identifier: MIT */
/*
 * glibc.c - what glibc programs ask about their heap, of slob (see src/face/glibc.c)
 *
 * Source  mallinfo(3), malloc_info(3), malloc_stats(3), malloc_trim(3), mallopt(3)
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include "ashlar/heap.h"
#include "ashlar/slab.h"
#include "cache/init.h"
#include "cache/stat.h"
#include "face/face.h"

/* libashlar-slob.so has this file, too, but shows none of it, and no program's malloc is asked. */
static void glibc_sum(struct stat_sum *sum)
{
	*sum = (struct stat_sum){ 0 };
	if (init_begun() && init_ready())
		stat_sum(sum);
}

FACE_PUBLIC struct mallinfo2 mallinfo2(void)
{
	struct stat_sum sum;

	glibc_sum(&sum);
	return (struct mallinfo2){
		.arena = sum.online_bytes,
		.ordblks = 1,
		.uordblks = sum.used_bytes,
		.fordblks = sum.online_bytes - sum.used_bytes,
		.keepcost = sum.dirty_bytes,
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
	bytes = ashlar_purge();
	errno = saved;
	return bytes != 0;
}

FACE_PUBLIC void malloc_stats(void)
{
	struct ashlar_heap_stat s = { 0 };

	if (init_begun() && init_ready())
		ashlar_heap_stat(&s);
	fprintf(stderr,
		"ashlar: online %zu, in use %zu bytes\n"
		"ashlar: slob: free %zu, of it in pages %zu; largest block %zu, %zu free blocks "
		"inside pages, fragmented %u per 1,000\n",
		s.total_bytes, s.used_bytes, s.free_bytes, s.page_bytes, s.largest_bytes, s.blocks,
		s.fragmented);
}

FACE_PUBLIC int malloc_info(int options, FILE *out)
{
	struct stat_sum s;

	if (options != 0)
		return EINVAL;
	glibc_sum(&s);
	fprintf(out,
		"<malloc version=\"ashlar-slob-1\">\n<heap nr=\"0\">\n</heap>\n"
		"<total type=\"used\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n"
		"<aspace type=\"total\" size=\"%zu\"/>\n"
		"</malloc>\n",
		s.used_bytes, s.online_bytes, s.online_bytes);
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
