/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_class.h - the classes of sizes that kmalloc has caches for
 */
#ifndef ASHLAR_CACHE_KMALLOC_CLASS_H
#define ASHLAR_CACHE_KMALLOC_CLASS_H

#include "base/base.h"

struct text;

/* Size of a class: 16 .. 128, then 160, 192, 224, 256, 320 ... */
size_t kmalloc_class_size(unsigned class);

/* "kmalloc-64", "kmalloc-1k", with its end: exact multiples of 1024 by their k. */
void kmalloc_class_name(struct text *t, const char *before, size_t size);

/* Zeros that the compiler keeps, though nobody reads them again. */
static inline void kmalloc_wipe(void *p, size_t bytes)
{
	__builtin_memset(p, 0, bytes);
	__asm__ volatile("" : : "r"(p) : "memory");
}

#endif
