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
#include "engine/slab_own.h"
#include "port/port.h"

void slab_node_init(struct kmem_cache_node *n, struct kmem_cache *cache, const struct shape *shape,
		    unsigned node, u32 header_offset)
{
	*n = (struct kmem_cache_node){
		.cache = cache,
		.shape = shape,
		.states = map_states(shape->stride),
		.node = node,
		.header_offset = header_offset,
		.random = slab_random_start(header_offset),
	};
	list_init(&n->partial);
	list_init(&n->empty);
	list_init(&n->holed);
	map_id(header_offset)->states = n->states;
}

/* All objects of a new slab are free. */
static void slab_set_all(struct page *head, unsigned objects)
{
	for (; objects > 64 * PAGE_WORDS; objects -= 64 * PAGE_WORDS, head++)
		for (unsigned w = 0; w < PAGE_WORDS; w++)
			head->bits[w] = ~(u64)0;
	for (unsigned w = 0; w * 64 < objects; w++)
		head->bits[w] = bits_mask(objects - w * 64);
}

bool slab_prepare(struct kmem_cache_node *n, struct page *head, void (*ctor)(void *))
{
	const struct shape *s = n->shape;
	size_t pfn = map_page_pfn(head);
	u32 colour;

	if (!map_use_states(n->states))
		return false;
	colour = __atomic_fetch_add(&n->colour_next, 1, __ATOMIC_RELAXED) % s->colours;

	head->kind = PAGE_SLAB;
	head->owner = n;
	head->inuse = 0;
	head->arriving = 0;
	head->colour = (u8)colour;
	head->hint = 0;
	head->discarded = 0;
	list_init(&head->link);
	slab_set_all(head, s->objects);
	*slab_queue(s, head) = (struct page_queue){ 0 };
	if (PORT_POPULATES && s->order >= 2)
		head[2].holes = (struct page_holes){ 0 };
	if (ctor)
		for (unsigned i = 0; i < s->objects; i++)
			ctor(slab_first(s, head) + (size_t)i * s->stride);
	map_fill_state(n->states, pfn, (size_t)1 << s->order, STATE_FREE);
	for (u16 *id = &map.ids[pfn], *end = id + ((size_t)1 << s->order); id < end; id++)
		*id = (u16)n->header_offset;
	return true;
}

/* How many bits from the lowest on are set, up to 64. */
static unsigned slab_ones(u64 bits)
{
	return ~bits ? bits_lowest(~bits) : 64;
}

/* Write @run objects that lie side by side downwards from @end; returns where the last one is. */
static void **slab_write(void **end, char *p, size_t stride, unsigned run)
{
	for (; run >= 8; run -= 8) {
		end -= 8;
		end[7] = p;
		end[6] = p += stride;
		end[5] = p += stride;
		end[4] = p += stride;
		end[3] = p += stride;
		end[2] = p += stride;
		end[1] = p += stride;
		end[0] = p += stride;
		p += stride;
	}
	for (; run; run--, p += stride)
		*--end = p;
	return end;
}

/* Take up to @count objects out of one slab's bitmap, lowest first, downwards from @end. Free
 * objects often lie side by side: a run of set bits is one step. */
static unsigned slab_take_lowest(struct kmem_cache_node *n, struct page *head, void **end,
				 unsigned count)
{
	const struct shape *s = n->shape;
	size_t stride = s->stride;
	char *first = slab_first(s, head);
	unsigned words = slab_words(s);
	unsigned left = count;
	unsigned w = head->hint;

	for (; w < words && left; w++) {
		u64 *word = slab_word(head, w);
		u64 bits = *word;

		if (~bits == 0 && left >= 64) { /* the usual in a new slab */
			end = slab_write(end, first + (size_t)w * 64 * stride, stride, 64);
			left -= 64;
			*word = 0;
			continue;
		}
		while (bits && left) {
			unsigned from = bits_lowest(bits);
			unsigned run = (unsigned)size_min(slab_ones(bits >> from), left);

			bits &= ~(bits_mask_some(run) << from);
			left -= run;
			end = slab_write(end, first + (size_t)(w * 64 + from) * stride, stride,
					 run);
		}
		*word = bits;
		if (bits)
			break;
	}
	count -= left;
	head->hint = (u8)size_min(w, words - 1);
	head->discarded = 0;
	head->inuse = (u16)(head->inuse + count);
	n->free_objects -= count;
	n->taken += count;
	n->taken_peak = size_max(n->taken_peak, n->slabs * s->objects - n->free_objects);
	return count;
}

/* E4 */
static unsigned slab_take_bits(struct kmem_cache_node *n, struct page *head, void **end,
			       unsigned count)
{
	if (unlikely(n->random))
		return slab_take_random(n, head, end, count);
	return slab_take_lowest(n, head, end, count);
}

