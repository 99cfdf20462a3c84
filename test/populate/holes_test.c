/* SPDX-License-Identifier: MIT */
/*
 * holes_test.c - E9: pages inside used slabs where no fault brings memory
 *
 * What    What has no memory really faults here. Objects are marked from end to end, so one that is
 *         handed out without its memory, or twice, is found. What other threads would do while a
 *         slab is worked at without its node's lock is done by sim.watch.
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/option.h"
#include "cache/reclaim.h"
#include "cache/squeeze.h"
#include "engine/slab_own.h"
#include "page/page_help.h"
#include "page/zone.h"
#include "sim_help.h"

#define MIB ((size_t)1 << 20)
#define COUNT 6000u
#define MORE 3000u

static struct kmem_cache *cache;
static unsigned char *object[COUNT]; /* marked with their numbers */
static uint64_t state = 1;

static uint64_t next_random(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	return z ^ (z >> 31);
}

static bool get(unsigned i, gfp_t gfp)
{
	object[i] = kmem_cache_alloc(cache, gfp);
	if (object[i])
		memset(object[i], (int)(i % 251), cache->object_size);
	return object[i] != NULL;
}

static void put(unsigned i)
{
	unsigned char *p = object[i];

	if (!p)
		return;
	for (size_t at = 0; at < cache->object_size; at++)
		if (p[at] != i % 251) {
			EXPECT_EQ(p[at], i % 251);
			break;
		}
	object[i] = NULL;
	kmem_cache_free(cache, p);
}

static unsigned get_all(void)
{
	unsigned got = 0;

	for (unsigned i = 0; i < COUNT; i++)
		got += object[i] || get(i, GFP_KERNEL);
	return got;
}

/* One of @each stays. */
static void thin(unsigned each)
{
	for (unsigned i = 0; i < COUNT; i++)
		if (i % each)
			put(i);
}

static void ticks(unsigned n)
{
	while (n--)
		reclaim_tick();
}

static bool open_cache(unsigned bytes)
{
	if (!init_begun())
		sim_reset();
	if (!init_ready())
		return false;
	cache = kmem_cache_create("holes", bytes, 0, SLAB_NO_MERGE, NULL);
	return cache && get_all() == COUNT;
}

static const struct kmem_cache_node *node(void)
{
	return &cache->node[0];
}

/* Pages of the slabs on @list that have memory and are absent, or neither; *@absent: add those that
 * are. */
static size_t disagreements(const struct list *list, size_t *absent)
{
	size_t wrong = 0;
	struct list *link;

	list_for_each(link, list) {
		const struct page *head = container_of(link, struct page, link);
		u64 pages = slab_absent(&cache->shape, head);

		for (unsigned i = 0; i < 1u << cache->shape.order; i++) {
			const char *at = (char *)map_page_address(head) + i * PAGE_SIZE;

			wrong += (pages >> i & 1) == sim_is_open(at);
			*absent += pages >> i & 1;
		}
	}
	return wrong;
}

/* Absent pages, if nothing is on its way. */
static size_t absent_pages(void)
{
	size_t absent = 0;

	EXPECT_EQ(disagreements(&node()->partial, &absent), 0);
	EXPECT_EQ(disagreements(&node()->empty, &absent), 0);
	EXPECT_EQ(disagreements(&node()->holed, &absent), 0);
	return absent;
}

