/* SPDX-License-Identifier: MIT */
/*
 * mallinfo.c - what glibc programs ask about their heap: mallinfo, malloc_trim, mallopt
 *
 * What    glibc's fields, filled with what they mean here; ashlar(7) says which.
 * Source  mallinfo(3), malloc_trim(3), mallopt(3)
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>

#include "ashlar/slab.h"
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

static int mallinfo_clamp(size_t n)
{
	return n > INT_MAX ? INT_MAX : (int)n;
}

FACE_PUBLIC struct mallinfo mallinfo(void)
{
	struct mallinfo2 m = mallinfo2();

	return (struct mallinfo){
		.arena = mallinfo_clamp(m.arena),
		.ordblks = mallinfo_clamp(m.ordblks),
		.hblkhd = mallinfo_clamp(m.hblkhd),
		.hblks = mallinfo_clamp(m.hblks),
		.fsmblks = mallinfo_clamp(m.fsmblks),
		.uordblks = mallinfo_clamp(m.uordblks),
		.fordblks = mallinfo_clamp(m.fordblks),
		.keepcost = mallinfo_clamp(m.keepcost),
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
