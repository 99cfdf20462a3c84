/* SPDX-License-Identifier: MIT */
/*
 * slab_audit.c - prove a node's slabs
 *
 * What    The rules of engine.h, one by one, on every slab that is on a list. The caller sees to
 *         it that nothing else runs.
 */
#include "engine/slab_own.h"

/* E2, the ids of its pages, and the state of every object whose bit is set. */
static size_t slab_audit_slab(const struct kmem_cache_node *n, struct page *head)
{
	const struct shape *s = n->shape;
	size_t pfn = map_page_pfn(head);
	size_t faults = 0;
	unsigned set = 0;

	faults += head->kind != PAGE_SLAB || head->owner != n;
	for (size_t i = pfn; i < pfn + ((size_t)1 << s->order); i++)
		faults += map.ids[i] != n->header_offset;
	for (unsigned i = 0; i < s->objects; i++) {
		if (!((*slab_word(head, i / 64) >> (i % 64)) & 1))
			continue;
		set++;
		faults += *map_state_in(n->states, slab_first(s, head) + (size_t)i * s->stride) !=
			  STATE_FREE;
	}
	return faults + (set + head->inuse != s->objects);
}

/* E8: what waits in the slabs of the queue was announced there, and all of it. */
static size_t slab_audit_queue(struct kmem_cache_node *n)
{
	const struct shape *s = n->shape;
	size_t waiting = 0;
	size_t faults = 0;

	for (struct page *head = n->queue; head; head = slab_queue(s, head)->next) {
		u32 found = head->arriving;

		for (unsigned i = 0; i < s->objects; i++)
			found += *map_state_in(n->states,
					       slab_first(s, head) + (size_t)i * s->stride) ==
				 STATE_PENDING;
		faults += head->kind != PAGE_SLAB || head->owner != n;
		faults += found > slab_queue(s, head)->count;
		waiting += found - head->arriving;
	}
	return faults + (waiting > n->pending);
}

/* E3, E9: free objects of one slab; those on its absent pages, and no others, are withheld. */
static size_t slab_audit_free(const struct kmem_cache_node *n, const struct page *head,
			      size_t *withheld)
{
	const struct shape *s = n->shape;
	u64 absent = slab_absent(s, head);
	size_t lacking = 0;

	for (unsigned i = 0; absent && i < s->objects; i++)
		lacking += slab_lacks(s, head, i, absent);
	*withheld += lacking;
	return s->objects - head->inuse + lacking;
}

size_t slab_audit(struct kmem_cache_node *n)
{
	struct list *node;
	size_t faults = slab_audit_queue(n);
	size_t free_objects = 0;
	size_t withheld = 0;
	size_t partial = 0;
	size_t empty = 0;

	list_for_each(node, &n->partial) {
		struct page *head = container_of(node, struct page, link);

		faults += slab_audit_slab(n, head);
		faults += head->inuse == slab_withheld(n, head) ||
			  head->inuse >= n->shape->objects; /* E1 */
		free_objects += slab_audit_free(n, head, &withheld);
		partial++;
	}
	list_for_each(node, &n->empty) {
		struct page *head = container_of(node, struct page, link);

		faults += slab_audit_slab(n, head); /* E1: */
		faults += head->inuse != slab_withheld(n, head);
		free_objects += slab_audit_free(n, head, &withheld);
		empty++;
	}
	list_for_each(node, &n->holed) {
		struct page *head = container_of(node, struct page, link);

		faults += slab_audit_slab(n, head); /* E9: */
		faults += head->inuse != n->shape->objects || !slab_withheld(n, head);
		free_objects += slab_audit_free(n, head, &withheld);
	}
	faults += withheld != n->withheld;
	for (unsigned i = 0; i < n->shared_avail; i++)
		faults += *map_state_in(n->states, n->shared[i]) != STATE_FREE;        /* E6 */
	faults += partial + empty + n->full_slabs != n->slabs;                         /* E1 */
	return faults + (free_objects != n->free_objects) + (empty != n->empty_slabs); /* E3 */
}
