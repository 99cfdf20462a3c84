/* SPDX-License-Identifier: MIT */
/*
 * face.h - floor 5: the standard interfaces, hosted only
 *
 * What    malloc.c and new.c are doors to kmalloc; glibc.c is what programs ask
 *         about their heap; preload.c decides whether we serve this program at
 *         all; common/ is what both libraries need: start and fork.
 */
#ifndef ASHLAR_FACE_FACE_H
#define ASHLAR_FACE_FACE_H

#include <stdbool.h>
#include <stddef.h>

#include "cache/kmalloc.h"

#define FACE_PUBLIC __attribute__((visibility("default")))

/* The program brings its own malloc: every name goes on to the next definition. */
extern bool preload_inert __attribute__((visibility("hidden")));
bool preload_decide(void);

/* The definitions behind ours (libc's), found when first needed. */
void *preload_next_malloc(size_t size);
void *preload_next_calloc(size_t count, size_t size);
void *preload_next_realloc(void *p, size_t size);
void *preload_next_memalign(size_t align, size_t size);
void preload_next_free(void *p);
size_t preload_next_usable(void *p);

/* malloc and free behind their fast halves, for operator new and delete. */
void *malloc_slow(size_t size);
void *malloc_aligned(size_t align, size_t size);
void free_released(void *p);
void free_unknown(void *p, const char *function);

/* free, and the same for the callers who are named otherwise in a report. That the two ways behind
 * it are two functions lets free end within its second cache line (decision 59). */
static always_inline void free_fast(void *p, const char *function)
{
	enum kmalloc_push how = kmalloc_push(p);

	if (unlikely(how == KMALLOC_RELEASED))
		free_released(p);
	else if (unlikely(how == KMALLOC_UNKNOWN))
		free_unknown(p, function);
}

#endif
