/* SPDX-License-Identifier: MIT */
/*
 * usercopy.h - what of an object may be copied: the halves that are the engine's, and both engines'
 */
#ifndef ASHLAR_CACHE_USERCOPY_H
#define ASHLAR_CACHE_USERCOPY_H

#include "base/base.h"

/* An object in use, and the part of it that may be copied. */
struct usercopy_window {
	const char *start;
	size_t from; /* bytes from @start; from == to: none of it may */
	size_t to;
	bool whole; /* the object is kmalloc's: all of it may */
};

/* Why the range may not be copied, or NULL (UC1, UC2). */
const char *usercopy_refuse_window(const struct usercopy_window *w, const char *p, size_t bytes);

/* The engine's: the same for a range whose first and last byte are ours. */
const char *usercopy_refuse_inside(const char *p, size_t bytes);

#endif
