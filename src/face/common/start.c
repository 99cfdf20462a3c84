/* SPDX-License-Identifier: MIT */
/*
 * start.c - the library begins: before every other, while there is one thread
 *
 * What    Starts the core, so that what has to be told to the kernel is told
 *         while that is cheap, and registers the fork handlers: ours are the
 *         first registered, so they run last before a fork and first after it,
 *         when everybody else's handlers may still allocate.
 * Why     fork copies one thread: every lock and every CPU's arrays must be ours at
 *         that moment, or the child finds them held by a thread it does not have.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

#include "ashlar/slab.h"
#include "cache/debug.h"
#include "cache/guard.h"
#include "cache/init.h"
#include "cache/option.h"
#include "face/common/fault.h"
#include "face/common/record.h"
#include "port/port.h"

/* Only libashlar-malloc.so has it: false where the program's malloc is not ours. */
__attribute__((weak, visibility("hidden"))) bool preload_decide(void);

/* With both libraries in a process the first one serves, and the other has nothing to do. A
 * program that contains us (libashlar.a) need not show our names to anybody. */
static bool start_is_first(void)
{
	void *first = dlsym(RTLD_DEFAULT, "ashlar_audit");

	return !first || first == (void *)ashlar_audit;
}

/* Every allocation will fail; the reason is worth a line. */
static void start_say_none(void)
{
	static const char text[] = "ashlar: no memory can be reserved (ulimit -v, limit=): every "
				   "allocation will fail\n";

	port_write(text, sizeof(text) - 1);
}

/* The library that starts first ends last: whatever still runs has stopped allocating, or is
 * stopped for the length of the audit. */
__attribute__((destructor)) static void end(void)
{
	if (options.audit && init_begun())
		init_audit_point(true);
	record_leave(options.audit);
}

__attribute__((constructor)) static void start(void)
{
	if (preload_decide ? !preload_decide() : !start_is_first())
		return;
	if (!init_ready()) {
		start_say_none();
		return;
	}
	if (debug_wants_callers() || guard_is_on())
		port_trace_start();
	if (guard_is_on())
		fault_catch();
	pthread_atfork(init_stop, init_resume, init_resume_child);
	record_start();
}
