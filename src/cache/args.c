/* SPDX-License-Identifier: MIT */
/*
 * args.c - see args.h
 *
 * Source  Linux mm/slab_common.c for what is checked
 */
#include "cache/args.h"
#include "base/bits.h"

const char *args_refuse(size_t size, const struct kmem_cache_args *a)
{
	if (a->align && (!bits_is_power_of_two(a->align) || a->align > ARGS_SIZE_MAX))
		return "the alignment is not a power of two up to 4 MiB";
	if (a->useroffset && !a->usersize)
		return "the user window has an offset, but no size";
	if (a->usersize > size || a->useroffset > size - a->usersize)
		return "the user window is not inside the object";
	if (a->use_freeptr_offset && (a->freeptr_offset > size - size_min(size, 8) ||
				      a->freeptr_offset % sizeof(void *) != 0))
		return "the free pointer is not inside the object, or not aligned";
	if (a->sheaf_capacity > CONFIG_BATCH_MAX)
		return "the sheaf capacity is above 120";
	return NULL;
}