/* After a take: full slabs are on no list, others at the head of partial (E1). */
static void slab_relist(struct kmem_cache_node *n, struct page *head)
{
	if (head->inuse < n->shape->objects && n->partial.next == &head->link)
		return;
	list_remove(&head->link);
	if (head->inuse < n->shape->objects)
		list_add(&n->partial, &head->link);
	else if (PORT_POPULATES)
		slab_place(n, head); /* it may be holed */
	else
		n->full_slabs++;
}

void slab_place(struct kmem_cache_node *n, struct page *head)
{
	const struct shape *s = n->shape;

	if (head->inuse == slab_withheld(n, head)) {
		if (head->inuse < s->objects)
			list_add(&n->empty, &head->link);
		else
			list_add_tail(&n->empty, &head->link);
		n->empty_slabs++;
	} else if (head->inuse < s->objects) {
		list_add_tail(&n->partial, &head->link);
	} else {
		n->full_slabs++;
		if (slab_withheld(n, head))
			list_add_tail(&n->holed, &head->link);
	}
}

/* With all objects free, all states are: an object of the slab in use would have been freed
 * twice, once into the slab and once by a thread that still had it. */
void slab_unmake(struct page *head)
{
	size_t pfn = map_page_pfn(head);
	size_t count = (size_t)1 << head->order;
	uintptr_t states = map_id(map.ids[pfn])->states;

	CHECK(map_is_state_free(states, pfn, count), "no object of an empty slab is in use");
	map_fill_state(states, pfn, count, STATE_NONE);
}

static unsigned slab_take_shared(struct kmem_cache_node *n, void **end, unsigned count)
{
	unsigned taken = (unsigned)size_min(count, n->shared_avail);

	n->shared_avail -= taken;
	n->shared_touched = true;
	__builtin_memcpy(end - taken, &n->shared[n->shared_avail], taken * sizeof(void *));
	return taken;
}

unsigned slab_take_held(struct kmem_cache_node *n, void **end, unsigned count)
{
	unsigned taken = 0;

	n->taken_last = true;
	if (n->shared_avail)
		taken = slab_take_shared(n, end, count);
	while (taken < count && slab_ready(n)) {
		struct page *head;

		if (!list_is_empty(&n->partial)) {
			head = list_first_entry(&n->partial, struct page, link);
		} else {
			head = list_first_entry(&n->empty, struct page, link);
			n->empty_slabs--;
			n->free_touched = true;
		}
		CHECK(head->kind == PAGE_SLAB && head->owner == n, "a slab on its node's list");
		taken += slab_take_bits(n, head, end - taken, count - taken);
		slab_relist(n, head);
	}
	return taken;
}

unsigned slab_take(struct kmem_cache_node *n, void **end, unsigned count)
{
	unsigned taken;

	if (!slab_has_any(n))
		return 0;
	slab_lock(n);
	taken = slab_take_held(n, end, count);
	lock_release(&n->lock);
	return taken;
}

void slab_join(struct kmem_cache_node *n, struct page *head)
{
	n->slabs++;
	n->slabs_peak = size_max(n->slabs_peak, n->slabs);
	n->grown++;
	n->free_objects += n->shape->objects - head->inuse;
	n->taken += head->inuse;
	n->taken_peak = size_max(n->taken_peak, n->slabs * n->shape->objects - n->free_objects);
	slab_relist(n, head);
}

unsigned slab_adopt(struct kmem_cache_node *n, struct page *head, void **end, unsigned count)
{
	unsigned taken;

	slab_lock(n);
	slab_join(n, head);
	taken = slab_take_bits(n, head, end, count);
	slab_relist(n, head);
	lock_release(&n->lock);
	return taken;
}

/* After a put of @count objects: the slab moves from no list to partial, or to empty (E1). */
static void slab_settle(struct kmem_cache_node *n, struct page *head, unsigned count)
{
	if (head->inuse == n->shape->objects) {
		if (PORT_POPULATES)
			list_remove(&head->link);
		list_add_tail(&n->partial, &head->link);
		n->full_slabs--;
	}
	head->inuse = (u16)(head->inuse - count);
	head->discarded = 0;
	if (head->inuse == slab_withheld(n, head)) {
		list_remove(&head->link);
		list_add(&n->empty, &head->link);
		n->empty_slabs++;
	}
}

/* The same number, but the compiler does not see that it was added to: else it keeps many sums
 * where one addition a step is less. */
static always_inline uintptr_t slab_unseen(uintptr_t n)
{
	__asm__("" : "+r"(n));
	return n;
}

/* Do four objects lie @step bytes apart, from *@at on? Then that moves behind them. */
static always_inline bool slab_are_next(void *const *objects, uintptr_t *at, size_t step)
{
	uintptr_t first = *at;
	uintptr_t second = slab_unseen(first + step);
	uintptr_t third = slab_unseen(second + step);
	uintptr_t fourth = slab_unseen(third + step);

	*at = slab_unseen(fourth + step);
	return (uintptr_t)objects[0] == first && (uintptr_t)objects[1] == second &&
	       (uintptr_t)objects[2] == third && (uintptr_t)objects[3] == fourth;
}

