/* SPDX-License-Identifier: MIT */
/*
 * slab.c - bitmap slabs
 *
 * What    The engine of engine.h on whole blocks from the page floor: one bit
 *         an object, set while it is free, in the descriptors of the slab's
 *         pages, four words a page. Objects themselves hold nothing of ours.
 * Why     Bonwick, "The Slab Allocator" (1994); the bitmap is seed 001's, its
 *         place is seed 003's `struct page`.
 * Cost    take and put: a few instructions an object; no search, `hint` is the
 *         first word that may have a bit
 */
#include "base/bits.h"
#include "base/check.h"
#include "engine/engine.h"
#include "port/port.h"

/* Most bitmap words a slab may have, for the copy that discarding needs. */
#define SLAB_WORDS_MAX 64u

void slab_node_init(struct kmem_cache_node *n, struct kmem_cache *cache, const struct shape *shape,
		    unsigned node, u32 header_offset)
{
	*n = (struct kmem_cache_node){
		.cache = cache,
		.shape = shape,
		.node = node,
		.header_offset = header_offset,
	};
	list_init(&n->partial);
	list_init(&n->empty);
}

static u64 *slab_word(struct page *head, unsigned w)
{
	return &head[w / PAGE_WORDS].bits[w % PAGE_WORDS];
}

static unsigned slab_words(const struct shape *s)
{
	return (s->objects + 63) / 64;
}

static struct page *slab_head(const struct shape *s, const void *object)
{
	return &map.pages[map_pfn(object) & ~(((size_t)1 << s->order) - 1)];
}

/* Address of the object with index 0. */
static char *slab_first(const struct shape *s, const struct page *head)
{
	return (char *)map_page_address(head) + (size_t)head->colour * s->colour_off;
}

static unsigned slab_index(const struct shape *s, const struct page *head, const void *object)
{
	size_t offset = (size_t)((const char *)object - slab_first(s, head));

	return (unsigned)(((u64)offset * s->reciprocal) >> 32); /* H3 */
}

void slab_prepare(struct kmem_cache_node *n, struct page *head, void (*ctor)(void *))
{
	const struct shape *s = n->shape;
	size_t pfn = map_page_pfn(head);
	u32 colour = __atomic_fetch_add(&n->colour_next, 1, __ATOMIC_RELAXED) % s->colours;

	head->kind = PAGE_SLAB;
	head->owner = n;
	head->inuse = 0;
	head->colour = (u8)colour;
	head->hint = 0;
	head->discarded = 0;
	list_init(&head->link);
	for (unsigned w = 0; w < slab_words(s); w++)
		*slab_word(head, w) = bits_mask(s->objects - w * 64);
	if (ctor)
		for (unsigned i = 0; i < s->objects; i++)
			ctor(slab_first(s, head) + (size_t)i * s->stride);
	for (size_t i = pfn; i < pfn + ((size_t)1 << s->order); i++)
		map.ids[i] = (u16)n->header_offset;
}

/* Take up to @count objects out of one slab's bitmap, downwards from @end. */
static unsigned slab_take_bits(struct kmem_cache_node *n, struct page *head, void **end,
			       unsigned count)
{
	const struct shape *s = n->shape;
	char *first = slab_first(s, head);
	unsigned words = slab_words(s);
	unsigned taken = 0;
	unsigned w = head->hint;

	for (; w < words && taken < count; w++) {
		u64 *word = slab_word(head, w);
		u64 bits = *word;

		for (; bits && taken < count; bits &= bits - 1)
			*--end = first + (size_t)(w * 64 + bits_lowest(bits)) * s->stride, taken++;
		*word = bits;
		if (bits)
			break;
	}
	head->hint = (u8)size_min(w, words - 1);
	head->inuse = (u16)(head->inuse + taken);
	n->free_objects -= taken;
	return taken;
}

/* After a take: full slabs are on no list, others at the head of partial (E1). */
static void slab_relist(struct kmem_cache_node *n, struct page *head)
{
	list_remove(&head->link);
	if (head->inuse < n->shape->objects)
		list_add(&n->partial, &head->link);
}

static unsigned slab_take_shared(struct kmem_cache_node *n, void **end, unsigned count)
{
	unsigned taken = (unsigned)size_min(count, n->shared_avail);

	n->shared_avail -= taken;
	__builtin_memcpy(end - taken, &n->shared[n->shared_avail], taken * sizeof(void *));
	return taken;
}

