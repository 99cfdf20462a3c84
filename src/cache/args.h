/* SPDX-License-Identifier: MIT */
/*
 * args.h - what kmem_cache_args may say, the same for both engines
 */
#ifndef ASHLAR_CACHE_ARGS_H
#define ASHLAR_CACHE_ARGS_H

#include "ashlar/slab.h"
#include "base/base.h"

/* Largest object of a cache, and largest alignment, bytes. */
#define ARGS_SIZE_MAX ((size_t)4 << 20)

/* Why objects of @size bytes cannot have this alignment, window or capacity; NULL: they can. */
const char *args_refuse(size_t size, const struct kmem_cache_args *a);

#endif
