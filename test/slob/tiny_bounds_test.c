/* SPDX-License-Identifier: MIT */
/*
 * tiny_bounds_test.c - the bounds of ashlar/heap.h, and cases that come within a few steps of them
 *
 * What    Runs where tiny_test.c does. Steps are counted at each call; a bound that no case comes
 *         near would be none.
 */
#include "slob_help.h"

#define REGION 16384u

static _Alignas(256) char region[REGION];
static void *held[4096];

#ifndef __arm__
unsigned long port_interrupts_off(void)
{
	return 0;
}

void port_interrupts_restore(unsigned long were)
{
	(void)were;
}
#endif

/* The most steps of each row of ashlar/heap.h that have been seen. */
static u32 worst_alloc, worst_full, worst_free, worst_get, worst_give;

/* O of the region. */
static u32 orders(void)
{
	u32 bits = 0;

	while (pages_zones->nr_pages >> bits)
		bits++;
	return bits < PORT_SLOB_MAX_ORDER ? bits : PORT_SLOB_MAX_ORDER;
}

static u32 alloc_bound(void)
{
	return ASHLAR_HEAP_ALLOC_STEPS((u32)PAGE_SIZE, SLOB_LEAST, SLOB_SEARCH, orders());
}

static u32 full_bound(void)
{
	return ASHLAR_HEAP_FULL_STEPS((u32)PAGE_SIZE, SLOB_LEAST, SLOB_SEARCH,
				      (u32)pages_zones->nr_pages);
}

static u32 free_bound(void)
{
	return ASHLAR_HEAP_FREE_STEPS((u32)PAGE_SIZE, SLOB_LEAST, orders());
}

static bool bounds_setup(void)
{
	worst_alloc = worst_full = worst_free = worst_get = worst_give = 0;
	sim_reset();
	return ashlar_heap_add(region, REGION, 0) != 0;
}

static void note_worst(u32 *worst)
{
	*worst = guard_steps > *worst ? guard_steps : *worst;
}

static bool is_run(const void *p)
{
	return pages_zones->pages[pages_number(pages_zones, p)].kind == PAGE_RUN;
}

/* Of @c, or @size bytes. */
static void *counted_alloc(struct kmem_cache *c, size_t size)
{
	bool had_page = pages_zones->free_pages != 0;
	void *p;

	guard_steps = 0;
	p = c ? kmem_cache_alloc(c, GFP_ATOMIC) : ashlar_kmalloc(size, GFP_ATOMIC);
	if (size > PAGE_SIZE - SLOB_HEADER_KMALLOC)
		note_worst(&worst_get);
	else
		note_worst(had_page ? &worst_alloc : &worst_full);
	return p;
}

static void counted_free(void *p)
{
	bool run = is_run(p);

	guard_steps = 0;
	kfree(p);
	note_worst(run ? &worst_give : &worst_free);
}

