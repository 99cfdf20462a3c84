/* SPDX-License-Identifier: MIT */
/*
 * rcu_test.c - objects that wait for readers, on slob: GR1, GR2, SL8 (cache/grace.h, engine/slob.h)
 *
 * See     test/public/rcu_test.c for what both engines do
 */
#include "cache/block.h"
#include "cache/hold.h"
#include "cache/init.h"
#include "cache/nolock.h"
#include "engine/words.h"
#include "rcu_help.h"

static const unsigned sizes[] = { 1, 2, 7, 8, 9, 24, 100, 2000, 4072, 4080, 4096, 5000, 100000 };

static char pattern_of(size_t k, size_t i)
{
	return (char)(k * 31 + i);
}

static void fill(char *p, size_t k)
{
	for (size_t i = 0; i < sizes[k]; i++)
		p[i] = pattern_of(k, i);
}

static bool is_patterned(const char *p, size_t k)
{
	for (size_t i = 0; i < sizes[k]; i++)
		if (p[i] != pattern_of(k, i))
			return false;
	return true;
}

/* GR1: of any size, in slob pages and runs, in each way to be freed. */
static void free_in_ways(unsigned way, bool locked)
{
	struct kmem_cache *c[ARRAY_SIZE(sizes)];
	char *p[ARRAY_SIZE(sizes)][3];

	for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
		c[k] = kmem_cache_create("safe", sizes[k], 0, SLAB_TYPESAFE_BY_RCU, NULL);
		REQUIRE(c[k] != NULL);
		for (unsigned n = 0; n < 3; n++) {
			REQUIRE((p[k][n] = kmem_cache_alloc(c[k], GFP_KERNEL)) != NULL);
			fill(p[k][n], k);
		}
	}
	if (locked)
		init_guards(true);
	for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
		for (unsigned n = 0; n < 3; n++) {
			if (way == 0)
				kmem_cache_free(c[k], p[k][n]);
			else if (way == 1)
				kfree(p[k][n]);
			else
				kfree_nolock(p[k][n]);
		}
	}
	if (locked)
		init_guards(false);
	kfree(kmalloc(10, GFP_KERNEL)); /* carries out what is pending */
	EXPECT_EQ(ashlar_rcu_pending(), 3 * ARRAY_SIZE(sizes));
	EXPECT_EQ(ashlar_audit(), 0);
	for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
		for (unsigned n = 0; n < 3; n++) {
			EXPECT(hold_is(p[k][n]));
			EXPECT(is_patterned(p[k][n], k));
		}
		EXPECT_EQ(c[k]->live, 3);
	}
	grace();
	grace();
	for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
		EXPECT_EQ(c[k]->live, 0);
		kmem_cache_destroy(c[k]);
	}
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(rcu_GR1_kmem_cache_free)
{
	REQUIRE(setup());
	free_in_ways(0, false);
}

TEST(rcu_GR1_kfree)
{
	REQUIRE(setup());
	free_in_ways(1, false);
}

TEST(rcu_GR1_kfree_nolock)
{
	REQUIRE(setup());
	free_in_ways(2, false);
}

TEST(rcu_GR1_kfree_nolock_while_all_locks_are_held)
{
	REQUIRE(setup());
	free_in_ways(2, true);
}

/* GR2 */
TEST(rcu_GR2_one_grace_period_after_kfree_rcu)
{
	struct kmem_cache *c;
	struct thing *t;

	REQUIRE(setup());
	c = kmem_cache_create("safe", sizeof(*t), 0, SLAB_TYPESAFE_BY_RCU, NULL);
	t = kmem_cache_alloc(c, GFP_KERNEL);
	kfree_rcu(t, rcu);
	grace();
	EXPECT_EQ(c->live, 0);
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	t = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, t);
	grace();
	EXPECT_EQ(c->live, 0);
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	kmem_cache_destroy(c);
	EXPECT_EQ(barriers, 0); /* nothing was left to wait for */
	EXPECT_EQ(ashlar_audit(), 0);
}

