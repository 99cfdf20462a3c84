/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - the malloc family, on kmalloc
 *
 * What    Sizes go to caches, failures become errno; nothing else happens here.
 * Source  malloc(3), posix_memalign(3), C23 7.24.3; where these leave a choice,
 *         glibc 2.36's
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "cache/kmalloc.h"
#include "cache/option.h"
#include "cache/sized.h"
#include "face/face.h"

FACE_PUBLIC fast_door void *malloc(size_t size)
{
	void *p;

	return likely(kmalloc_pop(size, &p)) ? p : malloc_slow(size);
}

noinline void *malloc_slow(size_t size)
{
	void *p;

	if (kmalloc_pop_lock(size, &p))
		return p;
	if (unlikely(preload_inert))
		return preload_next_malloc(size);
	p = kmalloc_slow(size_max(size, 1), GFP_KERNEL);
	if (unlikely(!p))
		errno = ENOMEM;
	return p;
}

/* Does @p go to the definitions behind ours: because all do, or with foreign=libc? */
static bool malloc_is_foreign(const void *p)
{
	return preload_inert || (options.foreign_libc && !map_contains(p) && !kmalloc_owns(p));
}

FACE_PUBLIC fast_door void free(void *p)
{
	free_fast(p, "free");
}

noinline void free_released(void *p)
{
	int saved = errno;

	kmalloc_free_released(p);
	errno = saved;
}

noinline void free_unknown(void *p, const char *function)
{
	enum kmalloc_push how;
	int saved;

	if (!p)
		return;
	how = kmalloc_push_lock(p);
	if (how == KMALLOC_RELEASED)
		free_released(p);
	if (how != KMALLOC_UNKNOWN)
		return;
	saved = errno;
	if (unlikely(malloc_is_foreign(p)))
		preload_next_free(p);
	else
		kmalloc_free(p, function);
	errno = saved;
}

static void *calloc_slow(size_t bytes)
{
	void *p = kmalloc_slow(size_max(bytes, 1), GFP_KERNEL | __GFP_ZERO);

	if (!p)
		errno = ENOMEM;
	return p;
}

FACE_PUBLIC void *calloc(size_t count, size_t size)
{
	size_t bytes;
	void *p;

	if (unlikely(__builtin_mul_overflow(count, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	if (likely(kmalloc_pop(bytes, &p)))
		return memset(p, 0, bytes);
	return preload_inert ? preload_next_calloc(count, size) : calloc_slow(bytes);
}

FACE_PUBLIC void *realloc(void *p, size_t size)
{
	int saved = errno;
	void *q;

	if (!p)
		return malloc(size);
	if (unlikely(malloc_is_foreign(p)))
		return preload_next_realloc(p, size);
	if (size == 0) {
		free_fast(p, "realloc");
		return NULL;
	}
	q = kmalloc_resize(p, size, GFP_KERNEL, "realloc");
	errno = q ? saved : ENOMEM;
	return q;
}

FACE_PUBLIC void *reallocarray(void *p, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

/* ---- alignment -------------------------------------------------------------------- */

void *malloc_aligned(size_t align, size_t size)
{
	void *p;

	if (unlikely(preload_inert))
		return preload_next_memalign(align, size);
	p = kmalloc_aligned(size_max(size, 1), align, GFP_KERNEL);
	if (!p)
		errno = ENOMEM;
	return p;
}

/* As glibc does: an alignment that is no power of two is rounded up to one. */
FACE_PUBLIC void *memalign(size_t align, size_t size)
{
	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	return malloc_aligned((size_t)1 << bits_log2_ceil(size_max(align, 1)), size);
}

FACE_PUBLIC void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

FACE_PUBLIC int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *p;

	if (!bits_is_power_of_two(align) || align % sizeof(void *) != 0)
		return EINVAL;
	p = malloc_aligned(align, size);
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

static size_t malloc_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

FACE_PUBLIC void *valloc(size_t size)
{
	return malloc_aligned(malloc_page_size(), size);
}

FACE_PUBLIC void *pvalloc(size_t size)
{
	size_t page = malloc_page_size();
	size_t bytes = size_align(size, page);

	if (bytes < size) {
		errno = ENOMEM;
		return NULL;
	}
	return malloc_aligned(page, size_max(bytes, page));
}

/* ---- sizes ------------------------------------------------------------------------- */

FACE_PUBLIC size_t malloc_usable_size(void *p)
{
	if (!p)
		return 0;
	if (unlikely(malloc_is_foreign(p)))
		return preload_next_usable(p);
	return kmalloc_usable(p, "malloc_usable_size");
}

static void malloc_free_sized(void *p, size_t align, size_t size, const char *function)
{
	if (p && !malloc_is_foreign(p))
		sized_check(p, size, align, function);
	free(p);
}

/* C23; the C library's headers do not have them yet. */
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);

FACE_PUBLIC void free_sized(void *p, size_t size)
{
	malloc_free_sized(p, 1, size, "free_sized");
}

FACE_PUBLIC void free_aligned_sized(void *p, size_t align, size_t size)
{
	malloc_free_sized(p, align, size, "free_aligned_sized");
}
