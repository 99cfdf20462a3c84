/* SPDX-License-Identifier: MIT */
/*
 * rcu_test.c - frees that wait, with an RCU whose grace periods the test ends
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "cache/cache.h"
#include "cache/hold.h"
#include "cache/kmalloc.h"
#include "cache/rcu.h"
#include "fail_help.h"
#include "rcu_help.h"

/* ---- binding ------------------------------------------------------------------------ */

static void free_unbound(void)
{
	struct thing *t = kmalloc_obj(*t);

	kfree_rcu(t, rcu);
}

static void read_unbound(void)
{
	ashlar_rcu_read_lock();
}

TEST(rcu_bind)
{
	struct ashlar_rcu_ops other = test_rcu;

	REQUIRE(setup_unbound());
	EXPECT(help_aborts(free_unbound));
	EXPECT(help_contains(sim.text, "kfree_rcu needs an RCU"));
	EXPECT(help_aborts(read_unbound));
	EXPECT_EQ(ashlar_rcu_bind(NULL), -22);
	other.barrier = NULL;
	EXPECT_EQ(ashlar_rcu_bind(&other), -22);
	EXPECT_EQ(ashlar_rcu_bind(&test_rcu), 0);
	EXPECT_EQ(ashlar_rcu_bind(&test_rcu), 0);
	other = test_rcu;
	EXPECT_EQ(ashlar_rcu_bind(&other), -16);
	ashlar_rcu_read_lock();
	EXPECT_EQ(readers, 1);
	ashlar_rcu_read_unlock();
	EXPECT_EQ(readers, 0);
	ashlar_rcu_barrier(); /* of nothing */
	EXPECT_EQ(barriers, 0);
}

/* ---- kfree_rcu ---------------------------------------------------------------------- */

TEST(rcu_R1_freed_after_a_grace_period_that_began_later)
{
	struct thing *t[300];

	REQUIRE(setup());
	for (unsigned i = 0; i < 300; i++)
		t[i] = kzalloc_obj(struct thing);
	kfree_rcu(t[0], rcu);
	EXPECT_EQ(nr_calls, 1);
	for (unsigned i = 1; i < 300; i++)
		kfree_rcu(t[i], rcu);
	EXPECT_EQ(nr_calls, 1); /* one batch waits, the other collects */
	EXPECT_EQ(ashlar_rcu_pending(), 300);
	for (unsigned i = 0; i < 300; i++)
		EXPECT_EQ(t[i]->value, 0);
	grace();
	EXPECT_FALSE(kmalloc_owns(t[0]));
	EXPECT(hold_is(t[1]));
	EXPECT_EQ(ashlar_rcu_pending(), 299);
	EXPECT_EQ(nr_calls, 1);
	grace();
	EXPECT_FALSE(kmalloc_owns(t[299]));
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_EQ(nr_calls, 0);
	t[0] = NULL;
	kfree_rcu(t[0], rcu);
	EXPECT_EQ(nr_calls, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_kvfree_rcu_of_any_block)
{
	static const size_t sizes[] = { 24, 5000, 100000, 9u << 20 };

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct thing *t = kvmalloc(sizes[i], GFP_KERNEL);

		REQUIRE(t != NULL);
		kvfree_rcu(t, rcu);
		t = kvmalloc(sizes[i], GFP_KERNEL);
		kvfree_rcu_mightsleep(t);
	}
	kfree_rcu_mightsleep(NULL);
	EXPECT_EQ(ashlar_rcu_pending(), 8);
	ashlar_rcu_barrier();
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_EQ(barriers, 2);
	EXPECT_EQ(ashlar_audit(), 0);
}

static struct thing *victim;

static void free_again(void)
{
	kfree_rcu(victim, rcu);
}

static void free_now(void)
{
	kfree(victim);
}

TEST(rcu_R2_what_waits_is_nobodys)
{
	REQUIRE(setup());
	victim = kmalloc_obj(struct thing);
	kfree_rcu(victim, rcu);
	EXPECT(help_aborts(free_again));
	EXPECT(help_contains(sim.text, "ashlar: kfree_rcu(0x"));
	EXPECT(help_contains(sim.text, "double free: this "));
	EXPECT(help_aborts(free_now));
	EXPECT(help_contains(sim.text, "ashlar: kfree(0x"));
	grace();
	EXPECT(help_aborts(free_again));
}

static void look_at_locks(struct ashlar_rcu_head *head, void (*func)(struct ashlar_rcu_head *head))
{
	EXPECT_EQ(ashlar_rcu_pending(), 1); /* takes the lock */
	test_call(head, func);
}

TEST(rcu_R3_called_without_locks)
{
	struct ashlar_rcu_ops looking = test_rcu;

	REQUIRE(setup_unbound());
	looking.call = look_at_locks;
	REQUIRE(ashlar_rcu_bind(&looking) == 0);
	kvfree_rcu_mightsleep(kmalloc(64, GFP_KERNEL));
	grace();
	EXPECT_EQ(sim.waits, 0);
}

TEST(rcu_headless_without_memory_waits)
{
	char *p;

	REQUIRE(setup());
	p = kmalloc(2000, GFP_KERNEL);
	while (kmalloc(32768, GFP_KERNEL | __GFP_NORETRY))
		;
	while (kmalloc(16, GFP_KERNEL | __GFP_NORETRY))
		;
	kvfree_rcu_mightsleep(p);
	EXPECT_EQ(synchronized, 1);
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_FALSE(kmalloc_owns(p));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_destroy_waits_for_kfree_rcu)
{
	struct kmem_cache *c;
	struct thing *t;

	REQUIRE(setup());
	c = kmem_cache_create("things", sizeof(*t), 0, 0, NULL);
	for (unsigned i = 0; i < 10; i++) {
		t = kmem_cache_alloc(c, GFP_KERNEL);
		kfree_rcu(t, rcu);
	}
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_destroy_of_buckets_waits_for_kfree_rcu)
{
	kmem_buckets *b;
	struct thing *t;

	REQUIRE(setup());
	b = kmem_buckets_create("set", 0, 0, 0, NULL);
	REQUIRE(b != NULL);
	for (unsigned i = 0; i < 10; i++) {
		t = kmem_buckets_alloc(b, sizeof(*t), GFP_KERNEL);
		kfree_rcu(t, rcu);
	}
	kmem_buckets_destroy(b);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_each_request_fails)
{
	fail_each(setup, script);
}
