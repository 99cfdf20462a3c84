/* SPDX-License-Identifier: MIT */
/*
 * slab_discard.c - pages inside used slabs go back to the system (E7), and come again (E9)
 *
 * What    When it is due, and what phases teach. Then all free objects of a partial slab are
 *         taken, the pages that only they touch are discarded without the node's lock, and the
 *         objects come back; but where no fault brings memory those on such pages do so when
 *         somebody wants them, and has put memory there.
 * Why     Nobody else touches what a thread holds back here: it is in use, as far as others see,
 *         so two of them may be at the same slab with different objects.
 * See     decisions 07 and 64
 */
#include "base/bits.h"
#include "engine/slab_own.h"
#include "page/populate.h"
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
	size_t idle = slab_ready(n);
	size_t used = all - n->free_objects;

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

/* Are all objects that touch page @page of the slab among @stolen? Where no fault brings memory a
 * page without any is nobody's to discard: two threads might at once. */
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
	return !PORT_POPULATES || from < size_min(to, s->objects);
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

/* The same of what it withholds; returns the pages without memory. */
static u64 slab_steal_withheld(struct kmem_cache_node *n, struct page *head)
{
	struct page_holes holes = head[2].holes;

	head[2].holes = (struct page_holes){ 0 };
	n->withheld -= holes.objects;
	n->free_objects -= holes.objects;
	return holes.pages;
}

/* Add the objects on @absent pages to @stolen. */
static void slab_set_lacking(const struct shape *s, const struct page *head, u64 *stolen,
			     u64 absent)
{
	for (unsigned i = 0; absent && i < s->objects; i++)
		if (slab_lacks(s, head, i, absent))
			stolen[i / 64] |= (u64)1 << (i % 64);
}

/* Take the objects on @absent pages out of @stolen; returns how many. */
static u32 slab_clear_lacking(const struct shape *s, const struct page *head, u64 *stolen,
			      u64 absent)
{
	u32 count = 0;

	for (unsigned i = 0; absent && i < s->objects; i++) {
		u64 bit = (u64)1 << (i % 64);

		if ((stolen[i / 64] & bit) && slab_lacks(s, head, i, absent)) {
			stolen[i / 64] &= ~bit;
			count++;
		}
	}
	return count;
}

/* E9: @count objects, held back so far, are withheld with the @absent pages that they are on. */
static void slab_withhold(struct kmem_cache_node *n, struct page *head, u64 absent, u32 count)
{
	head[2].holes.pages |= absent;
	head[2].holes.objects += count;
	n->withheld += count;
	n->free_objects += count;
}

/* The objects of @stolen come back; returns how many. Others' frees meanwhile may have put the slab
 * on partial, and takes on holed. */
static unsigned slab_restore(struct kmem_cache_node *n, struct page *head, const u64 *stolen)
{
	const struct shape *s = n->shape;
	unsigned count = 0;

	list_remove(&head->link);
	n->full_slabs -= head->inuse == s->objects;
	for (unsigned w = 0; w < slab_words(s); w++) {
		*slab_word(head, w) |= stolen[w];
		count += bits_count(stolen[w]);
	}
	head->hint = 0;
	head->inuse = (u16)(head->inuse - count);
	n->free_objects += count;
	slab_place(n, head);
	return count;
}

/* Give the wholly free pages of one slab back that are not @absent, run by run; returns them, by
 * bits where they are to be known (E9), and how many in *@done. */
static u64 slab_discard_pages(const struct shape *s, const struct page *head, const u64 *stolen,
			      u64 absent, size_t *done)
{
	char *start = map_page_address(head);
	unsigned pages = 1u << s->order;
	u64 gone = 0;

	for (unsigned i = 0; i < pages; i++) {
		unsigned run = i;

		while (run < pages && slab_page_is_free(s, head, stolen, run) &&
		       !(PORT_POPULATES && absent >> run & 1))
			run++;
		if (run > i && port_discard(start + ((size_t)i << PAGE_SHIFT),
					    (size_t)(run - i) << PAGE_SHIFT)) {
			*done += run - i;
			if (PORT_POPULATES)
				gone |= bits_mask_some(run - i) << i;
		}
		i = run;
	}
	return gone;
}

/* The first partial slab that was not discarded since an object came back to it. */
static struct page *slab_next_discard(struct kmem_cache_node *n)
{
	struct list *node;

	list_for_each(node, &n->partial) {
		struct page *head = container_of(node, struct page, link);

		if (!head->discarded)
			return head;
	}
	return NULL;
}

