/* SPDX-License-Identifier: MIT */
/*
 * nolock_test.c - objects that arrive, wait and are swept, and what kfree_nolock does not take
 */
#include "ashlar/account.h"
#include "ashlar/debug.h"
#include "ashlar/mm.h"
#include "cache/account.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/hold.h"
#include "cache/kmalloc.h"
#include "engine/walk.h"
#include "page/page.h"
#include "start_help.h"

#define HELD 4096u

static void *held[HELD];

static struct kmem_cache *cache_of(const void *p)
{
	return cache_node_at(map.ids[map_pfn(p)])->cache;
}

static u8 state_of(const void *p)
{
	return *map_state(p);
}

/* The node's lock alone: a new slab serves, and joins when somebody gets the lock. */
TEST(nolock_E8_a_slab_arrives)
{
	struct kmem_cache *c;
	void *p[200];

	REQUIRE(setup());
	c = kmem_cache_create("arrive", 512, 0, 0, NULL);
	p[0] = kmem_cache_alloc(c, GFP_KERNEL);
	lock_acquire_more(&c->node->lock);
	for (unsigned i = 1; i < 200; i++)
		EXPECT_NOT_NULL(p[i] = kmem_cache_alloc(c, GFP_NOWAIT));
	EXPECT_EQ(c->node->slabs, 1);
	EXPECT_NOT_NULL(c->node->queue);
	lock_release(&c->node->lock);
	EXPECT_EQ(ashlar_audit(), 0); /* which takes the lock */
	EXPECT_NULL(c->node->queue);
	EXPECT_GT(c->node->slabs, 1);
	EXPECT_EQ(c->node->slabs * c->shape.objects - c->node->free_objects - array_count(c) -
			  c->node->shared_avail,
		  200);
	kmem_cache_free_bulk(c, 200, p);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(nolock_E4_an_arriving_slab_in_random_order)
{
	unsigned first = 0;

	sim_reset();
	sim.options = "random_seq=1";
	REQUIRE(init_ready());
	for (unsigned i = 0; i < 20; i++) {
		struct kmem_cache *c = kmem_cache_create("r", 256, 0, SLAB_NO_MERGE, NULL);
		struct slab_object o;
		void *p;

		lock_acquire_more(&c->node->lock);
		p = kmem_cache_alloc(c, GFP_NOWAIT);
		lock_release(&c->node->lock);
		REQUIRE(p && slab_find(c->node, p, &o));
		first += o.index == 0;
	}
	EXPECT_LT(first, 5);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Fill this CPU's array of @c with free objects. */
static void fill_array(struct kmem_cache *c)
{
	unsigned limit = c->limit;

	for (unsigned i = 0; i < limit * 2; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned i = 0; i < limit * 2; i++)
		if (array_count(c) < limit)
			kmem_cache_free(c, held[i]);
		else
			held[HELD - 1 - i] = held[i];
	EXPECT_EQ(array_count(c), limit);
}

static void *wrong;

static void free_twice(void)
{
	kfree_nolock(wrong);
}

static void free_twice_locked(void)
{
	kfree(wrong);
}

/* Array full, lock held: pending. A second free of any kind is reported; the sweep ends it. */
TEST(nolock_NL2_pending_and_swept)
{
	struct kmem_cache *c;
	void *objects[8];
	size_t live;

	REQUIRE(setup());
	c = kmem_cache_create("pend", 64, 0, SLAB_NO_MERGE, NULL);
	fill_array(c);
	wrong = held[2 * c->limit - 1];
	live = walk_in_use(c->header_offset, objects, 8);
	EXPECT_EQ(live, 8);
	lock_acquire_more(&c->node->lock);
	kfree_nolock(wrong);
	EXPECT_EQ(state_of(wrong), STATE_PENDING);
	EXPECT_EQ(c->node->pending, 1);
	EXPECT(help_aborts(free_twice));
	EXPECT(help_contains(sim.text, "kfree_nolock("));
	EXPECT(help_contains(sim.text, "double free: this object of pend is already free"));
	EXPECT(help_contains(sim.text, "of its slab, freed, on its way to the slab\n"));
	EXPECT(help_aborts(free_twice_locked));
	EXPECT(help_contains(sim.text, "double free: this object of pend is already free"));
	help_clear();
	lock_release(&c->node->lock);
	lock_acquire_more(&c->node->lock); /* a holder that does not know of it: nothing is swept */
	lock_release(&c->node->lock);
	EXPECT_EQ(state_of(wrong), STATE_PENDING);
	EXPECT_EQ(ashlar_audit(), 0); /* who takes the lock sweeps */
	EXPECT_EQ(state_of(wrong), STATE_FREE);
	EXPECT_EQ(c->node->pending, 0);
	EXPECT_NULL(c->node->queue);
	EXPECT(help_aborts(free_twice));
	EXPECT(help_contains(sim.text, "of its slab, in the slab\n"));
}

/* Many of many slabs, among them all objects of one: it runs empty by the sweep and is released. */
TEST(nolock_E8_a_whole_slab_is_pending)
{
	struct kmem_cache *c;
	unsigned count;

	REQUIRE(setup());
	c = kmem_cache_create("whole", 256, 0, SLAB_NO_MERGE, NULL);
	count = 3 * c->shape.objects;
	REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, count, held) != 0);
	array_drain(c);
	EXPECT_EQ(c->node->slabs, 3);
	array_lock_all();
	lock_acquire_more(&c->node->lock);
	for (unsigned i = 0; i < count; i += 2)
		kfree_nolock(held[i]);
	EXPECT_EQ(c->node->pending, (count + 1) / 2);
	lock_release(&c->node->lock);
	array_unlock_all();
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(c->node->pending, 0);
	EXPECT_EQ(c->node->free_objects, (count + 1) / 2);
	array_lock_all();
	lock_acquire_more(&c->node->lock);
	for (unsigned i = 1; i < count; i += 2)
		kfree_nolock(held[i]);
	lock_release(&c->node->lock);
	array_unlock_all();
	EXPECT_EQ(kmem_cache_shrink(c), 0); /* shrink sweeps, and releases */
	EXPECT_EQ(c->node->slabs, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* What is pending is no leak, and does not keep a cache. */
TEST(nolock_destroy_sweeps)
{
	struct kmem_cache *c;
	void *p;

	REQUIRE(setup());
	c = kmem_cache_create("gone", 64, 0, SLAB_NO_MERGE, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	array_lock_all();
	lock_acquire_more(&c->node->lock);
	kfree_nolock(p);
	lock_release(&c->node->lock);
	array_unlock_all();
	EXPECT_EQ(state_of(p), STATE_PENDING);
	EXPECT_EQ(walk_in_use(c->header_offset, held, 8), 0);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

/* An allocation that finds nothing else takes what is pending. */
TEST(nolock_pending_is_memory)
{
	struct kmem_cache *c;
	unsigned count;

	REQUIRE(setup());
	c = kmem_cache_create("back", 1024, 0, SLAB_NO_MERGE, NULL);
	count = c->shape.objects;
	REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, count, held) != 0);
	array_lock_all();
	lock_acquire_more(&c->node->lock);
	kfree_nolock(held[5]);
	lock_release(&c->node->lock);
	array_unlock_all();
	EXPECT_EQ(c->node->free_objects, 0);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_NOWAIT), held[5]);
	EXPECT_EQ(c->node->slabs, 1);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* LOCK mode: somebody else has the CPU's region. */
TEST(nolock_array_busy)
{
	void *region;
	void *p;
	void *q;

	sim_reset();
	sim.lock_mode = true;
	REQUIRE(init_ready());
	p = kmalloc(64, GFP_KERNEL);
	q = kmalloc(64, GFP_KERNEL);
	region = sim.region[0];
	sim.region[0] = sim.dummy;
	kfree_nolock(p); /* to the node */
	EXPECT_EQ(state_of(p), STATE_FREE);
	p = kmalloc_nolock(64, 0, -1); /* from the node */
	EXPECT_NOT_NULL(p);
	lock_acquire(&cache_of(q)->node->lock);
	kfree_nolock(q);
	EXPECT_EQ(state_of(q), STATE_PENDING);
	EXPECT_NOT_NULL(kmalloc_nolock(64, 0, -1)); /* of a new slab */
	lock_release(&cache_of(q)->node->lock);
	sim.region[0] = region;
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

static void *charged;

static void free_charged(void)
{
	kfree_nolock(charged);
}

TEST(nolock_NL3_what_is_not_taken_back)
{
	struct ashlar_group *g;

	REQUIRE(setup());
	charged = kmalloc(100000, GFP_KERNEL);
	EXPECT(help_aborts(free_charged));
	EXPECT(help_contains(sim.text, "wrong function: this is a large block\n"
				       "  hint     kfree takes it back\n"));
	charged = ashlar_kmalloc((size_t)16 << 20, GFP_KERNEL);
	EXPECT(help_aborts(free_charged));
	EXPECT(help_contains(sim.text, "wrong function: this is no object of a cache\n"));
	g = ashlar_group_create("payer", NULL, 0);
	ashlar_group_set_default(g);
	charged = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT);
	EXPECT(help_aborts(free_charged));
	EXPECT(help_contains(sim.text, "wrong function: a group pays for this object\n"));
	kfree(charged);
	charged = (char *)kmalloc(64, GFP_KERNEL) + 16;
	EXPECT(help_aborts(free_charged));
	EXPECT(help_contains(sim.text, "invalid free: 16 bytes inside an object of kmalloc-64"));
	charged = (char *)charged - 16;
	hold(charged);
	EXPECT(help_aborts(free_charged));
	EXPECT(help_contains(sim.text, "double free"));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* A charge that may not wait is refused where the group's lock is held, and nothing is lost. */
TEST(nolock_AC5_a_charge_does_not_wait)
{
	struct ashlar_group *g;
	struct ashlar_group_stat s;

	REQUIRE(setup());
	g = ashlar_group_create("payer", NULL, 0);
	ashlar_group_set_default(g);
	kfree(ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT));
	account_lock_all();
	EXPECT_NULL(ashlar_kmalloc(64, GFP_ATOMIC | __GFP_ACCOUNT));
	account_unlock_all();
	EXPECT_EQ(sim.waits, 0);
	kfree(ashlar_kmalloc(64, GFP_ATOMIC | __GFP_ACCOUNT));
	ashlar_group_stat(g, &s);
	EXPECT_EQ(s.objects, 0);
	EXPECT_EQ(s.bytes, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Poisoned, tracked, with red zones: a pending object is a free one. */
TEST(nolock_debugged_caches)
{
	struct kmem_cache *c;
	void *p;

	sim_reset();
	sim.options = "slab_debug=FZPU";
	REQUIRE(init_ready());
	p = kmalloc_nolock(100, 0, -1);
	REQUIRE(p != NULL);
	c = cache_of(p);
	memset(p, 7, 100);
	lock_acquire_more(&c->node->lock);
	kfree_nolock(p);
	EXPECT_EQ(state_of(p), STATE_PENDING);
	EXPECT_NOT_NULL(kmalloc_nolock(100, 0, -1));
	lock_release(&c->node->lock);
	EXPECT_EQ(kmem_cache_validate(c), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	wrong = p;
	EXPECT(help_aborts(free_twice));
}

/* Other nodes: their slabs, then what waits in this CPU's alien arrays. */
TEST(nolock_other_nodes)
{
	struct kmem_cache *c;
	void *own;
	void *far;
	void *p;

	sim_reset();
	sim.nodes = 2;
	sim.cpu_node[1] = 1;
	REQUIRE(init_ready());
	c = kmem_cache_create("nodes", 64, 0, SLAB_NO_MERGE, NULL);
	own = kmem_cache_alloc(c, GFP_KERNEL);
	sim.cpu = 1;
	far = kmem_cache_alloc(c, GFP_KERNEL);
	sim.cpu = 0;
	EXPECT_EQ(page_node(&map.pages[map_pfn(far)]), 1);
	while (kmem_cache_alloc(c, GFP_NOWAIT | __GFP_THISNODE) && array_count_node(c->node))
		;
	lock_acquire(&c->node[0].lock);
	page_lock_all();
	p = kmem_cache_alloc(c, GFP_NOWAIT); /* node 1's slab */
	REQUIRE(p != NULL);
	EXPECT_EQ(page_node(&map.pages[map_pfn(p)]), 1);
	EXPECT_NULL(kmem_cache_alloc(c, GFP_NOWAIT | __GFP_THISNODE));
	page_unlock_all();
	lock_release(&c->node[0].lock);
	kmem_cache_free(c, far); /* into the alien array */
	lock_acquire_more(&c->node[0].lock);
	page_lock_all();
	lock_acquire_more(&c->node[1].lock);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_NOWAIT), far);
	EXPECT_NULL(kmem_cache_alloc(c, GFP_NOWAIT));
	kfree_nolock(p);
	lock_release(&c->node[1].lock);
	lock_release(&c->node[0].lock);
	page_unlock_all();
	kmem_cache_free(c, own);
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Another size where the wanted one has nothing: up to the double. */
TEST(nolock_larger_sizes)
{
	struct kmem_cache *c;
	void *p;

	REQUIRE(setup());
	c = cache_of(kmalloc(64, GFP_KERNEL));
	kmalloc(112, GFP_KERNEL);
	while (array_count(c))
		kmem_cache_alloc(c, GFP_NOWAIT);
	lock_acquire_more(&c->node->lock);
	page_lock_all();
	p = kmalloc_nolock(50, 0, -1);
	REQUIRE(p != NULL);
	EXPECT_TEXT_EQ(cache_of(p)->name, "kmalloc-112");
	EXPECT_NULL(kmalloc_nolock(200, 0, -1));
	lock_release(&c->node->lock);
	page_unlock_all();
	EXPECT_EQ(ashlar_audit(), 0);
}
