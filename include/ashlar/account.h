/* SPDX-License-Identifier: MIT */
/*
 * account.h - groups that pay for memory, with limits
 *
 * What    What is allocated with __GFP_ACCOUNT, or from a cache made with SLAB_ACCOUNT, is charged
 *         to the group that is current: its stride and a pointer for an object (on slob: its
 *         block), its pages for a large block. A group and its parents have limits; what would
 *         exceed one is refused. What a group pays for can be told, and moved to another group.
 * Context Any thread; not signal handlers. Nothing here waits but for a short lock.
 * Source  Linux Documentation/admin-guide/cgroup-v2.rst, memory
 */
#ifndef ASHLAR_ACCOUNT_H
#define ASHLAR_ACCOUNT_H

#include "ashlar/slab.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ashlar_group;

/*
 * A group below @parent (NULL: below none) that may be charged @limit bytes at most, with all below
 * it; 0: any. @name is copied (31 characters). NULL iff @name is NULL or empty, which is printed,
 * or memory or places for groups (255; on slob also for what they have paid for, 4,094) are
 * exhausted.
 */
ASHLAR_API struct ashlar_group *ashlar_group_create(const char *name, struct ashlar_group *parent,
						    size_t limit);

/* What it pays for is paid by its parent from now on, or by nobody. Returns 0, or -EBUSY (-16),
 * with nothing changed, iff it has groups below it or is the default group. */
ASHLAR_API int ashlar_group_destroy(struct ashlar_group *group);

/* Another limit, also below what is charged already: then all charges are refused. */
ASHLAR_API void ashlar_group_set_limit(struct ashlar_group *group, size_t limit);

/*
 * Who pays: @current is asked at each charged allocation, in its thread, without locks, and may
 * answer NULL for nobody. Where none is bound (NULL), it is the default group.
 */
ASHLAR_API void ashlar_group_bind(struct ashlar_group *(*current)(void));

/* The default group of all threads, at first NULL. Returns what it was. */
ASHLAR_API struct ashlar_group *ashlar_group_set_default(struct ashlar_group *group);

/* Who pays for the object or block at @p? NULL: nobody. */
ASHLAR_API struct ashlar_group *ashlar_group_of(const void *p);

/* All that @from pays for, not counting groups below it, is paid by @to. Returns 0, or -ENOMEM
 * (-12), with nothing changed, if that would exceed a limit or memory is exhausted, or on slob
 * places are (4,094: groups, and what they paid for before each migration, until it is freed). */
ASHLAR_API int ashlar_group_migrate(struct ashlar_group *from, struct ashlar_group *to);

struct ashlar_group_stat {
	size_t bytes;   /* charged at this moment, with all groups below */
	size_t peak;    /* most at one time */
	size_t limit;   /* 0: none */
	size_t objects; /* objects and blocks, with those of all groups below */
	size_t refused; /* charges that would have exceeded the limit */
};
ASHLAR_API void ashlar_group_stat(const struct ashlar_group *group, struct ashlar_group_stat *stat);

#ifdef __cplusplus
}
#endif

#endif
