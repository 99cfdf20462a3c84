/* SPDX-License-Identifier: MIT */
/*
 * block.h - floor 4 of slob: one object, wherever it may come from
 *
 * What    A block is an object of a slob page or a run of pages, of kmalloc or of a cache. All
 *         that is public goes through block_alloc and block_free; this floor alone decides which
 *         zone, and to reclaim and try again.
 * Order   of an allocation: this CPU's shard of the zones that suit, nearest first; memory that
 *         a zone can bring online; all pages of all shards; shrinkers (whose needs are met)
 *         (near.h)
 * Rules   BL2 a pointer is believed only after its page has been walked, or is a run's start
 *         BL3 a cache's count of objects in use changes with each object, whoever frees it; with
 *             threads, before the object is there and after it has gone
 */
#ifndef ASHLAR_SLOB_BLOCK_H
#define ASHLAR_SLOB_BLOCK_H

#include "ashlar/slab.h"
#include "engine/slob.h"

/* Every kmalloc is aligned to this, as the machine's largest type. */
#define BLOCK_ALIGN ((size_t)PORT_SLOB_ALIGN)

#define CACHE_NAME_MAX 32u

struct kmem_cache {
	struct kmem_cache *next; /* caches.lock */
	void (*ctor)(void *);
	size_t live;     /* atomic: objects in use (BL3) */
	u32 object_size; /* bytes, as asked for */
	u32 align;       /* bytes */
	u32 flags;       /* SLAB_*, as asked for */
	u32 useroffset;  /* where the window for user copies begins, bytes */
	u32 usersize;    /* its length; 0: there is none */
	u16 id;          /* in the headers of its objects, from 1; SL8 */
	char name[];
};

/* An object of @size bytes at @align, of cache @c or (NULL) kmalloc's, on @node (-1: any). With
 * __GFP_ZERO all that may be used reads as zero. */
void *block_alloc(size_t size, size_t align, struct kmem_cache *c, gfp_t gfp, int node);

/* Free what starts at @p: of cache @c, or (NULL) of anything. What is wrong is reported for
 * @function, and ends the program. */
void block_free(void *p, const struct kmem_cache *c, const char *function);

/* The same without what frees of before have left (nolock.h). */
void block_free_one(void *p, const struct kmem_cache *c, const char *function);

/* The same now, whatever it is: no readers are left (grace.h). */
void block_free_now(void *p, const char *function);

/* Where the object at @p can be queued, whose user is about to free it or who holds it, and its
 * cache's id; NULL where it is none that waits for readers. Takes no lock. */
void *block_wait_room(void *p, u16 *id);

/* For who may not wait: kmalloc's bytes, NULL where nothing is at hand; a free, false where it has
 * to be tried again, as always where it may not be done now (@now). What can be seen to be wrong is
 * reported for kfree_nolock. */
void *block_try_alloc(size_t size, size_t align, gfp_t gfp, int node);
bool block_try_free(void *p, bool now);

/* Bytes that may be used at @p, which must start a block in use; else a report. */
size_t block_usable(const void *p, const char *function);

/* Does @p start a block in use? */
bool block_is_used(const void *p);

/* The object or block in use that holds @p, at most @place->units behind its start, or what is
 * there instead: SLOB_USED or SLOB_INSIDE with *@start and its @*bytes; SLOB_UNUSED: nothing in
 * use; SLOB_DAMAGED. *@c: its cache, NULL: kmalloc's. */
enum slob_found block_extent(const void *p, const char **start, size_t *bytes,
			     struct kmem_cache **c);

/* Give a kmalloc @size bytes where it is; false iff it must move. Where somebody pays for it, or
 * (@paid) may have to, it stays only as long as it is: who pays is settled with a new block. */
bool block_resize(void *p, size_t size, bool paid);

/* A kmalloc's block, header included, ends where the next one's header belongs. */
static inline size_t block_bytes(size_t size)
{
	return size_align(size + SLOB_HEADER_KMALLOC, BLOCK_ALIGN);
}

/* Bytes that a kmalloc of @size at BLOCK_ALIGN really gets. */
size_t block_roundup(size_t size);

/* ---- caches: cache.c ---- */

struct kmem_cache *cache_of(u16 id);

/* For reports, in any context: the cache with this id (0: none) or at @p. NULL iff there is none,
 * or who has the list does not let go of it. */
const struct kmem_cache *cache_seen(u16 id, const void *p);
struct kmem_cache *const *cache_first(void); /* the list of caches, newest first */

/* Make a cache, or say for @function why not; of @args the alignment and constructor count. */
struct kmem_cache *cache_create(const char *name, size_t size, const struct kmem_cache_args *args,
				unsigned long flags, const char *function);

/* It is no cache, and has to be with SLAB_PANIC: then the end. */
void cache_create_failed(const char *name, unsigned long flags, const char *function);
size_t cache_audit(void);
void cache_guard(bool take); /* the list's lock: fork */

/* ---- report.c ---- */

/* The free blocks of the page at @page are not what they should be. */
_Noreturn void report_damage(const void *page);

/* ---- reclaim.c ---- */

/* An allocation found nothing: do what @gfp permits. Returns whether to try again. */
bool reclaim_retry(gfp_t gfp, unsigned attempt);

/* Pages were freed: keep what lies idle within its bound. */
void reclaim_check(struct zone *z);

/* The lock of the list of shrinkers: fork; its child has no other thread that runs one. */
void reclaim_guard(bool take);
void reclaim_forget(void);

/* ---- init.c: every guard of every zone ---- */
void init_guards(bool take);

#endif
