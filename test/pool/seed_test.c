/* SPDX-License-Identifier: MIT */
/*
 * seed_test.c - faults of the first seed, each looked for here: X1 to X11
 *
 * What    Cases are named after the faults' numbers in docs/lineage.md. A fault that can be seen
 *         through the interface is looked for by a function that is run twice: on the model of
 *         the seed, where it has to find the fault, and on the pools, where it must not.
 */
#include "seed_help.h"

/* ---- X1 .. X6: slab_free --------------------------------------------------------- */

/* Two objects a slab: the third and fourth are in the second. */
static bool x1(const struct maker *m)
{
	void *p[4];

	if (!m->create(MIB, NULL, note_dtor))
		return false;
	for (unsigned i = 0; i < 4; i++)
		p[i] = m->alloc(0);
	m->free(p[3], 0);
	m->free(p[2], 0);
	return m->using() == 2 && destroyed == 2;
}

TEST(seed_X1_an_object_of_any_slab_is_freed)
{
	compare(x1);
	EXPECT_EQ(slab_free(pool, &pool, 0), -ENOT_IN_SLAB);
	EXPECT_EQ(ours_using(), 2);
}

static bool x2(const struct maker *m)
{
	void *p;

	if (!m->create(64, NULL, NULL))
		return false;
	p = m->alloc(0);
	return m->free(p, 0) == 0 && m->free(p, 0) != 0 && m->using() == 0 &&
	       m->idle() == 2 * MIB / 64;
}

TEST(seed_X2_a_second_free_is_refused_and_changes_nothing)
{
	compare(x2);
	EXPECT(help_contains(sim.text, "double free: this object of pool-64 is already free"));
}

/* A slab that is full and was freed from twice: the next allocation comes back. */
static bool x3(const struct maker *m)
{
	static void *p[8];

	if (!m->create(MIB / 2, NULL, NULL))
		return false;
	for (unsigned i = 0; i < 8; i++)
		p[i] = m->alloc(0);
	if (m == &seed) { /* what a free in another slab would do, were X1 not there */
		model.slab[1].free++;
		model.free++;
	} else {
		m->free(p[7], 0);
		m->free(p[7], 0);
		m->alloc(0);
	}
	p[0] = m->alloc(0);
	return p[0] && p[0] != MODEL_SPINS;
}

TEST(seed_X3_the_bits_are_the_only_truth)
{
	compare(x3);
}

/* The counters say that one is free, and no bit does. */
static bool x4(const struct maker *m)
{
	static void *p[4];

	if (!m->create(MIB / 2, NULL, NULL))
		return false;
	for (unsigned i = 0; i < 4; i++)
		p[i] = m->alloc(0);
	m->free(p[1], 0);
	m->free(p[1], 0);
	m->free(p[1], 0); /* free, in use, free: three frees counted */
	for (unsigned i = 0; i < 3; i++)
		if (!m->alloc(0))
			return false;
	return true;
}

TEST(seed_X4_grows_whenever_no_object_is_found)
{
	compare(x4);
}

/* The first byte behind the anchor's slab. */
static bool x5(const struct maker *m)
{
	char *first;

	if (!m->create(32, NULL, NULL))
		return false;
	first = m->alloc(0);
	return m->free(first + MODEL_BYTES, 0) != 0 && m->using() == 1;
}

TEST(seed_X5_a_slab_ends_before_the_next_begins)
{
	compare(x5);
	model_create(32, NULL, NULL);
	model_free(model_arena + MODEL_BYTES, 0);
	EXPECT_EQ(model.beyond, 1); /* a bit behind the bitmap was changed */
}

/* In the middle; never handed out; behind the last object. */
static bool x6(const struct maker *m)
{
	char *p;

	if (!m->create(96, NULL, NULL)) /* 21845 objects and 32 bytes */
		return false;
	p = m->alloc(0);
	return m->free(p + 8, 0) != 0 && m->free(p + 96, 0) != 0 &&
	       m->free(p + 21845 * 96, 0) != 0 && m->using() == 1 && m->idle() == 21844;
}

TEST(seed_X6_only_the_start_of_an_object_in_use_is_accepted)
{
	compare(x6);
}

/* ---- X7 .. X11: locks and costs ---------------------------------------------------- */

static unsigned constructed;
static bool locked_meanwhile;

static void look_at_lock(void)
{
	locked_meanwhile |= pool->lock.word != LOCK_FREE;
}

