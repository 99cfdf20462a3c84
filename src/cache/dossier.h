/* SPDX-License-Identifier: MIT */
/*
 * dossier.h - what is said about an object of a debugged cache
 *
 * What    The reports of inspect.c, who took an object and gave it back, the leaks of a cache
 *         that is destroyed. Lines are written one by one, by the formatter that allocates
 *         nothing; no lock is held.
 */
#ifndef ASHLAR_CACHE_DOSSIER_H
#define ASHLAR_CACHE_DOSSIER_H

#include "base/base.h"

struct kmem_cache;
struct port_trace;
struct text;

#define DOSSIER_STACKS 16u /* different stacks of leaked objects that are told */

enum dossier_kind {
	DOSSIER_OVERFLOW,
	DOSSIER_UNDERFLOW,
	DOSSIER_FREE_OVERFLOW, /* the same, while it was free */
	DOSSIER_FREE_UNDERFLOW,
	DOSSIER_WRITTEN_FREE,
	DOSSIER_PADDING,
	DOSSIER_SLAB,
};

/* What is wrong with one object. */
struct dossier {
	const struct kmem_cache *cache;
	const char *object;
	const char *moment; /* when it was seen: "its free" */
	const u8 *at;       /* the first byte that is wrong */
	size_t wrong;       /* how many are; 0: no byte is, but what is known of the object */
	enum dossier_kind kind;
	u8 want;
	u8 bits;     /* that differ in the first wrong byte */
	bool active; /* it is in use */
};

void dossier_print(const struct dossier *d);

/* Say what is known of the object that holds @p. Returns false iff there is none. */
bool dossier_describe(const void *p);

/* Lines "allocated by" and "freed by", if the cache keeps them. */
void dossier_print_tracks(const struct kmem_cache *c, const void *p);

/* "  freed by thread 12 on CPU 1, 3 ms ago" and the stack. */
void dossier_print_who(const struct port_trace *by, const char *what);

/* " at 0x1234, 2 bytes past its end" of @size bytes from @start. */
void dossier_place(struct text *t, const void *at, const void *start, size_t size);

/* T: one call, as it happens. */
void dossier_trace(const struct kmem_cache *c, const void *p, const char *what,
		   const struct port_trace *by);

/* Objects that are still in use, by the stacks that took them. */
struct dossier_leaks {
	const struct kmem_cache *cache;
	unsigned stacks;
	size_t others; /* objects with further stacks */
	struct dossier_leak {
		const struct port_trace *taken; /* in one of the objects */
		const void *object;
		size_t count;
	} leak[DOSSIER_STACKS];
};
void dossier_add_leak(struct dossier_leaks *leaks, const void *p);
void dossier_print_leaks(const struct dossier_leaks *leaks);

#endif
