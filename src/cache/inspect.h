/* SPDX-License-Identifier: MIT */
/*
 * inspect.h - does a debugged object look as it should, and what is said if not
 *
 * What    The patterns of debug.h are compared, object by object; a report shows what was found
 *         where, the bytes around it, and who took the object and gave it back.
 * Rules   IN1 with F, Z or P what is wrong with the object in hand ends the program; a walk over
 *             a cache (validate, leaks) reports and goes on
 *         IN2 a walk holds the node's lock for one slab, and reports without it
 *         IN3 an object in use is wrong only if it is so twice, and in use all the time: another
 *             thread may free it while it is looked at (DB3)
 */
#ifndef ASHLAR_CACHE_INSPECT_H
#define ASHLAR_CACHE_INSPECT_H

#include "base/base.h"

struct kmem_cache;
struct page;

/* @p has to look in use (@active), or free; else a report and the end. @moment: "its free". */
void inspect_expect(const struct kmem_cache *c, void *p, bool active, const char *moment);

/* All objects of a slab that has left its node have to look free. */
void inspect_slab(const struct kmem_cache *c, struct page *head);

/* Look at every object of every slab; each that is wrong is reported. Returns how many. */
size_t inspect_cache(const struct kmem_cache *c);

/* Say where the objects in use were allocated. */
void inspect_leaks(const struct kmem_cache *c);

#endif
