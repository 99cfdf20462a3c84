/* SPDX-License-Identifier: MIT */
/*
 * own_malloc.c - a malloc of the program's own: a bump allocator that never frees
 *
 * Why     Built into a program, or preloaded in front of Ashlar, it must win, wholly.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static char heap[24 << 20] __attribute__((aligned(4096)));
static size_t used;

int own_has(const void *p);
int own_has(const void *p)
{
	return (const char *)p >= heap && (const char *)p < heap + sizeof(heap);
}

void *memalign(size_t align, size_t n);
void *memalign(size_t align, size_t n)
{
	size_t at, end, room = (n + 15) & ~(size_t)15;

	if (align < 16)
		align = 16;
	do {
		end = __atomic_load_n(&used, __ATOMIC_RELAXED);
		at = (end + 16 + align - 1) & ~(align - 1);
		if (n > sizeof(heap) || at + room > sizeof(heap)) {
			errno = ENOMEM;
			return NULL;
		}
	} while (!__atomic_compare_exchange_n(&used, &end, at + room, 0, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	memcpy(heap + at - sizeof(n), &n, sizeof(n));
	return heap + at;
}

void *malloc(size_t n)
{
	return memalign(16, n);
}

/* A pointer of somebody else's would be a fault of whoever mixed the two. */
void free(void *p)
{
	if (p && !own_has(p))
		__builtin_trap();
}

void *calloc(size_t n, size_t size)
{
	return size && n > SIZE_MAX / size ? NULL : malloc(n * size);
}

void *realloc(void *p, size_t n)
{
	void *q = malloc(n);
	size_t old;

	if (!p || !q)
		return q;
	free(p);
	memcpy(&old, (char *)p - sizeof(old), sizeof(old));
	return memcpy(q, p, old < n ? old : n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	void *q = memalign(align, n);

	if (!q)
		return ENOMEM;
	*p = q;
	return 0;
}

void *aligned_alloc(size_t align, size_t n)
{
	return memalign(align, n);
}

size_t malloc_usable_size(void *p);
size_t malloc_usable_size(void *p)
{
	size_t n = 0;

	if (p)
		memcpy(&n, (char *)p - sizeof(n), sizeof(n));
	return n;
}
