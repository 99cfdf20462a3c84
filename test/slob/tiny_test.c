/* SPDX-License-Identifier: MIT */
/*
 * tiny_test.c - slob as a small machine has it: pages of 256 bytes, one CPU, regions
 *
 * What    Runs on the host with the numbers of src/port/tiny, and in an emulated Cortex-M3. Its
 *         bounds are those of ashlar/heap.h, counted in steps at each call.
 */
#include "interval.h"
#include "slob_help.h"

#define REGION 16384u
#define ALLOC_STEPS ASHLAR_HEAP_ALLOC_STEPS((unsigned)PAGE_SIZE, SLOB_SEARCH, PORT_SLOB_MAX_ORDER)
#define FREE_STEPS                                                          \
	(ASHLAR_HEAP_FREE_STEPS((unsigned)PAGE_SIZE, PORT_SLOB_MAX_ORDER) + \
	 2 * PORT_SLOB_MAX_ORDER * PORT_SLOB_MAX_ORDER)

static _Alignas(256) char region[REGION];
static _Alignas(256) char other[4096];
static void *held[4096];

#ifndef __arm__
static unsigned interrupts_off;

/* A cache whose count is watched, what it was when interrupts were last let in again, and how often
 * it was another when they were kept out the next time. */
static const struct kmem_cache *watched;
static size_t live_seen;
static unsigned unguarded, guarded;

unsigned long port_interrupts_off(void)
{
	if (watched && !interrupts_off && watched->live != live_seen) {
		live_seen = watched->live;
		unguarded++;
	}
	return interrupts_off++;
}

void port_interrupts_restore(unsigned long were)
{
	interrupts_off = (unsigned)were;
	if (watched && !interrupts_off && watched->live != live_seen) {
		live_seen = watched->live;
		guarded++;
	}
}
#endif

static bool tiny_setup(void)
{
	sim_reset();
	return ashlar_heap_add(region, REGION, 0) != 0;
}

TEST(tiny_nothing_before_the_first_region)
{
	sim_reset();
	EXPECT_NULL(ashlar_kmalloc(8, GFP_KERNEL));
	EXPECT_NULL(kmem_cache_create("x", 8, 0, 0, NULL));
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_NOT_NULL((void *)ashlar_heap_add(region, REGION, 0));
	EXPECT_NOT_NULL(ashlar_kmalloc(8, GFP_KERNEL));
}

TEST(tiny_what_describes_a_region)
{
	struct ashlar_heap_stat s;

	REQUIRE(tiny_setup());
	ashlar_heap_stat(&s);
	EXPECT_EQ(PAGE_SIZE, 256);
	EXPECT_EQ(sizeof(struct page), 8);
	EXPECT_GE(s.total_bytes, REGION - 1024);
	tap_note_number("bytes of 16,384 that can be allocated:", s.total_bytes);
	tap_note_number("bytes of struct zone:", sizeof(struct zone));
	EXPECT_EQ(s.largest_bytes, (size_t)8192);
}

TEST(tiny_all_of_it_can_be_had_and_given_back)
{
	struct ashlar_heap_stat s;
	size_t got = 0;
	unsigned n = 0;

	REQUIRE(tiny_setup());
	while (n < 4096 && (held[n] = ashlar_kmalloc(14, GFP_KERNEL)))
		got += 16, n++;
	ashlar_heap_stat(&s);
	EXPECT_GE(got * 100, s.total_bytes * 93);
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 0; i < n; i += 2)
		kfree(held[i]);
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 1; i < n; i += 2)
		kfree(held[i]);
	ashlar_heap_stat(&s);
	EXPECT_EQ(s.used_bytes, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	held[0] = ashlar_kmalloc(8192, GFP_KERNEL);
	EXPECT_NOT_NULL(held[0]);
	kfree(held[0]);
}

