/* SPDX-License-Identifier: MIT */
/*
 * account_object.c - see account_object.h
 *
 * What    Beside each slab with charged objects lies a vector: for each object, who pays. The
 *         vector is a block of kmalloc; its address is in the descriptor of the slab's second
 *         page, which has no use for its owner, or behind the bits of its only page.
 * Rules   AC3 objects hold nothing of this; a slab without charged objects has no vector
 *         AC4 a slab that begins has no vector, and one that ends takes its own with it
 * See     account.c for the others
 */
#include "cache/account_object.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "cache/large.h"

static struct page *account_head(const struct kmem_cache_node *n, const void *p)
{
	return &map.pages[map_pfn(p) & ~(((size_t)1 << n->shape->order) - 1)];
}

/* Where a slab of 2^@order pages has the address of its vector. */
static void **account_slot(struct page *head, unsigned order)
{
	return order ? &head[1].owner : (void **)(void *)&head->bits[PAGE_OWNER_WORD];
}

/* The vector of a slab, made if there is none and @gfp is not 0. NULL iff there is none. */
static struct account_owner **account_vector(struct page *head, const struct shape *s, gfp_t gfp)
{
	void **slot = account_slot(head, s->order);
	struct account_owner **vector = LOAD_ACQUIRE(*slot);
	void *seen = NULL;

	if (vector || !gfp)
		return vector;
	vector = kcalloc(s->objects, sizeof(void *),
			 gfp & ~(ASHLAR_GFP_TYPES | __GFP_ZERO | __GFP_NOFAIL));
	if (!vector)
		return NULL;
	if (__atomic_compare_exchange_n(slot, &seen, vector, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return vector;
	kfree_nolock(vector);
	return seen;
}

/* What one object costs its group. */
static size_t account_price(const struct kmem_cache_node *n)
{
	return n->shape->stride + sizeof(void *);
}

/* Its place in its slab's vector, made if there is none; NULL iff it cannot be. */
static struct account_owner **account_place(const void *p, gfp_t gfp)
{
	const struct kmem_cache_node *n = cache_node_at(map.ids[map_pfn(p)]);
	struct account_owner **vector = account_vector(account_head(n, p), n->shape, gfp);
	struct slab_object o;

	return vector && slab_find(n, p, &o) ? &vector[o.index] : NULL;
}

bool account_charge_all(struct kmem_cache *c, size_t count, void *const *objects, gfp_t gfp)
{
	struct account_owner *owner;

	if (!account_current())
		return true;
	for (size_t i = 0; i < count; i++) /* AC5: while there is nothing to undo */
		if (!account_place(objects[i], gfp))
			return false;
	if (!account_charge_many(account_price(c->node), count, gfp, &owner))
		return false;
	for (size_t i = 0; i < count && owner; i++) {
		*account_place(objects[i], 0) = owner;
		*map_state_in(c->states, objects[i]) = STATE_CHARGED;
	}
	return true;
}

bool account_charge(struct kmem_cache *c, void *p, gfp_t gfp)
{
	return account_charge_all(c, 1, &p, gfp);
}

/* Where it is written who pays for the object that starts at @p; NULL iff no charged one does. */
static struct account_owner **account_entry(const void *p)
{
	const struct kmem_cache_node *n;
	struct account_owner **vector;
	struct slab_object o;

	if (!map_contains(p) || (uintptr_t)p % GRANULE_SIZE != 0 ||
	    (*map_state(p) != STATE_CHARGED && *map_state(p) != STATE_HELD_CHARGED))
		return NULL;
	n = cache_node_at(map.ids[map_pfn(p)]);
	vector = account_vector(account_head(n, p), n->shape, 0);
	return vector && slab_find(n, p, &o) && o.start == p ? &vector[o.index] : NULL;
}

struct account_owner *account_owner_of(const void *p)
{
	struct account_owner **entry = account_entry(p);

	return entry ? *entry : large_owner(p);
}

bool account_is_charged(const void *p)
{
	return account_entry(p) && *map_state(p) == STATE_CHARGED;
}

bool account_settle(void *p)
{
	struct account_owner **entry = account_entry(p);
	struct account_owner *owner;

	if (!entry || *map_state(p) != STATE_CHARGED)
		return false;
	owner = __atomic_exchange_n(entry, NULL, __ATOMIC_ACQ_REL);
	if (!owner)
		return false;
	account_uncharge_bytes(account_price(cache_node_at(map.ids[map_pfn(p)])), owner);
	*map_state(p) = map_state_in_use(p);
	return true;
}

static void account_note_block(struct page *head, size_t bytes, struct account_owner *owner)
{
	head->charged = owner != NULL;
	if (!owner)
		return;
	head->bits[0] = (uintptr_t)owner;
	head->bits[1] = bytes;
}

bool account_charge_block(struct page *head, size_t bytes, gfp_t gfp)
{
	struct account_owner *owner;

	if (!account_charge_bytes(bytes, gfp, &owner))
		return false;
	account_note_block(head, bytes, owner);
	return true;
}

bool account_charge_pages(struct page *first, size_t count, gfp_t gfp)
{
	struct account_owner *owner;

	if (!account_charge_many(PAGE_SIZE, count, gfp, &owner))
		return false;
	for (size_t i = 0; i < count; i++)
		account_note_block(first + i, PAGE_SIZE, owner);
	return true;
}

void account_uncharge_block(struct page *head)
{
	if (likely(!head->charged))
		return;
	head->charged = 0;
	account_uncharge_bytes(head->bits[1], (struct account_owner *)(uintptr_t)head->bits[0]);
}

void account_begin_slab(struct page *head, unsigned order)
{
	*account_slot(head, order) = NULL; /* AC4 */
}

void account_end_slab(struct page *head)
{
	void **slot = account_slot(head, head->order);
	void *vector = *slot;

	if (likely(!vector))
		return;
	*slot = NULL;
	kfree(vector);
}
