/* SPDX-License-Identifier: MIT */
/*
 * report.h - what is said when the heap was misused, before the program ends
 *
 * What    One line says which function was called with which pointer and what is
 *         wrong with that; the lines below show the object and the bytes there.
 * State   none: nothing is allocated, no lock is taken
 */
#ifndef ASHLAR_CACHE_REPORT_H
#define ASHLAR_CACHE_REPORT_H

#include "base/base.h"

struct kmem_cache;
struct page;

/* @function was given @p, which is not the start of an object or block in use. */
_Noreturn void report_pointer(const char *function, const void *p);

/* An array held an object that is in use (a double free that raced, or memory corruption). */
_Noreturn void report_claim(const void *p);

/* A sized free says @size, which is not of @p's cache. */
_Noreturn void report_size(const char *function, const void *p, size_t size);

/* kmem_cache_free(@c) of an object of another cache. */
_Noreturn void report_cache(const struct kmem_cache *c, const void *p);

/* kfree_nolock of something else than it takes back. */
_Noreturn void report_nolock(const void *p, const char *why);

/* A copy of @bytes at @p that must not be, and why. */
_Noreturn void report_usercopy(const void *p, size_t bytes, bool to_user, const char *why);

/* The large block in use that holds page @pfn, or NULL. */
const struct page *report_find_run(size_t pfn);

/* What cannot be: says why; the caller goes on. @name NULL: it has none. */
void report_refusal(const char *function, const char *name, const char *why);

/* @objects of @c are in use: @what, "cache" or "set", cannot be destroyed and stays. */
void report_leak(const char *function, const char *what, const struct kmem_cache *c,
		 size_t objects);

#endif
