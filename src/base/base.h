/* SPDX-License-Identifier: MIT */
/*
 * base.h - the words that every room uses
 *
 * What    Fixed-size integers, a few compiler attributes, container_of, and
 *         single loads and stores. Only the compiler's own headers.
 */
#ifndef ASHLAR_BASE_BASE_H
#define ASHLAR_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define CACHE_LINE 64u

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline __attribute__((__noinline__))
#define cold __attribute__((__cold__, __noinline__))
#define always_inline inline __attribute__((__always_inline__))
/* Data of ours alone: reached directly, not through the table that other libraries could change. */
#define internal_data __attribute__((__visibility__("hidden")))
#define cacheline_aligned __attribute__((aligned(64)))
/* Of a function that is called all the time: it begins with a cache line, and so takes as few of
 * the processor's lines of decoded instructions as it can (decision 59). */
#define fast_door __attribute__((aligned(64)))
#define STATIC_ASSERT _Static_assert

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What is written under a lock may be read without it, as a hint: ThreadSanitizer shall not ask
 * for the lock. @bytes is constant: this becomes one load. */
static inline __attribute__((no_sanitize("thread"))) uintptr_t read_once(const volatile void *p,
									 size_t bytes)
{
	if (bytes == sizeof(u8))
		return *(const volatile u8 *)p;
	if (bytes == sizeof(u16))
		return *(const volatile u16 *)p;
	if (bytes == sizeof(u32))
		return *(const volatile u32 *)p;
	return *(const volatile uintptr_t *)p;
}

/* One load or store that the compiler neither splits, repeats nor moves past another. */
#define READ_ONCE(x) \
	((__typeof__(__atomic_load_n(&(x), __ATOMIC_RELAXED)))read_once(&(x), sizeof(x)))
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define LOAD_ACQUIRE(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define STORE_RELEASE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)

static inline size_t size_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t size_max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Round up to a multiple of @align, a power of two; wraps to a small number past SIZE_MAX. */
static inline size_t size_align(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

#endif
