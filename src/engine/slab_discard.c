/* SPDX-License-Identifier: MIT */
/*
 * slab_discard.c - pages inside used slabs go back to the system (E7)
 *
 * What    When it is due, and what phases teach. Then all free objects of a partial slab are
 *         taken, the pages that only they touch are discarded without the node's lock, and the
 *         objects come back.
 * See     decision 07
 */
#include "base/bits.h"
#include "engine/slab_own.h"
#include "port/port.h"

/* Idle memory inside a node's used slabs that is never given back, beside half of the used (E7). */
#define SLAB_IDLE_BYTES ((size_t)1 << 20)
#define SLAB_LEARN_BYTES ((size_t)16 << 20) /* what a small node may learn to keep, too */

/* Most bitmap words a slab may have, for the copy that discarding needs. */
#define SLAB_WORDS_MAX 64u

/* What was given back is needed again when as much is in use as before, and more: it was given back
 * too early. Who takes and puts without needing more teaches nothing. */
static void slab_learn_holes(struct kmem_cache_node *n, size_t used)
{
	size_t peak = n->slabs_peak * n->shape->objects;
	size_t most = size_max(peak / 4, size_min(peak, SLAB_LEARN_BYTES / n->shape->stride));
	size_t again = size_min(n->used_high - n->used_low, n->given);

	n->given -= again;
	n->learned = size_min(n->learned + again, most);
	n->used_high = used;
	n->used_low = used;
}

bool slab_holes_due(struct kmem_cache_node *n)
{
	size_t all = n->slabs * n->shape->objects;
	size_t idle = n->free_objects;
	size_t used = all - idle;

	n->used_high = size_max(n->used_high, used);
	if (n->put_since * 2 < idle || idle < used / 2 ||
	    (idle - used / 2) * n->shape->stride < SLAB_IDLE_BYTES)
		return false;
	slab_learn_holes(n, used);
	if ((idle - used / 2 - size_min(idle - used / 2, n->learned)) * n->shape->stride <
	    SLAB_IDLE_BYTES)
		return false;
	n->put_since = 0;
	n->given += idle;
	n->learned -= n->learned / 16;
	return true;
}

/* Are all objects that touch page @page of the slab among @stolen? */
static bool slab_page_is_free(const struct shape *s, const struct page *head, const u64 *stolen,
			      unsigned page)
{
	size_t first = s->first + (size_t)head->colour * s->colour_off;
	size_t begin = (size_t)page << PAGE_SHIFT;
	size_t end = begin + PAGE_SIZE;
	size_t from = begin > first ? (begin - first) / s->stride : 0;
	size_t to = end > first ? (end - first + s->stride - 1) / s->stride : 0;

	for (size_t i = from; i < size_min(to, s->objects); i++)
		if (!((stolen[i / 64] >> (i % 64)) & 1))
			return false;
	return true;
}

/* Take every free object of a partial slab, so that nobody else does; it is on no list now. */
static void slab_steal(struct kmem_cache_node *n, struct page *head, u64 *stolen)
{
	const struct shape *s = n->shape;
	u16 count = (u16)(s->objects - head->inuse);

	for (unsigned w = 0; w < slab_words(s); w++) {
		stolen[w] = *slab_word(head, w);
		*slab_word(head, w) = 0;
	}
	head->inuse = (u16)s->objects;
	n->full_slabs++;
	n->free_objects -= count;
	list_remove(&head->link);
}

static void slab_restore(struct kmem_cache_node *n, struct page *head, const u64 *stolen)
{
	const struct shape *s = n->shape;
	unsigned count = 0;

	for (unsigned w = 0; w < slab_words(s); w++) {
		*slab_word(head, w) |= stolen[w];
		count += bits_count(stolen[w]);
	}
	list_remove(&head->link); /* a free meanwhile may have put it on partial */
	head->hint = 0;
	head->discarded = 1;
	n->full_slabs -= head->inuse == s->objects;
	head->inuse = (u16)(head->inuse - count);
	n->free_objects += count;
	if (head->inuse == 0) {
		list_add(&n->empty, &head->link);
		n->empty_slabs++;
	} else {
		list_add_tail(&n->partial, &head->link);
	}
}

/* Give the wholly free pages of one slab back, run by run; returns how many. */
static size_t slab_discard_pages(const struct shape *s, const struct page *head, const u64 *stolen)
{
	char *start = map_page_address(head);
	unsigned pages = 1u << s->order;
	size_t done = 0;

	for (unsigned i = 0; i < pages; i++) {
		unsigned run = i;

		while (run < pages && slab_page_is_free(s, head, stolen, run))
			run++;
		if (run > i && port_discard(start + ((size_t)i << PAGE_SHIFT),
					    (size_t)(run - i) << PAGE_SHIFT))
			done += run - i;
		i = run;
	}
	return done;
}

/* The first partial slab that was not discarded since an object came back to it, stolen. */
static struct page *slab_next_discard(struct kmem_cache_node *n, u64 *stolen)
{
	struct page *found = NULL;
	struct list *node;

	slab_lock(n);
	list_for_each(node, &n->partial) {
		struct page *head = container_of(node, struct page, link);

		if (!head->discarded) {
			found = head;
			break;
		}
	}
	if (found)
		slab_steal(n, found, stolen);
	lock_release(&n->lock);
	return found;
}

size_t slab_discard(struct kmem_cache_node *n)
{
	u64 stolen[SLAB_WORDS_MAX] = { 0 };
	size_t done = 0;
	size_t slabs;

	if (!PORT_GIVES_BACK || PORT_POPULATES || n->shape->order == 0 ||
	    slab_words(n->shape) > SLAB_WORDS_MAX)
		return 0;
	slabs = READ_ONCE(n->slabs);
	for (size_t i = 0; i < slabs; i++) {
		struct page *head = slab_next_discard(n, stolen);

		if (!head)
			break;
		done += slab_discard_pages(n->shape, head, stolen);
		slab_lock(n);
		slab_restore(n, head, stolen);
		lock_release(&n->lock);
	}
	return done;
}
