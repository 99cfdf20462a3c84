/* SPDX-License-Identifier: MIT */
/*
 * glibc.c - what glibc programs print about their heap, of slob (see src/face/glibc.c)
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>

#include "ashlar/heap.h"
#include "cache/init.h"
#include "cache/stat.h"
#include "face/face.h"

FACE_PUBLIC void malloc_stats(void)
{
	struct ashlar_heap_stat s = { 0 };

	if (!preload_inert && init_ready())
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
	struct stat_sum s = { 0 };

	if (options != 0)
		return EINVAL;
	if (!preload_inert && init_ready())
		stat_sum(&s);
	fprintf(out,
		"<malloc version=\"ashlar-slob-1\">\n<heap nr=\"0\">\n</heap>\n"
		"<total type=\"used\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n"
		"<aspace type=\"total\" size=\"%zu\"/>\n"
		"</malloc>\n",
		s.used_bytes, s.online_bytes, s.online_bytes);
	return 0;
}
