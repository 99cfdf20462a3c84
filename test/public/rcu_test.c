/* SPDX-License-Identifier: MIT */
/*
 * rcu_test.c - frees that wait, with an RCU whose grace periods the test ends
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/mempool.h"
#include "cache/cache.h"
#include "cache/hold.h"
#include "cache/kmalloc.h"
#include "cache/option.h"
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

/* ---- SLAB_TYPESAFE_BY_RCU ------------------------------------------------------------- */

struct object {
	uint64_t built;
	char room[92];
};

static void build(void *p)
{
	((struct object *)p)->built = 0x600d;
}

static struct kmem_cache *safe;
static struct object *object;

static bool setup_safe(void)
{
	if (!setup())
		return false;
	safe = kmem_cache_create("safe", sizeof(*object), 0, SLAB_TYPESAFE_BY_RCU, build);
	object = safe ? kmem_cache_alloc(safe, GFP_KERNEL) : NULL;
	return object != NULL;
}

/* All that waits is freed, and nothing is left of the cache. */
static void expect_end(void)
{
	kmem_cache_destroy(safe);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_typesafe_needs_an_rcu)
{
	REQUIRE(setup_unbound());
	EXPECT_NULL(kmem_cache_create("safe", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL));
	EXPECT(help_contains(sim.text, "refused: SLAB_TYPESAFE_BY_RCU needs an RCU: call "
				       "ashlar_rcu_bind first"));
}