/* How many of the first @count objects lie @step bytes after the one before them. */
static unsigned slab_run(void *const *objects, unsigned count, size_t step)
{
	void *const *at = objects;
	void *const *end = objects + count;
	uintptr_t expected = (uintptr_t)objects[0];
	uintptr_t next = expected;

	for (void *const *last = objects + (count & ~7u); at < last; at += 8) {
		if (!slab_are_next(at, &next, step) || !slab_are_next(at + 4, &next, step))
			break;
		expected = next;
	}
	for (; at < end && (uintptr_t)*at == expected; at++)
		expected += step;
	return (unsigned)(at - objects);
}

/* Set @count bits of a slab's bitmap from the @index-th on. */
static void slab_set_bits(struct page *head, unsigned index, unsigned count)
{
	while (count) {
		unsigned at = index % 64;
		unsigned some = (unsigned)size_min(64 - at, count);
		u64 bits = bits_mask_some(some) << at;
		u64 *word = slab_word(head, index / 64);

		CHECK(!(*word & bits), "a free object is put into its slab once");
		*word |= bits;
		index += some;
		count -= some;
	}
}

/* The bit of one object that is nobody's neighbour. */
static always_inline void slab_set_bit(struct page *head, unsigned index)
{
	u64 bit = (u64)1 << (index % 64);
	u64 *word = slab_word(head, index / 64);

	CHECK(!(*word & bit), "a free object is put into its slab once");
	*word |= bit;
}

/* Put the first of @count objects into its slab, and with it those of its neighbours there that lie
 * behind it, upwards or downwards: objects are often freed in a row. Returns how many these are.
 * Constant arguments choose the way of one object alone. */
static always_inline unsigned slab_put_run(struct kmem_cache_node *n, void *const *objects,
					   unsigned count, size_t step)
{
	const struct shape *s = n->shape;
	struct page *head = slab_head(s, objects[0]);
	size_t offset = (size_t)((char *)objects[0] - slab_first(s, head));
	unsigned index = (unsigned)(((u64)offset * s->reciprocal) >> 32); /* H3 */
	unsigned run = 1;

	CHECK(offset < (size_t)s->objects * s->stride && head->kind == PAGE_SLAB &&
		      head->owner == n,
	      "objects go into their own slab");
	if (step == s->stride) {
		run = slab_run(objects, (unsigned)size_min(s->objects - index, count), step);
	} else if (step) {
		run = slab_run(objects, (unsigned)size_min(index + 1, count), step);
		index -= run - 1;
	}
	if (step)
		slab_set_bits(head, index, run);
	else
		slab_set_bit(head, index);
	head->hint = (u8)size_min(index / 64, head->hint);
	slab_settle(n, head, run);
	return run;
}

void slab_put_all(struct kmem_cache_node *n, void *const *objects, unsigned count)
{
	size_t stride = n->shape->stride;
	unsigned run;

	n->free_objects += count;
	n->free_peak = size_max(n->free_peak, n->free_objects);
	for (; count; objects += run, count -= run) {
		size_t step = count > 1 ? (uintptr_t)objects[1] - (uintptr_t)objects[0] : 0;

		if (step == stride || step == 0 - stride)
			run = slab_put_run(n, objects, count, step);
		else
			run = slab_put_run(n, objects, 1, 0);
	}
}

/* Detach the last empty slab: its pages are no slab any more (E5). */
void slab_release(struct kmem_cache_node *n, struct list *emptied)
{
	struct page *head = list_last_entry(&n->empty, struct page, link);

	list_remove(&head->link);
	n->empty_slabs--;
	n->slabs--;
	n->free_objects -= n->shape->objects;
	if (PORT_POPULATES)
		n->withheld -= slab_withheld(n, head);
	head->kind = PAGE_BLOCK;
	head->order = n->shape->order;
	list_add_tail(emptied, &head->link);
}

void slab_put_held(struct kmem_cache_node *n, void *const *objects, unsigned count)
{
	unsigned shared = (unsigned)size_min(count, n->shared_limit - n->shared_avail);

	n->taken_last = false;
	if (shared) {
		__builtin_memcpy(&n->shared[n->shared_avail], objects, shared * sizeof(void *));
		n->shared_avail += shared;
	}
	slab_put_all(n, objects + shared, count - shared);
	n->put_since += count - shared;
}

bool slab_put(struct kmem_cache_node *n, void *const *objects, unsigned count, struct list *emptied)
{
	bool holes;

	slab_lock(n);
	slab_put_held(n, objects, count);
	while (slab_ready(n) > n->free_limit && n->empty_slabs)
		slab_release(n, emptied);
	holes = slab_has_holes(n);
	lock_release(&n->lock);
	return holes;
}

bool slab_shrink(struct kmem_cache_node *n, struct list *emptied)
{
	bool left;

	slab_lock(n);
	slab_put_all(n, n->shared, n->shared_avail);
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
	object->free = ((READ_ONCE(*slab_word(head, index / 64)) >> (index % 64)) & 1) ||
		       slab_lacks(s, head, index, slab_absent(s, head));
	return true;
}