/* One slab; returns the pages that went. false in *@more: there was none. */
static size_t slab_discard_one(struct kmem_cache_node *n, bool *more)
{
	const struct shape *s = n->shape;
	u64 stolen[SLAB_WORDS_MAX] = { 0 };
	struct page *head;
	size_t done = 0;
	u64 absent = 0;
	u32 count = 0;

	slab_lock(n);
	head = slab_next_discard(n);
	if (head)
		slab_steal(n, head, stolen);
	if (head && PORT_POPULATES)
		absent = slab_steal_withheld(n, head);
	lock_release(&n->lock);
	*more = head != NULL;
	if (!head)
		return 0;
	if (PORT_POPULATES)
		slab_set_lacking(s, head, stolen, absent);
	absent |= slab_discard_pages(s, head, stolen, absent, &done);
	if (PORT_POPULATES)
		count = slab_clear_lacking(s, head, stolen, absent);
	slab_lock(n);
	if (count)
		slab_withhold(n, head, absent, count);
	slab_restore(n, head, stolen);
	head->discarded = 1;
	lock_release(&n->lock);
	return done;
}

/* Too many objects for the copy, or pages for the bits; or too few to be worth it. */
static bool slab_may_discard(const struct shape *s)
{
	return PORT_GIVES_BACK && slab_words(s) <= SLAB_WORDS_MAX &&
	       (PORT_POPULATES ? s->order >= 2 && s->order <= 6 : s->order > 0);
}

size_t slab_discard(struct kmem_cache_node *n)
{
	bool more = slab_may_discard(n->shape);
	size_t slabs = READ_ONCE(n->slabs);
	size_t done = 0;

	for (size_t i = 0; i < slabs && more; i++)
		done += slab_discard_one(n, &more);
	return done;
}

/* ---- memory comes again (E9) --------------------------------------------------------- */

/* Put memory behind @pages of a slab, run by run; returns those that got none. */
static u64 slab_populate(const struct page *head, u64 pages, unsigned ask)
{
	char *start = map_page_address(head);
	u64 absent = 0;

	while (pages) {
		unsigned first = bits_lowest(pages);
		unsigned run = ~(pages >> first) ? bits_lowest(~(pages >> first)) : 64;
		u64 bits = bits_mask_some(run) << first;
		char *at = start + ((size_t)first << PAGE_SHIFT);

		if (!port_populate(at, (size_t)run << PAGE_SHIFT, ask)) {
			port_discard(at,
				     (size_t)run << PAGE_SHIFT); /* what a part got, if it can */
			absent |= bits;
		}
		pages &= ~bits;
	}
	return absent;
}

/* A slab to fill, on no list now: one that is holed, or an empty one that has nothing else. */
static struct page *slab_next_holed(struct kmem_cache_node *n)
{
	struct page *head;

	if (!list_is_empty(&n->holed)) {
		head = list_first_entry(&n->holed, struct page, link);
	} else if (n->empty_slabs) {
		head = list_last_entry(&n->empty, struct page, link);
		if (head->inuse < n->shape->objects)
			return NULL;
		n->empty_slabs--;
		n->full_slabs++;
	} else {
		return NULL;
	}
	list_remove(&head->link);
	return head;
}

static noinline bool slab_fill_one(struct kmem_cache_node *n, gfp_t gfp)
{
	const struct shape *s = n->shape;
	u64 stolen[SLAB_WORDS_MAX] = { 0 };
	struct page *head;
	u64 pages = 0;
	unsigned count;
	u32 missed;

	slab_lock(n);
	head = slab_next_holed(n);
	if (head)
		pages = slab_steal_withheld(n, head);
	lock_release(&n->lock);
	if (!head)
		return false;
	slab_set_lacking(s, head, stolen, pages);
	pages = slab_populate(head, pages, populate_ask(gfp));
	missed = slab_clear_lacking(s, head, stolen, pages);
	slab_lock(n);
	if (missed)
		slab_withhold(n, head, pages, missed);
	count = slab_restore(n, head, stolen);
	head->discarded = 0;
	lock_release(&n->lock);
	return count != 0;
}

bool slab_fill(struct kmem_cache_node *n, gfp_t gfp)
{
	return PORT_POPULATES && unlikely(READ_ONCE(n->withheld)) && (gfp & __GFP_DIRECT_RECLAIM) &&
	       slab_fill_one(n, gfp);
}
