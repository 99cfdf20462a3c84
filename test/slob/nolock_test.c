/* SPDX-License-Identifier: MIT */
/*
 * nolock_test.c - who may not wait, on slob: locks that are held, frees that are pending
 */
#include "ashlar/mm.h"
#include "cache/block.h"
#include "cache/hold.h"
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

static void free_wrong(void)
{
	kfree_nolock(wrong);
}

/* NL2: nothing is written into what cannot be freed, where a lock or none is needed to see it. */
static void is_left_alone(void *p, const char *what, size_t bytes)
{
	char before[64];

	memcpy(before, p, bytes);
	wrong = p;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_said("ashlar: kfree_nolock("));
	EXPECT(help_said(what));
	EXPECT_EQ(memcmp(before, p, bytes), 0);
	EXPECT_NULL(nolock_pending);
	help_clear();
}

static void wrong_is_left_alone(const char *text)
{
	char outside[16] = "outside";
	struct kmem_cache *c;
	char *p, *object, *run, *block;

	sim_reset();
	sim.options = text;
	REQUIRE(init_ready());
	c = kmem_cache_create("cats", 40, 0, 0, NULL);
	p = ashlar_kmalloc(100, GFP_KERNEL);
	run = ashlar_kmalloc(20000, GFP_KERNEL);
	block = (char *)__get_free_pages(GFP_KERNEL, 2);
	REQUIRE(c && p && run && block);
	object = kmem_cache_alloc(c, GFP_KERNEL);
	is_left_alone(c, "invalid free: this describes the cache cats", 32);
	is_left_alone(p + 16, "invalid free: 16 bytes inside a block", 32);
	is_left_alone(run + 4096, "invalid free: no block starts here", 32);
	is_left_alone(block, "invalid free: no block starts here", 32);
	is_left_alone(outside, "invalid free: this memory is not Ashlar's", 16);
	hold(p);
	hold(run);
	hold(object);
	is_left_alone(p, "double free: this block is held", 32);
	is_left_alone(p + 16, "invalid free: 16 bytes inside a block", 32);
	is_left_alone(run, "double free: this block is held", 32);
	is_left_alone(object, "double free: this block is held", 32);
	hold_end(p);
	hold_end(run);
	hold_end(object);
	kfree(run);
	is_left_alone(run, "double free: this block is already free", 32);
	kfree(p);
	is_left_alone(p, "double free: this block is already free", 32);
	kfree(object);
	is_left_alone(object, "double free: this block is already free", 32);
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(nolock_NL2_what_is_wrong_is_left_alone)
{
	wrong_is_left_alone(NULL);
}

TEST(nolock_NL2_what_is_wrong_is_left_alone_where_frees_clear)
{
	wrong_is_left_alone("init_on_free=1");
}

/* A handler may have interrupted who has the list of caches: the report does not wait for it. */
TEST(nolock_NL1_a_report_waits_for_nobody)
{
	struct kmem_cache *c;

	REQUIRE(slob_setup());
	c = kmem_cache_create("cats", 40, 0, 0, NULL);
	wrong = (char *)kmem_cache_alloc(c, GFP_KERNEL) + 2;
	cache_guard(true);
	EXPECT(help_aborts(free_wrong));
	cache_guard(false);
	EXPECT(help_said("invalid free: 2 bytes inside a block"));
	EXPECT_EQ(sim.waits, 0);
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
