/* SPDX-License-Identifier: MIT */
/*
 * usercopy.c - what of an object may be copied to or from somebody who is not trusted
 *
 * What    From a range of addresses to the object it lies in, to the window of its cache. A copy
 *         that leaves the window would show or overwrite what the other side must not touch.
 * Rules   UC1 a range that is not wholly inside one object in use is refused
 *         UC2 kmalloc's objects and large blocks are windows from end to end; those of
 *             other caches only where the cache was created with one
 *         UC3 memory that is not ours is not judged
 * Source  Linux mm/usercopy.c for the rules
 */
#include "cache/usercopy.h"
#include "ashlar/slab.h"
#include "cache/kmalloc.h"
#include "cache/report.h"

const char *usercopy_refuse_window(const struct usercopy_window *w, const char *p, size_t bytes)
{
	size_t offset = (size_t)(p - w->start);

	if (w->from == w->to)
		return "the cache has no user window";
	if (offset < w->from || offset >= w->to || bytes > w->to - offset)
		return w->whole ? "it goes beyond the object" : "it goes beyond the user window";
	return NULL;
}

static const char *usercopy_refuse(const char *p, size_t bytes)
{
	if (bytes == 0)
		return NULL;
	if (bytes - 1 > UINTPTR_MAX - (uintptr_t)p)
		return "it goes round the end of memory";
	if (!map_spans(p) && !map_spans(p + bytes - 1)) /* UC3 */
		return NULL;
	if (!map_contains(p) || !map_contains(p + bytes - 1))
		return "it goes beyond the block";
	return usercopy_refuse_inside(p, bytes);
}

bool ashlar_usercopy_allowed(const void *p, size_t bytes)
{
	return usercopy_refuse(p, bytes) == NULL;
}

void check_object_size(const void *p, size_t bytes, bool to_user)
{
	const char *why = usercopy_refuse(p, bytes);

	if (why)
		report_usercopy(p, bytes, to_user, why);
}