TEST(rcu_typesafe_readers_find_an_object_of_this_cache)
{
	static struct object *p[3000];

	REQUIRE(setup_safe());
	for (unsigned i = 0; i < 3000; i++) {
		REQUIRE((p[i] = kmem_cache_alloc(safe, GFP_KERNEL)) != NULL);
		memset(p[i]->room, 1, sizeof(p[i]->room));
	}
	kmem_cache_free_bulk(safe, 1000, (void **)p);
	kmem_cache_free_bulk(NULL, 1000, (void **)&p[1000]);
	for (unsigned i = 2000; i < 3000; i++)
		kfree(p[i]);
	kmem_cache_shrink(safe);
	ashlar_purge();
	for (unsigned i = 0; i < 20000; i++) { /* what else would like to be there */
		void *q = kmalloc(sizeof(*object), GFP_KERNEL);

		REQUIRE(q != NULL);
		memset(q, 0xff, sizeof(*object));
	}
	for (unsigned i = 0; i < 3000; i++)
		EXPECT_EQ(p[i]->built, 0x600d); /* a late reader */
	EXPECT_GT(ashlar_rcu_pending(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	grace();
	grace();
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_free(safe, object);
	expect_end();
}

TEST(rcu_typesafe_destroy_waits)
{
	struct kmem_cache *c;
	uint64_t *p;

	REQUIRE(setup());
	c = kmem_cache_create("safe", 64, 0, SLAB_TYPESAFE_BY_RCU, build);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, p);
	kmem_cache_destroy(c);
	EXPECT_EQ(barriers, 1);
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_typesafe_ksize_is_of_the_object)
{
	REQUIRE(setup_safe());
	EXPECT_GE(ksize(object), sizeof(*object));
	EXPECT_LT(ksize(object), sizeof(*object) + 2 * sizeof(void *));
	EXPECT_EQ(kmem_cache_size(safe), sizeof(*object));
	memset(object->room, 0xff, ksize(object) - sizeof(object->built));
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_free(safe, object);
	memset(object->room, 0xff, sizeof(object->room)); /* as readers may */
	expect_end();
}

TEST(rcu_typesafe_kfree_rcu_waits_once)
{
	REQUIRE(setup_safe());
	ashlar_kvfree_call_rcu(object->room + 8, object);
	EXPECT_EQ(ashlar_rcu_pending(), 1);
	object = kmem_cache_alloc(safe, GFP_KERNEL);
	kvfree_rcu_mightsleep(object);
	EXPECT_EQ(ashlar_rcu_pending(), 2);
	ashlar_rcu_barrier();
	EXPECT_FALSE(kmalloc_owns(object));
	expect_end();
}

TEST(rcu_typesafe_kfree_nolock_keeps_what_readers_see)
{
	REQUIRE(setup_safe());
	kfree_nolock(object);
	EXPECT_EQ(object->built, 0x600d);
	kfree(kmalloc(8, GFP_KERNEL)); /* carries it out */
	EXPECT_EQ(object->built, 0x600d);
	expect_end();
}

static void free_object(void)
{
	kmem_cache_free(safe, object);
}

static void free_bulk_object(void)
{
	void *p = object;

	kmem_cache_free_bulk(NULL, 1, &p);
}

static void kfree_object(void)
{
	kfree(object);
}

static void kfree_rcu_object(void)
{
	kvfree_rcu_mightsleep(object);
}

static void kfree_nolock_object(void)
{
	kfree_nolock(object);
	free_object(); /* at the latest here */
}

static void krealloc_object(void)
{
	object = krealloc(object, 1000, GFP_KERNEL);
}

TEST(rcu_typesafe_a_second_free_is_told_at_once)
{
	static void (*const second[])(void) = { free_object,     free_bulk_object,
						kfree_object,    kfree_rcu_object,
						krealloc_object, kfree_nolock_object };

	REQUIRE(setup_safe());
	kmem_cache_free(safe, object);
	for (unsigned i = 0; i < ARRAY_SIZE(second); i++) {
		help_clear();
		EXPECT(help_aborts(second[i]));
		EXPECT(help_contains(sim.text, second[i] == krealloc_object ?
						       "): use after free: " :
						       "): double free: "));
	}
	help_clear();
	expect_end();
}

static struct kmem_cache *other;

static void free_to_other(void)
{
	kmem_cache_free(other, object);
}

static void free_others(void)
{
	kmem_cache_free(safe, kmem_cache_alloc(other, GFP_KERNEL));
}

TEST(rcu_typesafe_a_wrong_cache_is_told)
{
	REQUIRE(setup_safe());
	other = kmem_cache_create("other", sizeof(*object), 0, 0, NULL);
	EXPECT(help_aborts(free_to_other));
	EXPECT(help_contains(sim.text, "wrong cache: freed to other, this object is of safe"));
	help_clear();
	EXPECT(help_aborts(free_others));
	EXPECT(help_contains(sim.text, "wrong cache: freed to safe, this object is of other"));
}

TEST(rcu_typesafe_init_on_free_spares_readers)
{
	REQUIRE(setup_safe());
	options.init_on_free = true;
	kfree(object);
	EXPECT_EQ(object->built, 0x600d);
	expect_end();
}

TEST(rcu_typesafe_mempools_and_sheaves)
{
	struct slab_sheaf *sheaf;
	mempool_t *pool;
	void *p;

	REQUIRE(setup_safe());
	kmem_cache_free(safe, object);
	pool = mempool_create_slab_pool(4, safe);
	sheaf = kmem_cache_prefill_sheaf(safe, GFP_KERNEL, 8);
	REQUIRE(pool && sheaf);
	p = mempool_alloc(pool, GFP_KERNEL);
	object = kmem_cache_alloc_from_sheaf(safe, GFP_KERNEL, sheaf);
	REQUIRE(p && object);
	kmem_cache_free(safe, object);
	mempool_free(p, pool);
	mempool_destroy(pool);
	kmem_cache_return_sheaf(safe, GFP_KERNEL, sheaf);
	EXPECT_EQ(object->built, 0x600d);
	EXPECT_EQ(ashlar_audit(), 0);
	expect_end();
}

TEST(rcu_typesafe_no_holes_are_punched)
{
	static uint64_t *p[4096];
	struct kmem_cache *c;

	REQUIRE(setup());
	c = kmem_cache_create("safe", 4096, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	for (unsigned i = 0; i < 2048; i++) {
		p[i] = kmem_cache_alloc(c, GFP_KERNEL);
		*p[i] = 0x600d;
	}
	for (unsigned i = 0; i < 2048; i++)
		if (i % 16)
			kmem_cache_free(c, p[i]);
	ashlar_purge();
	for (unsigned i = 0; i < 2048; i++)
		EXPECT_EQ(*p[i], 0x600d);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_typesafe_each_request_fails)
{
	script_flags = SLAB_TYPESAFE_BY_RCU;
	fail_each(setup, script);
}
