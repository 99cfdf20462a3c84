/* SPDX-License-Identifier: MIT */
/*
 * letters.h - which caches are debugged, and how: the kernel's slab_debug= text
 *
 * What    Blocks "LETTERS[,name,name...]" with ';' between them. A block without names speaks of
 *         all caches, one with names of those alone; names may hold * and ?.
 *
 *           F  sanity checks             Z  red zones         P  poison
 *           U  who allocated and freed   T  trace of each call
 *           A  allocations may be made to fail (failslab)
 *           O  no debugging where slabs would get larger by it
 *           -  nothing                   no letter at all: FZPU
 *
 * Rules   LT1 the first block that names a cache holds for it; else the last one without names
 *         LT2 what the cache's creator asked for is added to it, never taken away
 * Source  Linux Documentation/mm/slub.rst
 */
#ifndef ASHLAR_CACHE_LETTERS_H
#define ASHLAR_CACHE_LETTERS_H

#include "base/base.h"

/* Beside the SLAB_ flags: letter O. No cache has it. */
#define LETTERS_SAME_ORDER 0x1u

/* Flags that @text asks for in a cache of this name (LT1). */
u32 letters_flags(const char *text, const char *name);

/* All flags that it asks for in any cache. */
u32 letters_any(const char *text);

/* Are all letters in @length bytes of text known? */
bool letters_are_valid(const char *text, size_t length);

/* The flags of a word of letters; false iff one is unknown. */
bool letters_read(const char *letters, size_t length, u32 *flags);

/* Is @name in @length bytes of a list of patterns, "a,b*,c"? */
bool letters_list_has(const char *list, size_t length, const char *name);

/* Does @name, as a whole, look like the @length bytes of @pattern? */
bool letters_match(const char *pattern, size_t length, const char *name);

#endif