unsigned slab_take(struct kmem_cache_node *n, void **end, unsigned count)
{
	unsigned taken = 0;

	if (READ_ONCE(n->free_objects) == 0 && READ_ONCE(n->shared_avail) == 0)
		return 0;
	lock_acquire(&n->lock);
	if (n->shared_avail)
		taken = slab_take_shared(n, end, count);
	while (taken < count && n->free_objects) {
		struct page *head;

		if (!list_is_empty(&n->partial)) {
			head = list_first_entry(&n->partial, struct page, link);
		} else {
			head = list_first_entry(&n->empty, struct page, link);
			n->empty_slabs--;
		}
		CHECK(head->kind == PAGE_SLAB && head->owner == n, "a slab on its node's list");
		taken += slab_take_bits(n, head, end - taken, count - taken);
		slab_relist(n, head);
	}
	lock_release(&n->lock);
	return taken;
}

unsigned slab_adopt(struct kmem_cache_node *n, struct page *head, void **end, unsigned count)
{
	unsigned taken;

	lock_acquire(&n->lock);
	n->slabs++;
	n->grown++;
	n->free_objects += n->shape->objects;
	taken = slab_take_bits(n, head, end, count);
	slab_relist(n, head);
	lock_release(&n->lock);
	return taken;
}

/* Set the object's bit; the slab moves from no list to partial, or to empty (E1). */
static void slab_put_bit(struct kmem_cache_node *n, void *object)
{
	const struct shape *s = n->shape;
	struct page *head = slab_head(s, object);
	unsigned index = slab_index(s, head, object);
	u64 *word = slab_word(head, index / 64);
	u64 bit = (u64)1 << (index % 64);

	CHECK(head->owner == n && !(*word & bit), "a free object is put into its slab once");
	*word |= bit;
	if (index / 64 < head->hint)
		head->hint = (u8)(index / 64);
	if (head->inuse == s->objects)
		list_add_tail(&n->partial, &head->link);
	head->inuse--;
	if (head->inuse == 0) {
		list_remove(&head->link);
		list_add(&n->empty, &head->link);
		n->empty_slabs++;
	}
}

/* Detach the last empty slab: its pages are no slab any more (E5). */
static void slab_release(struct kmem_cache_node *n, struct list *emptied)
{
	struct page *head = list_last_entry(&n->empty, struct page, link);

	list_remove(&head->link);
	n->empty_slabs--;
	n->slabs--;
	n->free_objects -= n->shape->objects;
	head->kind = PAGE_BLOCK;
	head->order = n->shape->order;
	list_add_tail(emptied, &head->link);
}

void slab_put(struct kmem_cache_node *n, void *const *objects, unsigned count,
	      struct list *emptied)
{
	unsigned shared;

	lock_acquire(&n->lock);
	shared = (unsigned)size_min(count, n->shared_limit - n->shared_avail);
	if (shared) {
		__builtin_memcpy(&n->shared[n->shared_avail], objects, shared * sizeof(void *));
		n->shared_avail += shared;
	}
	for (unsigned i = shared; i < count; i++)
		slab_put_bit(n, objects[i]);
	n->free_objects += count - shared;
	while (n->free_objects > n->free_limit && n->empty_slabs)
		slab_release(n, emptied);
	lock_release(&n->lock);
}

bool slab_shrink(struct kmem_cache_node *n, struct list *emptied)
{
	bool left;

	lock_acquire(&n->lock);
	for (unsigned i = 0; i < n->shared_avail; i++)
		slab_put_bit(n, n->shared[i]);
	n->free_objects += n->shared_avail;
	n->shared_avail = 0;
	while (n->empty_slabs)
		slab_release(n, emptied);
	left = n->slabs != 0;
	lock_release(&n->lock);
	return left;
}

bool slab_find(const struct kmem_cache_node *n, const void *p, struct slab_object *object)
{
	const struct shape *s = n->shape;
	struct page *head = slab_head(s, p);
	char *first = slab_first(s, head);
	unsigned index;

	if ((const char *)p < first)
		return false;
	index = (unsigned)((size_t)((const char *)p - first) / s->stride);
	if (index >= s->objects)
		return false;
	object->index = index;
	object->start = first + (size_t)index * s->stride;
	object->free = (*slab_word(head, index / 64) >> (index % 64)) & 1;
	return true;
}
