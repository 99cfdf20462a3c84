/* SPDX-License-Identifier: MIT */
/*
 * start.c - the slob library begins, and ends (see src/face/common/start.c)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

#include "ashlar/slab.h"
#include "cache/init.h"
#include "cache/option.h"

/* Only libashlar-slob-malloc.so has it: false where the program's malloc is not ours. */
__attribute__((weak, visibility("hidden"))) bool preload_decide(void);

/* The library that starts first ends last. */
__attribute__((destructor)) static void end(void)
{
	if (options.audit && init_begun())
		init_audit_point(true);
}

__attribute__((constructor)) static void start(void)
{
	void *first = dlsym(RTLD_DEFAULT, "ashlar_audit");

	if (preload_decide ? !preload_decide() : first && first != (void *)ashlar_audit)
		return;
	if (init_ready())
		pthread_atfork(init_stop, init_resume, init_resume_child);
}
