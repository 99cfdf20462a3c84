/* SPDX-License-Identifier: MIT */
/*
 * guard_test.c - GU1 to GU5: the slots, their order, and an object's way through one
 *
 * See     guard_report_test.c for what is told, guard_life_test.c for GU6
 */
#include "guard_help.h"

#include "ashlar/mempool.h"
#include "cache/anchor.h"
#include "rcu_help.h"

/* ---- pages ----------------------------------------------------------------------------- */

TEST(guard_off_without_the_option)
{
	REQUIRE(setup_guard(NULL));
	EXPECT_FALSE(guard_is_on());
	EXPECT_NULL(guard_find(alloc()));
	EXPECT_EQ(guard_figures()->slots, 0);
}

TEST(guard_GU1_pages_are_closed_but_for_slots_in_use)
{
	const struct guard_pool *pool = guard_pool();
	char *p;

	REQUIRE(setup_guard("guard=1;guard_slots=4"));
	for (unsigned i = 0; i < 9; i++)
		EXPECT_FALSE(sim_is_open(pool->start + i * pool->room_bytes));
	p = alloc();
	REQUIRE(guard_find(p));
	EXPECT_TRUE(sim_is_open(p));
	EXPECT_TRUE(sim_is_open(room_of(p)));
	EXPECT_FALSE(sim_is_open(room_of(p) - 1));
	EXPECT_FALSE(sim_is_open(room_of(p) + pool->room_bytes));
	kfree(p);
	EXPECT_FALSE(sim_is_open(p));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_GU2_the_longest_free_is_next)
{
	static const unsigned order[] = { 2, 0, 3, 1 };
	char *p[4];

	REQUIRE(setup_guard("guard=1;guard_slots=4"));
	for (unsigned i = 0; i < 4; i++)
		p[i] = room_of(alloc());
	for (unsigned i = 0; i < 4; i++)
		kmem_cache_free(cats, guard_find(p[order[i]])->object);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_PTR_EQ(room_of(alloc()), p[order[i]]);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_GU2_without_a_slot_it_is_ordinary)
{
	char *p[3];
	char *q;

	REQUIRE(setup_guard("guard=1;guard_slots=3"));
	for (unsigned i = 0; i < 3; i++)
		EXPECT_NOT_NULL(guard_find(p[i] = alloc()));
	q = alloc();
	REQUIRE(q);
	EXPECT_NULL(guard_find(q));
	EXPECT_EQ(guard_figures()->missed, 1);
	EXPECT_EQ(guard_figures()->used, 3);
	for (unsigned i = 0; i < 3; i++)
		kmem_cache_free(cats, p[i]);
	kmem_cache_free(cats, q);
	kmem_cache_destroy(cats);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_GU2_without_memory_it_is_ordinary)
{
	char *p;

	REQUIRE(setup_guard("guard=1;guard_slots=3"));
	kmem_cache_free(cats, alloc()); /* a slab may have come with it */
	p = kmem_cache_alloc(cats, GFP_KERNEL);
	kmem_cache_free(cats, p);
	sim.fail_at = 1; /* the slot's */
	p = alloc();
	REQUIRE(p);
	EXPECT_NULL(guard_find(p));
	EXPECT_EQ(guard_figures()->used, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_GU3_the_map_knows_nothing_of_them)
{
	const struct guard_pool *pool = guard_pool();

	REQUIRE(setup_guard("guard=1;guard_slots=4"));
	alloc();
	for (unsigned i = 0; i < 9; i++) {
		char *room = pool->start + i * pool->room_bytes;

		EXPECT_EQ(map.ids[map_pfn(room)], 0);
		EXPECT_EQ(map.pages[map_pfn(room)].kind, PAGE_GUARD);
		EXPECT_PTR_EQ(guard_find(room), i % 2 ? &pool->slots[i / 2] : NULL);
	}
	EXPECT_NULL(guard_find(pool->start - 1));
	EXPECT_NULL(guard_find(pool->start + 9 * pool->room_bytes));
	EXPECT_NULL(guard_find(&pool));
}

/* ---- the object's place ---------------------------------------------------------------- */

/* Objects of all sizes lie at an end of their room, aligned, in a pattern. */
TEST(guard_places_at_both_ends)
{
	size_t room = guard_pool()->room_bytes;
	unsigned left = 0;
	unsigned right = 0;

	REQUIRE(setup_guard("guard=1;guard_slots=2"));
	room = guard_pool()->room_bytes;
	for (size_t size = 1; size <= room && size <= CONFIG_KMALLOC_MAX_CACHE; size += 7) {
		struct kmem_cache *c = kmalloc_cache(size, 1);
		char *p = ashlar_kmalloc(size, GFP_KERNEL);
		char *end = room_of(p) + room;
		size_t bytes = size_align(size, c->align);

		REQUIRE(guard_find(p));
		EXPECT_EQ((uintptr_t)p % c->align, 0);
		EXPECT_EQ(ksize(p), size);
		left += p == room_of(p);
		right += p == end - bytes;
		EXPECT(p == room_of(p) || p == end - bytes);
		EXPECT(is_filled(room_of(p), (size_t)(p - room_of(p)), (char)0xcc));
		EXPECT(is_filled(p, size, 0));
		EXPECT(is_filled(p + size, (size_t)(end - p) - size, (char)0xcc));
		memset(p, 1, size);
		kfree(p);
	}
	EXPECT_GT(left, 50);
	EXPECT_GT(right, 50);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_a_caches_alignment_holds)
{
	REQUIRE(setup_guard("guard=1;guard_slots=2"));
	for (unsigned align = 16; align <= PAGE_SIZE; align *= 2) {
		struct kmem_cache *c = kmem_cache_create("one", 24, align, 0, NULL);

		for (unsigned i = 0; i < 20; i++) {
			char *p = kmem_cache_alloc(c, GFP_KERNEL);

			REQUIRE(guard_find(p));
			EXPECT_EQ((uintptr_t)p % align, 0);
			kmem_cache_free(c, p);
		}
		kmem_cache_destroy(c);
	}
	EXPECT_TEXT_EQ(sim.text, "");
}

static void construct(void *p)
{
	memset(p, 7, 100);
}

TEST(guard_constructed_objects_are_constructed)
{
	struct kmem_cache *c;

	REQUIRE(setup_guard("guard=1;guard_slots=2;init_on_alloc=1;init_on_free=1"));
	c = kmem_cache_create("made", 100, 0, 0, construct);
	for (unsigned i = 0; i < 8; i++) {
		char *p = kmem_cache_alloc(c, GFP_KERNEL | __GFP_ZERO);

		REQUIRE(guard_find(p));
		EXPECT(is_filled(p, 100, 7));
		memset(p, 0, 100);
		kmem_cache_free(c, p);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- all that is done to objects ------------------------------------------------------- */

TEST(guard_realloc_moves)
{
	char *p;
	char *q;

	REQUIRE(setup_guard("guard=1;guard_slots=4"));
	p = ashlar_kmalloc(50, GFP_KERNEL);
	memset(p, 5, 50);
	for (size_t size = 1; size < 20000; size = size * 2 + 1) {
		size_t kept = size_min(size, ksize(p));

		q = krealloc(p, size, GFP_KERNEL | __GFP_ZERO);
		REQUIRE(q);
		EXPECT_PTR_NE(q, p);
		EXPECT(is_filled(q, 1, 5));
		EXPECT(is_filled(q + kept, size - kept, 0));
		p = q;
	}
	kfree(p);
	p = kzalloc(100, GFP_KERNEL);
	EXPECT(is_filled(p, 100, 0));
	kfree_sensitive(p);
	EXPECT_EQ(guard_figures()->used, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_realloc_without_memory_keeps)
{
	char *p;

	REQUIRE(setup_guard("guard=1;guard_slots=4"));
	p = ashlar_kmalloc(50, GFP_KERNEL);
	memset(p, 5, 50);
	sim.fail_at = 1;
	sim.fail_on = true;
	EXPECT_NULL(krealloc(p, 3000000, GFP_KERNEL));
	EXPECT(is_filled(p, 50, 5));
	EXPECT_EQ(ksize(p), 50);
	sim.fail_at = 0;
	kfree(p);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_bulk_free_takes_both_kinds)
{
	void *p[40];

	REQUIRE(setup_guard("guard=1;guard_slots=7"));
	for (unsigned i = 0; i < 40; i++)
		REQUIRE(p[i] = alloc());
	EXPECT_EQ(guard_figures()->used, 7);
	for (unsigned i = 0; i < 7; i++) { /* among the others */
		void *q = p[i];

		p[i] = p[i * 5 + 4];
		p[i * 5 + 4] = q;
	}
	kmem_cache_free_bulk(cats, 40, p);
	EXPECT_EQ(guard_figures()->used, 0);
	kmem_cache_destroy(cats);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_in_a_mempool_is_held)
{
	mempool_t *pool;
	void *p;

	REQUIRE(setup_guard("guard=1;guard_slots=8"));
	pool = mempool_create_slab_pool(2, cats);
	REQUIRE(pool);
	EXPECT_EQ(guard_count(cats), 2);
	sim.fail_at = 1;
	sim.fail_on = true;
	p = mempool_alloc(pool, GFP_NOWAIT);
	sim.fail_at = 0;
	sim.fail_on = false;
	REQUIRE(p);
	mempool_free(p, pool);
	mempool_destroy(pool);
	EXPECT_EQ(guard_count(cats), 0);
	kmem_cache_destroy(cats);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_waits_for_readers_held)
{
	char *p;

	REQUIRE(setup_guard("guard=1;guard_slots=8"));
	ashlar_rcu_bind(&test_rcu);
	p = ashlar_kmalloc(64, GFP_KERNEL);
	REQUIRE(guard_find(p));
	kvfree_rcu_mightsleep(p);
	EXPECT_EQ(guard_size(p), 0);
	EXPECT_TRUE(sim_is_open(p)); /* readers may look */
	ashlar_rcu_barrier();
	EXPECT_FALSE(sim_is_open(p));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_kfree_nolock_leaves_it_open_until_somebody_may_wait)
{
	char *p;

	REQUIRE(setup_guard("guard=1;guard_slots=2"));
	p = alloc();
	REQUIRE(guard_find(p));
	sim.requests = 0;
	kfree_nolock(p);
	EXPECT_EQ(sim.requests, 0);
	EXPECT_TRUE(sim_is_open(p));
	EXPECT_EQ(guard_size(p), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_free(cats, alloc());
	EXPECT_FALSE(sim_is_open(p));
	EXPECT_EQ(guard_figures()->used, 0);
	kfree_nolock(alloc());
	kmem_cache_destroy(cats);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_GU5_counts_and_rows)
{
	struct ashlar_row row;
	void *p[3];

	REQUIRE(setup_guard("guard=1;guard_slots=8;stats=1"));
	for (unsigned i = 0; i < 3; i++)
		p[i] = alloc();
	EXPECT_EQ(guard_count(cats), 3);
	REQUIRE(anchor_row(cats->header_offset / 16, &row));
	EXPECT_EQ(row.objects_guarded, 3);
	EXPECT_EQ(row.slabs, 0);
	EXPECT_EQ(row.alloc_miss, 3);
	for (unsigned i = 0; i < 3; i++)
		kmem_cache_free(cats, p[i]);
	REQUIRE(anchor_row(cats->header_offset / 16, &row));
	EXPECT_EQ(row.objects_guarded, 0);
	EXPECT_EQ(row.free_miss, 3);
	EXPECT_EQ(guard_figures()->sampled, 3);
}
