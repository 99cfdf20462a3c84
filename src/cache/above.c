/* SPDX-License-Identifier: MIT */
/*
 * above.c - see above.h
 *
 * State   above_first: the entries, last entered first; they only become more
 */
#include "cache/above.h"

static struct above *above_first;

void above_enter(struct above *entry)
{
	entry->next = LOAD_ACQUIRE(above_first);
	while (!__atomic_compare_exchange_n(&above_first, &entry->next, entry, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		continue;
}

struct above *above_stop(void)
{
	struct above *first = LOAD_ACQUIRE(above_first);

	for (struct above *a = first; a; a = a->next)
		a->stop();
	return first;
}

void above_resume(struct above *stopped)
{
	for (struct above *a = stopped; a; a = a->next)
		a->resume();
}

void above_forget(struct above *stopped)
{
	for (struct above *a = stopped; a; a = a->next)
		a->forget();
}

size_t above_audit(struct above *stopped)
{
	size_t faults = 0;

	for (struct above *a = stopped; a; a = a->next)
		faults += a->audit();
	return faults;
}

size_t above_shrink(void)
{
	size_t pages = 0;

	for (struct above *a = LOAD_ACQUIRE(above_first); a; a = a->next)
		pages += a->shrink();
	return pages;
}
