/* SPDX-License-Identifier: MIT */
/*
 * nolock_test.c - who may not wait, on slob: locks that are held, frees that are pending
 */
#include "cache/block.h"
#include "cache/nolock.h"
#include "slob_help.h"

static void *wrong;
static void *right;

static void free_again(void)
{
	kfree_nolock(wrong);
	kfree(right);
}

/* A shard whose lock is held is passed over. */
TEST(nolock_another_shard_serves)
{
	void *p, *q;

	REQUIRE(slob_setup());
	p = ashlar_kmalloc(100, GFP_KERNEL);
	lock_acquire_more(&pages_zones->shard[sim.cpu].lock);
	q = kmalloc_nolock(100, 0, -1);
	EXPECT_NOT_NULL(q);
	lock_release(&pages_zones->shard[sim.cpu].lock);
	EXPECT_NE(page_of(p)->shard, page_of(q)->shard);
	kfree(p);
	kfree(q);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(pages_taken(), 0);
}

/* NL1 */
TEST(nolock_without_any_lock_there_is_nothing)
{
	void *p;

	REQUIRE(slob_setup());
	p = ashlar_kmalloc(100, GFP_KERNEL);
	init_guards(true);
	EXPECT_NULL(kmalloc_nolock(100, 0, -1));
	EXPECT_NULL(kmalloc_nolock(20000, 0, -1));
	init_guards(false);
	EXPECT_EQ(sim.waits, 0);
	kfree(p);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* The zone's lock alone: pages there are serve, a new one cannot be had. */
TEST(nolock_without_the_zone_no_new_page)
{
	void *p;

	REQUIRE(slob_setup());
	p = ashlar_kmalloc(100, GFP_KERNEL);
	lock_acquire_more(&pages_zones->lock);
	right = kmalloc_nolock(100, 0, -1);
	EXPECT_NOT_NULL(right);
	EXPECT_NULL(kmalloc_nolock(5000, 0, -1));
	kfree_nolock(right);
	EXPECT_NULL(nolock_pending);
	kfree_nolock(p); /* its page would be empty, and cannot be given back */
	EXPECT_PTR_EQ(nolock_pending, p);
	lock_release(&pages_zones->lock);
	kfree(ashlar_kmalloc(10, GFP_KERNEL));
	EXPECT_NULL(nolock_pending);
	EXPECT_EQ(pages_taken(), 0);
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

static void *mine[200];

/* NL2: of every size, in slob pages and runs, of kmalloc and of caches. */
TEST(nolock_NL2_frees_wait_for_the_next_call)
{
	struct kmem_cache *c;

	REQUIRE(slob_setup());
	c = kmem_cache_create("pending", 3, 0, 0, NULL);
	REQUIRE(c != NULL);
	right = ashlar_kmalloc(100, GFP_KERNEL);
	for (unsigned i = 0; i < 200; i++) {
		mine[i] = i % 4 ? ashlar_kmalloc(i * 40 + 1, GFP_KERNEL) :
				  kmem_cache_alloc(c, GFP_KERNEL);
		REQUIRE(mine[i] != NULL);
	}
	init_guards(true);
	for (unsigned i = 0; i < 200; i++)
		kfree_nolock(mine[i]);
	init_guards(false);
	EXPECT_PTR_EQ(nolock_pending, mine[199]);
	EXPECT_EQ(c->live, 50);
	EXPECT_EQ(ashlar_audit(), 0);
	kfree(right);
	EXPECT_NULL(nolock_pending);
	EXPECT_EQ(c->live, 0);
	kmem_cache_destroy(c);
	EXPECT_EQ(pages_taken(), 0);
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_TEXT_EQ(sim.text, "");
}

/* A cache that is destroyed waits for nobody: what is pending comes first. */
TEST(nolock_NL3_destroy_settles)
{
	struct kmem_cache *c;

	REQUIRE(slob_setup());
	c = kmem_cache_create("settled", 40, 0, 0, NULL);
	kfree_nolock(kmem_cache_alloc(c, GFP_KERNEL));
	EXPECT_EQ(c->live, 1);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(pages_taken(), 0);
}

static void free_twice_while_held(void)
{
	init_guards(true);
	kfree_nolock(wrong);
	kfree_nolock(wrong);
	init_guards(false);
	kfree(right);
}

TEST(nolock_NL2_a_second_free_that_is_pending)
{
	REQUIRE(slob_setup());
	right = ashlar_kmalloc(100, GFP_KERNEL);
	wrong = ashlar_kmalloc(100, GFP_KERNEL);
	EXPECT(help_aborts(free_twice_while_held));
	EXPECT(help_said("ashlar: kfree_nolock("));
	EXPECT(help_said("double free"));
}

TEST(nolock_NL2_of_a_run)
{
	REQUIRE(slob_setup());
	right = ashlar_kmalloc(100, GFP_KERNEL);
	wrong = ashlar_kmalloc(20000, GFP_KERNEL);
	kfree_nolock(wrong);
	EXPECT(help_aborts(free_again));
	EXPECT(help_said("double free"));
}

/* init_on_free needs the length of the block: it is carried out where locks are. */
TEST(nolock_init_on_free)
{
	sim_reset();
	sim.options = "init_on_free=1";
	REQUIRE(init_ready());
	right = ashlar_kmalloc(16, GFP_KERNEL);
	wrong = ashlar_kmalloc(200, GFP_KERNEL);
	memset(wrong, 7, 200);
	kfree_nolock(wrong);
	EXPECT_PTR_EQ(nolock_pending, wrong);
	kfree(right);
	EXPECT(is_filled((char *)wrong + 16, 180, 0));
	EXPECT_EQ(ashlar_audit(), 0);
}
