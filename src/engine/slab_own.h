/* SPDX-License-Identifier: MIT */
/*
 * slab_own.h - what the files of the slab engine tell each other
 *
 * What    Where a slab's bitmap and objects are, and steps that run under the node's lock.
 */
#ifndef ASHLAR_ENGINE_SLAB_OWN_H
#define ASHLAR_ENGINE_SLAB_OWN_H

#include "engine/engine.h"

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

/* Under the node's lock: objects into their slabs; the last empty slab leaves for @emptied (E5). */
void slab_put_all(struct kmem_cache_node *n, void *const *objects, unsigned count);
void slab_release(struct kmem_cache_node *n, struct list *emptied);

/* What a node's generator starts with: 0 without random_seq. */
u64 slab_random_start(u32 header_offset);

/* Take up to @count objects out of one slab's bitmap in random order, downwards from @end. */
unsigned slab_take_random(struct kmem_cache_node *n, struct page *head, void **end, unsigned count);

#endif