TEST(seed_X7_a_pool_is_made_with_a_lock_and_releases_it)
{
	void *p;

	REQUIRE(setup());
	REQUIRE(ours_create(64, NULL, NULL));
	EXPECT_EQ(pool->lock.word, LOCK_FREE);
	p = slab_malloc(pool, 0);
	EXPECT_EQ(pool->lock.word, LOCK_FREE);
	EXPECT_EQ(slab_free(pool, p, 0), 0);
	EXPECT_EQ(pool->lock.word, LOCK_FREE);
	lock_acquire(&pool->lock); /* it is this lock that the doors take: one that need not wait */
	EXPECT_NULL(slab_malloc_gfp(pool, 0, GFP_ATOMIC));
	lock_release(&pool->lock);
	EXPECT_NOT_NULL(slab_malloc_gfp(pool, 0, GFP_ATOMIC));
}

/* The address says whose block it is: other pools are not looked at, whatever they are. */
TEST(seed_X8_a_free_walks_no_list)
{
	void *p;

	REQUIRE(setup());
	p = pool_kmalloc(1000, GFP_KERNEL);
	for (unsigned i = 0; i < 4; i++)
		REQUIRE(pool_kmalloc((size_t)32 << i, GFP_KERNEL) != NULL);
	REQUIRE(p != NULL);
	pool = pool_owner(p);
	for (struct list *node = pool->link.next; node != &pool->link; node = node->next) {
		struct slab *other = container_of(node, struct slab, link);

		if (pool_is_pool(other))
			lock_acquire_more(&other->lock); /* who tried one would wait: sim.waits */
	}
	sim.task_word = 0; /* another thread has them */
	EXPECT_EQ(pool_kfree(p), 0);
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(ours_using(), 0);
}

/* Full slabs are on no list that an allocation looks at, and the lowest free object is found
 * through two summaries: three words, wherever it is. */
TEST(seed_X9_costs_do_not_depend_on_what_is_full)
{
	static void *p[3 * 32768];
	size_t n = ARRAY_SIZE(p);
	const struct page *sheet;

	REQUIRE(setup());
	REQUIRE(ours_create(64, NULL, NULL));
	for (size_t i = 0; i < n; i++)
		REQUIRE((p[i] = slab_malloc(pool, 0)) != NULL);
	EXPECT(list_is_empty(&pool->partial) && list_is_empty(&pool->empty));
	EXPECT_EQ(slab_free(pool, p[n - 1], 0), 0);
	sheet = list_first_entry(&pool->partial, struct page, link);
	EXPECT_PTR_EQ(sheet, sheet_head(p[n - 1]));
	EXPECT_EQ(SHEET_SPREADS ? sheet[1].pages : sheet->bits[PAGE_WORDS],
		  (size_t)1 << (32767 / 4096)); /* top: one middle word is left */
	EXPECT_PTR_EQ(slab_malloc(pool, 0), p[n - 1]);
	EXPECT(list_is_empty(&pool->partial));
}

static void *interrupt_got;
static int interrupt_freed;
static void *interrupt_object;

/* What comes while the lock is held by whom it has interrupted. */
static void interrupt(void)
{
	interrupt_got = slab_malloc_gfp(pool, 0, GFP_ATOMIC);
	interrupt_freed = slab_free_try(pool, interrupt_object);
}

TEST(seed_X10_who_may_not_wait_does_not)
{
	REQUIRE(setup());
	REQUIRE(ours_create(64, NULL, NULL));
	interrupt_object = slab_malloc(pool, 0);
	lock_acquire(&pool->lock);
	interrupt();
	lock_release(&pool->lock);
	EXPECT_EQ(sim.waits, 0);
	EXPECT_NULL(interrupt_got);
	EXPECT_EQ(interrupt_freed, -ESLAB_BUSY);
	EXPECT_EQ(ours_using(), 1);
	interrupt();
	EXPECT_NOT_NULL(interrupt_got);
	EXPECT_EQ(interrupt_freed, 0);
	EXPECT_EQ(ours_using(), 1);
}

static void *look_in_callback(void *p, unsigned long arg)
{
	(void)arg;
	look_at_lock();
	constructed++;
	return p;
}

/* Each call to the machine, and each callback, finds the lock free. */
TEST(seed_X11_no_lock_while_growing_or_giving_back)
{
	void *p[6];

	REQUIRE(setup());
	REQUIRE(ours_create(MIB, look_in_callback, look_in_callback));
	sim.watch = look_at_lock;
	for (unsigned i = 0; i < 6; i++)
		REQUIRE((p[i] = slab_malloc(pool, 0)) != NULL);
	for (unsigned i = 0; i < 6; i++)
		EXPECT_EQ(slab_free(pool, p[i], 0), 0);
	EXPECT_GT(pool_shrink(pool), 0);
	sim.watch = NULL;
	EXPECT_FALSE(locked_meanwhile);
	EXPECT_EQ(constructed, 12);
	EXPECT_GT(sim.requests, 0);
}
