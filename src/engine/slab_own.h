/* SPDX-License-Identifier: MIT */
/*
 * slab_own.h - what the files of the slab engine tell each other
 *
 * What    Where a slab's bitmap and objects are, and steps that run under the node's lock.
 */
#ifndef ASHLAR_ENGINE_SLAB_OWN_H
#define ASHLAR_ENGINE_SLAB_OWN_H

#include "base/bits.h"
#include "engine/engine.h"
#include "port/port.h"

static inline u64 *slab_word(struct page *head, unsigned w)
{
	return &head[w / PAGE_WORDS].bits[w % PAGE_WORDS];
}

static inline unsigned slab_words(const struct shape *s)
{
	return (s->objects + 63) / 64;
}

static inline struct page *slab_head(const struct shape *s, const void *object)
{
	return &map.pages[map_pfn(object) & ~(((size_t)1 << s->order) - 1)];
}

/* A look without the lock: is there anything to take, or to sweep? */
static inline bool slab_has_any(const struct kmem_cache_node *n)
{
	return slab_ready(n) || READ_ONCE(n->shared_avail) || LOAD_ACQUIRE(n->queue);
}

/* In the second page's descriptor, or where there is none, in words that hold no bits (shape.c). */
static inline struct page_queue *slab_queue(const struct shape *s, struct page *head)
{
	return s->order ? &head[1].queue :
			  (struct page_queue *)(void *)&head->bits[PAGE_QUEUE_WORD];
}

/* Objects without memory: they have no bit, and are in use in their slab (E9). */
static inline u32 slab_withheld(const struct kmem_cache_node *n, const struct page *head)
{
	return PORT_POPULATES && n->withheld && n->shape->order >= 2 ? head[2].holes.objects : 0;
}

/* Does the object with this index touch one of @pages? */
static inline bool slab_lacks(const struct shape *s, const struct page *head, size_t index,
			      u64 pages)
{
	size_t begin = s->first + (size_t)head->colour * s->colour_off + index * s->stride;
	size_t from = begin >> PAGE_SHIFT;
	size_t to = (begin + s->stride - 1) >> PAGE_SHIFT;

	return pages && pages >> from & bits_mask_some((unsigned)(to - from) + 1);
}

/* Under the node's lock: a slab that is on no list comes where it belongs: to the head of empty,
 * or its end if nothing can be taken from it (E9), or the end of partial or holed; a full one is
 * counted. */
void slab_place(struct kmem_cache_node *n, struct page *head);

/* Under the node's lock: slab_take and slab_put, without what comes after; a prepared slab, some
 * of whose objects may be out, joins. */
unsigned slab_take_held(struct kmem_cache_node *n, void **end, unsigned count);
void slab_put_held(struct kmem_cache_node *n, void *const *objects, unsigned count);
void slab_join(struct kmem_cache_node *n, struct page *head);

/* Under the node's lock: objects into their slabs; the last empty slab leaves for @emptied (E5). */
void slab_put_all(struct kmem_cache_node *n, void *const *objects, unsigned count);
void slab_release(struct kmem_cache_node *n, struct list *emptied);

/* The same: is it time to give back pages inside used slabs (E7)? */
bool slab_holes_due(struct kmem_cache_node *n);

static inline bool slab_has_holes(struct kmem_cache_node *n)
{
	return PORT_GIVES_BACK && !PORT_POPULATES && slab_holes_due(n);
}

/* What a node's generator starts with: 0 without random_seq. */
u64 slab_random_start(u32 header_offset);

/* Take up to @count objects out of one slab's bitmap in random order, downwards from @end. */
unsigned slab_take_random(struct kmem_cache_node *n, struct page *head, void **end, unsigned count);

/* An index that cannot be guessed, of a slab with all objects free that nobody knows. */
unsigned slab_random_index(const struct kmem_cache_node *n, const struct page *head);

#endif
