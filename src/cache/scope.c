/* SPDX-License-Identifier: MIT */
/*
 * scope.c - see scope.h: memalloc_noreclaim_save, memalloc_noio_save, memalloc_nofs_save
 *
 * Source  Linux include/linux/sched/mm.h for names and meanings
 */
#include "cache/scope.h"
#include "cache/init.h"
#include "cache/report.h"
#include "port/port.h"

#define SCOPE_ALL ((uintptr_t)(SCOPE_NORECLAIM | SCOPE_NOIO | SCOPE_NOFS))

STATIC_ASSERT((SCOPE_NORECLAIM | SCOPE_NOIO | SCOPE_NOFS) == PORT_TASK_KEPT, "SC3");

u32 scope_used;

unsigned scope_find(void)
{
	return (unsigned)(port_task_word() & SCOPE_ALL);
}

/* Returns what this scope was before. */
static unsigned scope_begin(unsigned scope, const char *function)
{
	uintptr_t word;

	if (!init_ready())
		return 0;
	WRITE_ONCE(scope_used, 1);
	word = port_task_word();
	if (!(word & scope) && !port_task_set(word | scope))
		report_refusal(function, "scope", "this home has no word for each thread");
	return (unsigned)word & scope;
}

/* SC2 */
static void scope_end(unsigned scope, unsigned before)
{
	uintptr_t word = port_task_word();

	if ((word & scope) != (before & scope))
		port_task_set((word & ~(uintptr_t)scope) | (before & scope));
}

unsigned int memalloc_noreclaim_save(void)
{
	return scope_begin(SCOPE_NORECLAIM, "memalloc_noreclaim_save");
}

void memalloc_noreclaim_restore(unsigned int before)
{
	scope_end(SCOPE_NORECLAIM, before);
}

unsigned int memalloc_noio_save(void)
{
	return scope_begin(SCOPE_NOIO, "memalloc_noio_save");
}

void memalloc_noio_restore(unsigned int before)
{
	scope_end(SCOPE_NOIO, before);
}

unsigned int memalloc_nofs_save(void)
{
	return scope_begin(SCOPE_NOFS, "memalloc_nofs_save");
}

void memalloc_nofs_restore(unsigned int before)
{
	scope_end(SCOPE_NOFS, before);
}
