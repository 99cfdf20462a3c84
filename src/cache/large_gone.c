/* SPDX-License-Identifier: MIT */
/*
 * large_gone.c - where mappings lay that went back to the system, for reports
 *
 * What    A ring of the last few. A second free of a large block finds nothing that is Ashlar's;
 *         this tells that something was. It does not tell a double free: the system may have given
 *         the addresses to anybody since, and the pointer may be right, but somebody else's.
 * State   gone, under the lock of large.c
 * Cost    three stores for each mapping that goes back, beside a system call
 */
#include "cache/large.h"

#define LARGE_LAST 16u

static struct {
	struct large_place place[LARGE_LAST];
	unsigned next;
} gone;

void large_gone_add(const char *start, size_t bytes)
{
	gone.place[gone.next++ % LARGE_LAST] = (struct large_place){ start, bytes, LARGE_GONE };
}

bool large_gone_find(const void *p, struct large_place *place)
{
	for (unsigned i = 1; i <= LARGE_LAST; i++) {
		const struct large_place *last = &gone.place[(gone.next - i) % LARGE_LAST];

		if ((size_t)((const char *)p - last->start) >= last->bytes)
			continue;
		*place = *last;
		return true;
	}
	return false;
}