/* What waits is not given to anybody, and its destroy says nothing of it. */
TEST(rcu_GR1_not_reused)
{
	struct kmem_cache *c;
	void *first;

	REQUIRE(setup());
	c = kmem_cache_create("safe", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	first = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, first);
	for (unsigned i = 0; i < 20; i++)
		EXPECT_NE((uintptr_t)kmem_cache_alloc(c, GFP_KERNEL), (uintptr_t)first);
	grace();
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), first);
	kmem_cache_destroy(c);
	EXPECT(help_contains(sim.text,
			     "kmem_cache_destroy(\"safe\"): 21 objects are still in use"));
}

/* ---- SL8 -------------------------------------------------------------------------------- */

TEST(rcu_SL8_ids)
{
	struct kmem_cache *kept;
	struct kmem_cache *plain;

	REQUIRE(setup());
	kept = kmem_cache_create("kept", 8, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	plain = kmem_cache_create("plain", 8, 0, 0, NULL);
	EXPECT(slob_waits(kept->id));
	EXPECT_FALSE(slob_waits(plain->id));
	for (unsigned i = 0; i < 10000; i++) {
		struct kmem_cache *c = kmem_cache_create("round", 8, 0, SLAB_TYPESAFE_BY_RCU, NULL);

		REQUIRE(c != NULL);
		EXPECT_NE(c->id, kept->id);
		EXPECT_EQ(c->id & SLOB_WAITS, SLOB_WAITS);
		EXPECT_EQ(c->id & ID_SPARE, 0);
		kmem_cache_destroy(c);
	}
}

static void *object;

static void kfree_object(void)
{
	kfree(object);
}

TEST(rcu_SL8_other_bits_are_damage)
{
	struct kmem_cache *c;
	slob_word *id;

	REQUIRE(setup());
	c = kmem_cache_create("safe", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	object = kmem_cache_alloc(c, GFP_KERNEL);
	id = (slob_word *)object - 1;
	*id = (slob_word)(*id & ~2);
	EXPECT_NE(ashlar_audit(), 0);
	EXPECT(help_aborts(kfree_object));
	EXPECT(help_contains(sim.text, "damage: headers of the page were overwritten"));
}

/* A kmalloc whose neighbour's bytes look like a header is a kmalloc: its header has no such bit. */
TEST(rcu_SL8_a_kmalloc_is_none_whatever_is_before_it)
{
	char *p[20];
	u16 id;

	REQUIRE(setup());
	for (unsigned i = 0; i < 20; i++)
		p[i] = kmalloc(30, GFP_KERNEL);
	for (unsigned word = 0; word < 0x10000; word++) {
		for (unsigned i = 0; i < 19; i++)
			if (p[i + 1] == p[i] + 32)
				memcpy(p[i] + 28, &word, 2);
		for (unsigned i = 1; i < 20; i++)
			if (block_wait_room(p[i], &id))
				EXPECT_EQ(word, UINT32_MAX);
	}
	for (unsigned i = 0; i < 20; i++)
		kfree(p[i]);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* In any place, whatever starts there: nothing is found that cannot be, nothing else is read. */
TEST(rcu_SL8_any_pointer_does_no_harm)
{
	struct kmem_cache *c;
	size_t found = 0;
	u16 id;

	REQUIRE(setup());
	c = kmem_cache_create("safe", 24, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	object = kmem_cache_alloc(c, GFP_KERNEL);
	for (size_t i = 0; i < PAGE_SIZE; i += 2) {
		char *p = (char *)((uintptr_t)object & ~(PAGE_SIZE - 1)) + i;
		char *room = block_wait_room(p, &id);

		EXPECT(!room || (p == object && id == c->id && room == p + 24));
		found += room != NULL;
	}
	EXPECT_EQ(found, 1);
	EXPECT_NULL(block_wait_room(&c, &id));
}