TEST(tiny_objects_of_six_bytes)
{
	struct kmem_cache *c;
	unsigned n = 0;

	REQUIRE(tiny_setup());
	c = kmem_cache_create("six", 6, 2, 0, NULL);
	REQUIRE(c != NULL);
	while (n < 4096 && (held[n] = kmem_cache_alloc(c, GFP_KERNEL)))
		n++;
	tap_note_number("objects of 6 bytes in 16 KiB:", n);
	EXPECT_GT(n, 1450); /* ten bytes each, 25 a page */
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 10, held + n), 0);
	kmem_cache_free_bulk(c, n, held);
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(pages_taken(), 0);
}

TEST(tiny_regions_with_attributes)
{
	char *p;

	REQUIRE(tiny_setup());
	EXPECT_NULL(ashlar_kmalloc(10, GFP_KERNEL | __GFP_DMA));
	REQUIRE(ashlar_heap_add(other, sizeof(other), ASHLAR_HEAP_DMA | ASHLAR_HEAP_ASKED) != 0);
	p = ashlar_kmalloc(10, GFP_KERNEL | __GFP_DMA);
	EXPECT(p >= other && p < other + sizeof(other));
	kfree(p);
	while ((p = ashlar_kmalloc(100, GFP_KERNEL)))
		EXPECT(p >= region && p < region + REGION);
	EXPECT_NOT_NULL(ashlar_kmalloc(10, GFP_KERNEL | __GFP_DMA));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* An interrupt handler may allocate and free: what it changes, too, changes under a guard alone. */
TEST(tiny_a_count_changes_without_interrupts)
{
#ifdef __arm__
	SKIP("the functions of the port that watch are the host's");
#else
	REQUIRE(tiny_setup());
	watched = kmem_cache_create("watched", 20, 0, 0, NULL);
	REQUIRE(watched != NULL);
	for (unsigned i = 0; i < 100; i++) {
		held[0] = kmem_cache_alloc((struct kmem_cache *)(uintptr_t)watched, GFP_ATOMIC);
		held[1] = ashlar_kmalloc(10, GFP_ATOMIC); /* looks, whatever came before */
		kmem_cache_free((struct kmem_cache *)(uintptr_t)watched, held[0]);
		kfree(held[1]);
	}
	watched = NULL;
	EXPECT_EQ(unguarded, 0);
	EXPECT_EQ(guarded, 200);
#endif
}

static void free_twice(void)
{
	kfree(held[0]);
}

TEST(tiny_misuse_is_seen)
{
	REQUIRE(tiny_setup());
	held[0] = ashlar_kmalloc(20, GFP_KERNEL);
	held[1] = ashlar_kmalloc(20, GFP_KERNEL);
	kfree(held[0]);
	EXPECT(help_aborts(free_twice));
	EXPECT(help_contains(sim.text, "double free: this block is already free"));
	held[0] = (char *)held[1] + 4;
	EXPECT(help_aborts(free_twice));
	EXPECT(help_contains(sim.text, "4 bytes inside a block that starts at 0x"));
	held[0] = other;
	EXPECT(help_aborts(free_twice));
	EXPECT(help_contains(sim.text, "this memory is not Ashlar's"));
}

/* ---- bounds ----------------------------------------------------------------------- */

static u32 worst_alloc, worst_free, worst_full;

static void *counted_alloc(size_t size)
{
	void *p;

	guard_steps = 0;
	p = ashlar_kmalloc(size, GFP_ATOMIC);
	if (p && pages_zones->free_pages)
		worst_alloc = guard_steps > worst_alloc ? guard_steps : worst_alloc;
	else
		worst_full = guard_steps > worst_full ? guard_steps : worst_full;
	return p;
}

static void counted_free(void *p)
{
	guard_steps = 0;
	kfree(p);
	worst_free = guard_steps > worst_free ? guard_steps : worst_free;
}

/* As many free blocks as can be in as many pages as can be, none of which is large enough. */
static void comb(size_t size, unsigned keep_pages)
{
	struct kmem_cache *c = kmem_cache_create("comb", (unsigned)size, 2, 0, NULL);
	unsigned n = 0;

	while (n < 4096 && pages_zones->free_pages > keep_pages &&
	       (held[n] = kmem_cache_alloc(c, GFP_KERNEL)))
		n++;
	for (unsigned i = 0; i < n; i += 2)
		counted_free(held[i]);
	for (unsigned i = 1; i < 20; i++)
		counted_alloc(size + 2 * i);
}

static void bounds_hold(void)
{
	const u32 full = ASHLAR_HEAP_FULL_STEPS((unsigned)PAGE_SIZE, SLOB_SEARCH,
						PORT_SLOB_MAX_ORDER, REGION / PAGE_SIZE);

	EXPECT_LE(worst_alloc, ALLOC_STEPS);
	EXPECT_LE(worst_free, FREE_STEPS);
	EXPECT_LE(worst_full, full);
	tap_note_number("most steps of an allocation:", worst_alloc);
	tap_note_number("   the bound:", ALLOC_STEPS);
	tap_note_number("most steps where memory is short:", worst_full);
	tap_note_number("   the bound:", full);
	tap_note_number("most steps of a free:", worst_free);
	tap_note_number("   the bound:", FREE_STEPS);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(tiny_bounds_in_a_comb)
{
	worst_alloc = worst_free = worst_full = 0;
	REQUIRE(tiny_setup());
	comb(2, 8);
	bounds_hold();
	EXPECT_GT(worst_alloc, 60); /* the comb is a bad case: the count counts */
}

TEST(tiny_bounds_in_a_comb_without_free_pages)
{
	worst_alloc = worst_free = worst_full = 0;
	REQUIRE(tiny_setup());
	comb(2, 0);
	bounds_hold();
	EXPECT_GT(worst_full, 500);
}

TEST(tiny_bounds_in_random_work)
{
	uint64_t seed = help_setting("ASHLAR_SEED", 20240229);

	worst_alloc = worst_free = worst_full = 0;
	memset(held, 0, sizeof(held));
	REQUIRE(tiny_setup());
	for (unsigned i = 0; i < 20000; i++) {
		unsigned at = (unsigned)(help_random(&seed) % 600);

		if (held[at]) {
			counted_free(held[at]);
			held[at] = NULL;
		} else {
			u32 kind = (u32)help_random(&seed);

			held[at] = counted_alloc(1 + (kind >> 8) % (kind % 16 ? 40 : 1500));
		}
	}
	bounds_hold();
	for (unsigned i = 0; i < 600; i++)
		if (held[i])
			counted_free(held[i]);
	EXPECT_EQ(pages_taken(), 0);
}

/* ---- random work against the model, and what a trace needs ------------------------------ */

static uint8_t program[6000];
static struct interval_run run;

TEST(tiny_model)
{
	uint64_t seed = help_setting("ASHLAR_SEED", 20240229);

	REQUIRE(tiny_setup());
	for (unsigned n = 0; n < 20; n++) {
		const char *fault;

		for (size_t i = 0; i < sizeof(program); i++)
			program[i] = (uint8_t)help_random(&seed);
		fault = interval_run(&run, program, sizeof(program), n % 2 ? 3000 : 60);
		if (fault)
			tap_note(fault);
		REQUIRE(!fault);
		REQUIRE(pages_taken() == 0);
	}
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(tiny_minimum_of_a_trace)
{
	static struct ashlar_heap_event trace[300];
	static void *slots[20];
	size_t bytes;

	REQUIRE(tiny_setup());
	for (unsigned i = 0; i < 300; i++)
		trace[i] = (struct ashlar_heap_event){ i * 7 % 20, i % 3 ? 10 + i % 50 : 0 };
	bytes = ashlar_heap_minimum(trace, 300, slots, other, sizeof(other));
	tap_note_number("bytes for at most 20 blocks of 10 to 60:", bytes);
	EXPECT_GT(bytes, 600);
	EXPECT_LT(bytes, 2600);
	EXPECT_EQ(pages_taken(), 0);
}
