/* SPDX-License-Identifier: MIT */
/*
 * debug.h - caches whose objects are watched
 *
 * What    An object of a debugged cache lies between red zones, is filled with poison while it
 *         is free, and keeps behind it who took it and who gave it back:
 *
 *           | red zone | object ......... | red zone | size | taken by | given by | padding |
 *             16 bytes   p                  >= 8       8      128        128        to the stride
 *
 *         The red zone behind begins where the bytes end that were asked for.
 * Why     The arrays of such a cache stay closed (limit 0), so each call comes to the slow path
 *         by itself: a program that debugs nothing does not pay an instruction.
 * Nouns   active  the object is in use; inactive: it is free
 * Rules   DB1 red zones are 0xcc while the object is in use, 0xbb while it is free
 *         DB2 poison is 0x6b, the last byte 0xa5, while it is free; 0x5a when it is handed out
 *         DB3 an object whose state is IN_USE has its active pattern: it is laid before the
 *             state is set, and changed after the state is FREE again
 *         DB4 an object whose bit is set in its slab has its inactive pattern
 *         DB5 what needs room or patterns (Z P U) changes only while the cache has no slab
 *         DB6 with a constructor, poison takes the object: it is constructed again when it is
 *             handed out. Objects that may be read after they were freed are not poisoned
 * Source  the bytes and letters are Linux's: mm/slub.rst, include/linux/poison.h's numbers
 */
#ifndef ASHLAR_CACHE_DEBUG_H
#define ASHLAR_CACHE_DEBUG_H

#include "base/base.h"

struct kmem_cache;
struct page;
struct port_trace;

enum debug_byte {
	DEBUG_IN_USE = 0x5a,
	DEBUG_FREE = 0x6b,
	DEBUG_END = 0xa5,
	DEBUG_RED_INACTIVE = 0xbb,
	DEBUG_RED_ACTIVE = 0xcc,
};

#define DEBUG_RED_BYTES 16u

/* What a cache has of it. */
struct debug {
	u32 flags;    /* SLAB_ flags of debugging in force; 0: none */
	u32 red;      /* bytes of the red zone before an object; 0: none */
	u32 size_at;  /* where the size that was asked for lies, from the object's start; 0: none */
	u32 track_at; /* two struct port_trace: taken, given back; 0: none */
	u32 end;      /* where padding begins */
	u32 slow;     /* 1: its arrays stay closed, each call takes the slow path */
};

/* Choose the shape of a cache whose size, alignment, flags and name are set, with what its
 * flags and slab_debug= ask for. false iff there is no shape. */
bool debug_shape(struct kmem_cache *c);

/* Does slab_debug= or failslab= concern a cache of this name? */
bool debug_names(const char *name);

/* Has the program's start to prepare for stacks (port_trace_start)? */
bool debug_wants_callers(void);

/* The patterns of a new slab. */
void debug_prepare(const struct kmem_cache *c, struct page *head);

/* The constructor that a new slab's objects are made with (DB6). */
void (*debug_ctor(const struct kmem_cache *c))(void *);

/* @p, of whose bytes @size were asked for, is about to be handed out (its state is not set yet);
 * has come back (its state is FREE). What is wrong with it is reported and ends the program. */
void debug_alloc(struct kmem_cache *c, void *p, size_t size);
void debug_free(struct kmem_cache *c, void *p);

/* The cache takes part in failslab, or does so no longer. false iff its arrays cannot be had. */
bool debug_arm(struct kmem_cache *c, bool on);

/* Bytes that were asked for. */
size_t debug_size(const struct kmem_cache *c, const void *p);

/* Who took the object last, who gave it back. Only with track_at. */
struct port_trace *debug_track(const struct kmem_cache *c, const void *p, bool freed);

#endif