static void bounds_hold(void)
{
	EXPECT_LE(worst_alloc, alloc_bound());
	EXPECT_LE(worst_full, full_bound());
	EXPECT_LE(worst_free, free_bound());
	EXPECT_LE(worst_get, ASHLAR_HEAP_GET_STEPS(orders()));
	EXPECT_LE(worst_give, ASHLAR_HEAP_GIVE_STEPS(orders()));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Holes of one unit in all pages but those of a block of @keep, which is free at the end; blocks of
 * the returned cache fit into none. */
static struct kmem_cache *comb(size_t keep)
{
	struct kmem_cache *four = kmem_cache_create("four", 4, 2, 0, NULL);
	struct kmem_cache *three = kmem_cache_create("three", 2, 2, 0, NULL);
	void *kept = keep ? ashlar_kmalloc(keep, GFP_KERNEL) : NULL;
	unsigned n = 0;

	while (n < 4096 && (held[n] = kmem_cache_alloc(four, GFP_KERNEL)))
		n++;
	while (n--) { /* downwards: what is left of a hole stands before a block in use */
		kmem_cache_free(four, held[n]);
		held[n] = kmem_cache_alloc(three, GFP_KERNEL);
	}
	kfree(kept);
	return three;
}

/* As many free blocks in as many pages as can be, each too short by a unit or two; then the last
 * free page is split off the largest block. */
TEST(tiny_bound_of_an_allocation)
{
	struct kmem_cache *three;

	REQUIRE(bounds_setup());
	three = comb(8192);
	EXPECT_EQ(pages_zones->free_pages, 32);
	EXPECT_NOT_NULL(counted_alloc(three, 0));
	tap_note_number("most steps of an allocation:", worst_alloc);
	tap_note_number("   the bound:", alloc_bound());
	EXPECT_GE(worst_alloc + 1, alloc_bound()); /* N is no power of two: one split less */
	bounds_hold();
}

/* The same where no page is free: all are searched, in vain. What they are short of is the page
 * of the caches. */
TEST(tiny_bound_where_memory_is_short)
{
	struct kmem_cache *three;

	REQUIRE(bounds_setup());
	three = comb(0);
	while (counted_alloc(three, 0))
		;
	tap_note_number("most steps where memory is short:", worst_full);
	tap_note_number("   the bound:", full_bound());
	EXPECT_GE(worst_full * 100, full_bound() * 97);
	bounds_hold();
}

/* As many blocks in one page as can be, and the last of them goes. */
TEST(tiny_bound_of_a_free)
{
	struct kmem_cache *three;
	unsigned n = 0;

	REQUIRE(bounds_setup());
	three = kmem_cache_create("three", 2, 2, 0, NULL);
	while (n < 2 ||
	       pages_number(pages_zones, held[n - 1]) == pages_number(pages_zones, held[0]))
		held[n++] = kmem_cache_alloc(three, GFP_ATOMIC);
	counted_free(held[n - 2]);
	tap_note_number("most steps of a free:", worst_free);
	tap_note_number("   the bound:", free_bound());
	EXPECT_GE(worst_free + 1, free_bound()); /* a hole of one unit in front cannot be made */
	bounds_hold();
}

/* Pages of every length that there is, out of the largest block and back. */
TEST(tiny_bound_of_pages)
{
	REQUIRE(bounds_setup());
	for (unsigned order = 0; order < 5; order++) /* all but that block */
		held[order] = pages_zones->nr_pages >> order & 1 ?
				      ashlar_kmalloc(PAGE_SIZE << order, GFP_ATOMIC) :
				      NULL;
	EXPECT_EQ(pages_zones->free_pages, 32);
	for (size_t pages = 1; pages <= 32; pages++) {
		void *p = counted_alloc(NULL, pages * PAGE_SIZE);

		REQUIRE(p != NULL);
		counted_free(p);
	}
	tap_note_number("most steps for pages:", worst_get);
	tap_note_number("   the bound:", ASHLAR_HEAP_GET_STEPS(orders()));
	tap_note_number("most steps to give them back:", worst_give);
	tap_note_number("   the bound:", ASHLAR_HEAP_GIVE_STEPS(orders()));
	EXPECT_GE(worst_get + 1, ASHLAR_HEAP_GET_STEPS(orders()));
	EXPECT_GE(worst_give + 2, ASHLAR_HEAP_GIVE_STEPS(orders()));
	bounds_hold();
}

/* Aligned to more than a page, or shorter than they were, in random order. */
TEST(tiny_bound_of_pages_aligned_or_resized)
{
	uint64_t seed = help_setting("ASHLAR_SEED", 20240229);
	struct kmem_cache *aligned[12];

	memset(held, 0, sizeof(held));
	REQUIRE(bounds_setup());
	for (unsigned i = 0; i < ARRAY_SIZE(aligned); i++)
		aligned[i] = kmem_cache_create("aligned", 200 + i * 150, 512u << i % 3, 0, NULL);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned at = (unsigned)(help_random(&seed) % 16);
		size_t size = 400 + (size_t)(help_random(&seed) % 4000);

		if (!held[at] && i % 2) {
			guard_steps = 0;
			held[at] = kmem_cache_alloc(aligned[size % 12], GFP_ATOMIC);
			note_worst(&worst_get);
		} else if (!held[at]) {
			held[at] = ashlar_kmalloc(size, GFP_ATOMIC);
		} else {
			guard_steps = 0;
			if (i % 4 && ksize(held[at]) > size)
				held[at] = krealloc(held[at], size, GFP_ATOMIC);
			else
				kfree(held[at]), held[at] = NULL;
			note_worst(&worst_give);
		}
	}
	tap_note_number("most steps for aligned pages:", worst_get);
	tap_note_number("most steps to give such or resized ones back:", worst_give);
	EXPECT_GT(worst_get, ASHLAR_HEAP_GET_STEPS(orders()) / 2);
	EXPECT_GT(worst_give, ASHLAR_HEAP_GIVE_STEPS(orders()) / 2);
	EXPECT_LE(worst_get, 2 * ASHLAR_HEAP_GET_STEPS(orders()));
	EXPECT_LE(worst_give, 2 * ASHLAR_HEAP_GIVE_STEPS(orders()));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(tiny_bounds_in_random_work)
{
	uint64_t seed = help_setting("ASHLAR_SEED", 20240229);

	memset(held, 0, sizeof(held));
	REQUIRE(bounds_setup());
	for (unsigned i = 0; i < 20000; i++) {
		unsigned at = (unsigned)(help_random(&seed) % 600);

		if (held[at]) {
			counted_free(held[at]);
			held[at] = NULL;
		} else {
			u32 kind = (u32)help_random(&seed);

			held[at] = counted_alloc(NULL, 1 + (kind >> 8) % (kind % 16 ? 40 : 1500));
		}
	}
	bounds_hold();
	for (unsigned i = 0; i < 600; i++)
		if (held[i])
			counted_free(held[i]);
	EXPECT_EQ(pages_taken(), 0);
}
