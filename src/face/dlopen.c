/* SPDX-License-Identifier: MIT */
/*
 * dlopen.c - dlopen without RTLD_DEEPBIND
 *
 * What    Masks the flags and goes on to the next definition.
 * Why     A library opened with RTLD_DEEPBIND finds libc's malloc before ours, and gives us
 *         libc's pointers to free. dlopen looks libraries up as its caller would ($ORIGIN,
 *         RUNPATH) and knows the caller by the return address: so ours ends in a jump, which
 *         gcc and clang make of a call in tail position; test/env/deepbind.sh looks.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "cache/option.h"
#include "face/face.h"

static void *(*dlopen_next)(const char *file, int mode);

static noinline void dlopen_find(void)
{
	*(void **)&dlopen_next = dlsym(RTLD_NEXT, "dlopen");
}

FACE_PUBLIC void *dlopen(const char *file, int mode)
{
	if (!dlopen_next)
		dlopen_find();
	if (!options.keep_deepbind && !preload_inert)
		mode &= ~RTLD_DEEPBIND;
	return dlopen_next(file, mode);
}
