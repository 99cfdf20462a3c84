/* SPDX-License-Identifier: MIT */
/*
 * large.h - blocks served by pages
 *
 * What    Above the largest size cache a block is a run of pages from the buddy,
 *         its unused tail given back; above the largest order, or an alignment
 *         the arena cannot give, a mapping of its own.
 * Why     Runs: nothing is lost to rounding, and growing in place is a free buddy
 *         away. Mappings: the system moves them without copying. Freed mappings
 *         are kept for reuse within the bound: mapping anew costs a fault a page.
 * Rules   LG1 a run's first page has kind LARGE and its length, until exactly one free ends it
 *         LG2 every mapping is on exactly one list: used (hashed by address) or kept
 */
#ifndef ASHLAR_CACHE_LARGE_H
#define ASHLAR_CACHE_LARGE_H

#include "ashlar/gfp.h"
#include "base/base.h"

bool large_init(void);

/* @size bytes aligned to @align, at least a page; zeroed with __GFP_ZERO. NULL iff exhausted, or
 * with __GFP_ACCOUNT refused by the limit of the caller's group, who pays for it. */
void *large_alloc(size_t size, size_t align, gfp_t gfp);

/* The same on NUMA node @node if possible. With __GFP_THISNODE only there: then a mapping, whose
 * memory comes from wherever it is touched first, will not do where there are several nodes. */
void *large_alloc_node(size_t size, size_t align, gfp_t gfp, unsigned node);

/* The same as a mapping of its own, whatever its size. Makes system calls. */
void *large_alloc_mapping(size_t size, size_t align, gfp_t gfp);

/* Of large_paid.c: the same two, but nobody pays; write down who pays for a mapping, and for how
 * many bytes; give a block that nobody knows back, waiting only if @gfp may. */
struct account_owner;
void *large_get(size_t size, size_t align, gfp_t gfp, unsigned node);
void *large_get_mapping(size_t size, size_t align, gfp_t gfp);
void large_set_owner(const void *p, struct account_owner *owner, size_t bytes);
void large_undo(void *p, gfp_t gfp);

/* Free the run or mapping that starts at @p; false iff there is none. */
bool large_free(void *p);

/* Who pays for the run or mapping that starts at @p; NULL: nobody. */
struct account_owner *large_owner(const void *p);

/* Bytes of the run or mapping that starts at @p; 0 iff there is none. */
size_t large_size(const void *p);

/* The mapping that @p is in, for reports: in use or kept; else one of those that went back last.
 * false iff there is none, or its list is being changed all the time (it is waited for, but not for
 * ever: a signal may have come in). */
enum large_state {
	LARGE_USED,
	LARGE_KEPT, /* free, for reuse */
	LARGE_GONE, /* with the system, which may have given the addresses to anybody since */
};
struct large_place {
	const char *start;
	size_t bytes;
	enum large_state state;
};
bool large_look(const void *p, struct large_place *place);

/* large_gone.c: the last mappings that went back, or away from where they were. Under the lock of
 * large.c. */
void large_gone_add(const char *start, size_t bytes);
bool large_gone_find(const void *p, struct large_place *place);

/* Change the size without moving (runs) or by remapping (mappings): the new place, or NULL
 * where this way is not possible and the block is as it was. */
void *large_resize(void *p, size_t size, gfp_t gfp);

/* Unmap kept mappings until at most @keep pages are kept. */
void large_trim(size_t keep);

/* Pages, for tools that read them from outside. */
struct large_figures {
	size_t runs; /* in runs */
	size_t used; /* in mappings in use */
	size_t kept; /* in kept mappings */
};
const struct large_figures *large_figures(void);

static inline size_t large_kept_pages(void) /* in kept mappings */
{
	return READ_ONCE(large_figures()->kept);
}

static inline size_t large_used_pages(void) /* in mappings in use */
{
	return READ_ONCE(large_figures()->used);
}

size_t large_refaulted_pages(void); /* mapped anew after as much had been unmapped, ever */

size_t large_audit(void);
void large_lock_all(void);
void large_unlock_all(void);

#endif
