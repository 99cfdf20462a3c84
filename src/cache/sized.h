/* SPDX-License-Identifier: MIT */
/*
 * sized.h - a free that is told the size
 *
 * What    C23's free_sized of the malloc face and kfree_sized of a kernel that passes sizes (C++,
 *         Rust, Zig): the size is judged by one rule, for both engines.
 * Rules   SZ1 a size is right iff the block is of the class that serves it, or it is more than half
 *             of what is usable and not more than that: a block that was made smaller stays where
 *             it is while more than half of it is used. Blocks of up to 64 bytes always stay
 *         SZ2 a wrong size is reported before anything is freed
 * See     decision 12
 */
#ifndef ASHLAR_CACHE_SIZED_H
#define ASHLAR_CACHE_SIZED_H

#include <stddef.h>

/* Report, and end the program, iff the block in use that starts at @p cannot have been asked for
 * with @size bytes aligned to @align; any @align counts as the next power of two. @function is the
 * caller's name in a report. Cost: as kmalloc_usable. Context: where kfree may be called. */
void sized_check(const void *p, size_t size, size_t align, const char *function);

#endif