TEST(holes_E9_pages_between_used_objects_go_back)
{
	static const unsigned sizes[] = { 24, 200, 1000, 1360, 3000 };

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t bytes = (size_t)sizes[i] * COUNT;
		uint64_t before;
		size_t slabs;

		REQUIRE(open_cache(sizes[i]));
		thin(1 + 4 * 4096 / sizes[i]);
		before = sim.discarded;
		ticks(4);
		EXPECT_GT(sim.discarded - before, bytes / 2);
		EXPECT_GT(node()->withheld, COUNT / 2);
		EXPECT_GT(absent_pages(), 0);
		EXPECT_GT(node()->slabs << 16, bytes / 2); /* and the slabs are there */
		EXPECT_EQ(ashlar_audit(), 0);
		slabs = node()->slabs;
		EXPECT_EQ(get_all(), COUNT);
		EXPECT_EQ(node()->slabs, slabs); /* and no others were needed */
		EXPECT_LT(node()->withheld, COUNT / 16);
		EXPECT_EQ(ashlar_audit(), 0);
		thin(COUNT);
		put(0);
		EXPECT_EQ(kmem_cache_shrink(cache), 0);
		kmem_cache_destroy(cache);
		EXPECT_EQ(ashlar_audit(), 0);
	}
}

/* Whose last used object goes while it withholds others is empty, and goes back as it is. */
TEST(holes_E9_a_slab_with_holes_runs_empty)
{
	REQUIRE(open_cache(500));
	thin(40);
	ticks(4);
	REQUIRE(node()->withheld > 0);
	for (unsigned i = 0; i < COUNT; i++)
		put(i);
	EXPECT_EQ(ashlar_audit(), 0);
	ticks(4);
	EXPECT_EQ(node()->slabs, 0);
	EXPECT_EQ(node()->withheld, 0);
	EXPECT_EQ(get_all(), COUNT); /* the same pages: they have memory, or get it */
	thin(COUNT);
	put(0);
	kmem_cache_destroy(cache);
	ashlar_purge();
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Who may not wait takes what has memory, or a new slab. */
TEST(holes_E9_atomic_requests_leave_holes_alone)
{
	size_t withheld;

	REQUIRE(open_cache(1000));
	thin(32);
	ticks(4);
	withheld = node()->withheld;
	REQUIRE(withheld > COUNT / 2);
	for (unsigned i = 0; i < COUNT; i++)
		if (!object[i])
			EXPECT(get(i, GFP_ATOMIC) || node()->withheld == withheld);
	EXPECT_EQ(node()->withheld, withheld);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(holes_E9_leaks_are_counted_without_them)
{
	REQUIRE(open_cache(1000));
	thin(COUNT / 2);
	ticks(4);
	REQUIRE(node()->withheld > 0);
	help_clear();
	kmem_cache_destroy(cache); /* refused */
	EXPECT(help_contains(sim.text, "2 objects"));
	tap_note(sim.text);
	put(0);
	put(COUNT / 2);
	kmem_cache_destroy(cache);
}

/* Each request for memory refused in turn: what got none stays withheld, and comes another time. */
TEST(holes_E9_memory_refused_at_each_request)
{
	REQUIRE(open_cache(1360));
	for (unsigned nth = 1; nth < 60; nth++) {
		unsigned got = 0;

		thin(24);
		ticks(4);
		REQUIRE(node()->withheld > 0);
		sim.fail_at = nth;
		sim.fail_on = nth % 2;
		for (unsigned i = 0; i < COUNT; i++)
			got += object[i] || get(i, GFP_KERNEL | __GFP_NORETRY);
		sim.fail_at = 0;
		sim.fail_on = false;
		EXPECT_EQ(ashlar_audit(), 0);
		if (nth % 2)
			EXPECT_LT(got, COUNT);
		REQUIRE(get_all() == COUNT);
		EXPECT_EQ(node()->withheld, 0);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- others meanwhile ------------------------------------------------------------- */

static unsigned turns;
static unsigned deep;

static void all_go(void)
{
	sim.watch = NULL;
	for (unsigned i = 0; i < COUNT; i++)
		put(i);
	squeeze_caches(true);
	squeeze_discard(true);
	deep = 1;
}

/* While memory for what a slab withholds is asked for, and refused, all of its other objects come
 * back and their pages go, too. */
TEST(holes_E9_more_holes_while_one_is_filled)
{
	REQUIRE(open_cache(512)); /* none of them over the end of a page */
	thin(32);
	ticks(4);
	sim.fail_at = 1;
	sim.watch = all_go;
	for (unsigned i = 0; i < COUNT && !deep; i++)
		if (!object[i])
			get(i, GFP_KERNEL | __GFP_NORETRY);
	EXPECT_EQ(deep, 1);
	EXPECT_EQ(sim.fail_at, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(get_all(), COUNT);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- two at one slab ---------------------------------------------------------------- */

static void *more[MORE];

static uintptr_t slab_of(const void *p)
{
	return (uintptr_t)p & ~(uintptr_t)0xffff;
}

static void all_but_a_few_go(void)
{
	if (deep)
		return;
	deep = 1;
	for (unsigned i = MORE - 200; i < MORE; i++) /* the last slab has free objects, too */
		kmem_cache_free(cache, more[i]);
	for (unsigned i = 0; i < COUNT; i++)
		put(i);
	squeeze_caches(true);
	squeeze_discard(true);
	for (unsigned i = 0; i < MORE - 200 && !node()->empty_slabs; i++)
		kmem_cache_free(cache, more[i]);
	sim.fail_at = 1;
}

/* A slab may end without any memory, and be empty: others that are empty come before it. */
TEST(holes_E9_nothing_is_taken_from_what_has_nothing)
{
	deep = 0;
	REQUIRE(open_cache(512));
	for (sim.cpu = 3; sim.cpu; sim.cpu--) /* more CPUs, more is kept */
		kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	for (unsigned i = 0; i < MORE; i++)
		more[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (unsigned i = 0; i < COUNT; i++)
		if ((uintptr_t)object[i] & 0xf000) /* the first page of each slab stays in use */
			put(i);
	ticks(4);
	REQUIRE(node()->withheld > 0);
	sim.watch = all_but_a_few_go;
	for (unsigned i = 0; i < COUNT && !deep; i++)
		if (!object[i])
			get(i, GFP_KERNEL | __GFP_NORETRY);
	sim.watch = NULL;
	sim.fail_at = 0;
	EXPECT_EQ(deep, 1);
	REQUIRE(node()->empty_slabs > 1);
	EXPECT_EQ(container_of(node()->empty.prev, struct page, link)->inuse, cache->shape.objects);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(get_all(), COUNT);
	EXPECT_EQ(ashlar_audit(), 0);
}

static unsigned char *spare; /* an object in the slab that somebody is at */

static void discards_too(void)
{
	if (deep)
		return;
	deep = 1;
	kmem_cache_free(cache, spare);
	squeeze_caches(true);
	slab_discard(&cache->node[0]);
}

/* Of one slab, in whose last pages no object lies, only the objects 1000 and 1001 are in use. */
static void two_in_a_slab(void)
{
	deep = 0;
	REQUIRE(open_cache(7296));
	REQUIRE(cache->shape.waste_bytes >= PAGE_SIZE &&
		slab_of(object[1000]) == slab_of(object[1001]));
	for (unsigned i = 0; i < COUNT; i++)
		if (i != 1000 && i != 1001 && slab_of(object[i]) == slab_of(object[1000]))
			put(i);
	kmem_cache_shrink(cache);
	spare = object[1001];
	object[1001] = NULL;
}

TEST(holes_E9_a_page_without_objects_is_not_discarded_twice)
{
	uint64_t before;

	two_in_a_slab();
	page_drain();
	page_discard(0);
	before = sim.discarded;
	sim.watch = discards_too;
	slab_discard(&cache->node[0]);
	sim.watch = NULL;
	EXPECT_EQ(deep, 1);
	EXPECT_EQ((sim.discarded - before) >> PAGE_SHIFT, absent_pages());
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(holes_E9_a_page_without_objects_is_not_discarded_while_it_is_filled)
{
	two_in_a_slab();
	slab_discard(&cache->node[0]);
	REQUIRE(node()->withheld > 0);
	sim.watch = discards_too;
	for (unsigned i = 0; i < COUNT && !deep; i++)
		if (!object[i] && i != 1001)
			get(i, GFP_KERNEL);
	sim.watch = NULL;
	EXPECT_EQ(deep, 1);
	absent_pages();
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- figures ---------------------------------------------------------------------------- */

TEST(holes_E9_a_shrinker_gives_what_it_says)
{
	size_t pages;

	REQUIRE(open_cache(500));
	thin(40);
	squeeze_caches(true);
	page_drain();
	page_discard(0);
	pages = reclaim_spare();
	REQUIRE(pages > 100);
	EXPECT_GT(reclaim_give(pages), pages / 2);
	EXPECT_LT(reclaim_spare(), pages / 2);
}

TEST(holes_E9_what_came_again_had_gone)
{
	struct page_stat before;

	REQUIRE(open_cache(500));
	before = stat();
	thin(40);
	squeeze_discard(true);
	thin(COUNT);
	put(0);
	kmem_cache_shrink(cache);
	EXPECT_EQ(get_all(), COUNT);
	EXPECT_GT(stat().refaulted, before.refaulted);
	EXPECT_LE(stat().refaulted - before.refaulted, stat().discarded - before.discarded);
}

/* ---- others, at random -------------------------------------------------------------------- */

/* Short phases, in which more comes than goes and the reverse. */
static void turn(void)
{
	unsigned i = (unsigned)(next_random() % COUNT);
	bool grows = (turns++ / 20000) % 2;

	if (object[i] && (!grows || next_random() % 8 == 0))
		put(i);
	else if (!object[i] && (grows || next_random() % 8 == 0))
		get(i, next_random() % 4 ? GFP_KERNEL : GFP_ATOMIC);
}

static void others(void)
{
	uint64_t r = next_random();

	if (deep >= 2 || !lock_try(&zone_growth)) /* who waits for it here waits for ever */
		return;
	lock_release(&zone_growth);
	deep++;
	sim.watch = others; /* within what these do, too */
	for (unsigned n = (unsigned)(r % 40); n; n--)
		turn();
	if (r >> 32 & 1)
		reclaim_give(r >> 40 & 255);
	if ((r >> 33 & 15) == 0)
		kmem_cache_shrink(cache);
	deep--;
}

static void storm(unsigned bytes, unsigned rounds)
{
	size_t most = 0;

	REQUIRE(open_cache(bytes));
	for (unsigned i = 0; i < rounds; i++) {
		sim.watch = others;
		sim.fail_at = i % 4 ? 0 : 1 + next_random() % 6;
		if (i % 3 == 0) /* a page of them goes: it has holes soon */
			for (unsigned k = 0, at = (unsigned)(next_random() % COUNT); k < 64; k++)
				put((at + k) % COUNT);
		for (unsigned k = 0; k < 200; k++)
			turn();
		reclaim_tick();
		if (i % 7 == 0)
			squeeze_discard(true);
		sim.watch = NULL;
		sim.waits = sim.fail_at = 0;
		most = node()->withheld > most ? node()->withheld : most;
		absent_pages();
		if (i % 16 == 0)
			REQUIRE(ashlar_audit() == 0);
	}
	tap_note_number("withheld at most", most);
	EXPECT_GT(most, COUNT / 20);
	EXPECT_EQ(ashlar_audit(), 0);
	thin(COUNT);
	put(0);
	kmem_cache_destroy(cache);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(holes_E9_others_meanwhile_small)
{
	storm(100, 400);
}

TEST(holes_E9_others_meanwhile_over_page_ends)
{
	storm(1360, 400);
}

TEST(holes_E9_others_meanwhile_few_in_a_slab)
{
	storm(7296, 200);
}

TEST(holes_E9_others_meanwhile_random_order)
{
	sim_reset();
	REQUIRE(init_ready());
	slab_set_random(12345);
	storm(500, 400);
}
