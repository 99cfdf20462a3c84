/* SPDX-License-Identifier: MIT */
/*
 * numa.c - objects and pages of a node that the caller chooses, or of any that has some
 *
 * What    kmem_cache_alloc_node, kmalloc_node, alloc_pages_node; and what an allocation does
 *         when its own node has nothing: the other nodes by distance, one object at a
 *         time, so that it comes home as soon as there is memory at home.
 * Rules   NU1 with __GFP_THISNODE the memory is on the node asked for, or there is none
 *         NU2 without it, free objects of farther nodes come before new slabs there, nearer
 *             nodes before farther ones
 *         NU3 node -1 is the caller's; a node that there is not is as -1, and nothing with
 *             __GFP_THISNODE
 */
#include "ashlar/mm.h"
#include "base/memory.h"
#include "cache/account_object.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/gfp.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/large.h"
#include "cache/object.h"
#include "cache/reclaim.h"
#include "cache/scope.h"
#include "page/node.h"

/* NU3: false iff there is no such node and the caller wants no other. */
static bool numa_choose(int wanted, gfp_t gfp, unsigned *node)
{
	bool known = wanted >= 0 && (unsigned)wanted < node_table.count;

	*node = known ? (unsigned)wanted : node_here();
	return known || wanted < 0 || !(gfp & __GFP_THISNODE);
}

/* NU2 */
unsigned cache_take_far(const struct kmem_cache_node *n, gfp_t gfp, void **end)
{
	const u8 *order = node_table.order[n->node];
	struct kmem_cache *c = n->cache;

	for (unsigned i = 1; i < node_table.count; i++)
		if (cache_pick(&c->node[order[i]], gfp, end, 1))
			return 1;
	for (unsigned i = 1; i < node_table.count && !gfp_may_wait(gfp); i++)
		if (array_pop_bulk(c->node[order[i]].header_offset, end - 1, 1))
			return 1; /* an alien array's: nobody else is served here (NU2) */
	for (unsigned i = 1; i < node_table.count; i++)
		if (cache_grow(&c->node[order[i]], gfp, end, 1))
			return 1;
	return 0;
}

/* An object of the own node comes from the array, one of another straight from its slabs: what
 * waits in an alien array goes home first. */
static void *numa_take(struct kmem_cache_node *n, gfp_t gfp)
{
	void *batch[1];

	if (n->node == node_here() && array_pop_bulk(n->header_offset, batch, 1))
		return batch[0];
	for (unsigned attempt = 0; !cache_take(n, gfp, batch + 1, 1); attempt++)
		if (!reclaim_retry(gfp, attempt))
			return NULL;
	return batch[0];
}

/* @size bytes of @c's object on @node, which is not simply this one. */
static void *numa_alloc(struct kmem_cache *c, gfp_t gfp, unsigned node, size_t size)
{
	void *p;

	if (!c->node)
		c = kmalloc_started(c);
	if (c)
		cache_check_alive(c, "kmem_cache_alloc_node");
	if (!c || cache_fails(c, gfp, size))
		return NULL;
	p = numa_take(&c->node[node], gfp);
	return p ? cache_hand_out(c, p, gfp, size) : NULL;
}

void *kmem_cache_alloc_node(struct kmem_cache *c, gfp_t gfp, int wanted)
{
	unsigned node;

	if (node_table.count == 1 && wanted <= 0)
		return kmem_cache_alloc(c, gfp);
	if (!init_ready())
		return NULL;
	if (!numa_choose(wanted, gfp, &node)) {
		if (c->node) /* else one of kmalloc's, which nobody has used */
			cache_check_alive(c, "kmem_cache_alloc_node");
		return NULL;
	}
	if (node == node_here() && !(gfp & __GFP_THISNODE))
		return kmem_cache_alloc(c, gfp);
	return numa_alloc(c, gfp, node, c->object_size);
}

void *kmalloc_node(size_t size, gfp_t gfp, int wanted)
{
	struct kmem_cache *c;
	unsigned node;

	if (size == 0)
		return ZERO_SIZE_PTR;
	if (!init_ready() || !numa_choose(wanted, gfp, &node))
		return NULL;
	if (node == node_here() && !(gfp & __GFP_THISNODE))
		return ashlar_kmalloc(size, gfp);
	c = kmalloc_cache(size, 1);
	if (!c)
		return kmalloc_large_node(size, gfp, node);
	if (gfp & ASHLAR_GFP_TYPES)
		c = kmalloc_type_cache(ashlar_kmalloc_class(size), gfp);
	return c ? numa_alloc(c, gfp, node, size) : NULL;
}

struct page *alloc_pages_node(int wanted, gfp_t gfp, unsigned int order)
{
	struct page *head = NULL;
	unsigned node;
	bool zero;

	if (order > MAX_ORDER || !init_ready() || !numa_choose(wanted, gfp, &node))
		return NULL;
	gfp_check(gfp);
	if (!gfp_serves(gfp, "alloc_pages", "pages"))
		return NULL;
	for (unsigned attempt = 0; !head; attempt++) {
		head = page_alloc(order, scope_gfp(gfp), node, &zero);
		if (!head && !reclaim_retry(gfp, attempt))
			return NULL;
	}
	head->charged = 0;
	head->refs = 1;
	head->compound = (gfp & __GFP_COMP) != 0;
	if ((gfp & __GFP_ACCOUNT) && !account_charge_block(head, PAGE_SIZE << order, gfp)) {
		page_undo(head, (size_t)1 << order, gfp);
		return NULL;
	}
	if ((gfp & __GFP_ZERO) && !zero)
		memset(map_page_address(head), 0, PAGE_SIZE << order);
	return head;
}

int page_to_nid(const struct page *page)
{
	return (int)page_node(page);
}
