/* SPDX-License-Identifier: MIT */
/*
 * tiny_test.c - slob as a small machine has it: pages of 256 bytes, one CPU, regions
 *
 * What    Runs on the host with the numbers of src/port/tiny, and in an emulated Cortex-M3.
 */
#include "interval.h"
#include "slob_help.h"

#define REGION 16384u
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

/* What means nothing here is refused, and says so; the region can be given rightly afterwards. */
TEST(tiny_attributes_that_mean_nothing)
{
	static const uint32_t wrong[] = {
		ASHLAR_HEAP_DMA32,
		0x20,
		0x80 | ASHLAR_HEAP_DMA,
		ASHLAR_HEAP_NODE(1),
		ASHLAR_HEAP_NODE(0xffffff),
		ASHLAR_HEAP_ASKED,
		UINT32_MAX,
	};

	REQUIRE(tiny_setup());
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		help_clear();
		EXPECT_EQ(ashlar_heap_add(other, sizeof(other), wrong[i]), 0);
		EXPECT_TEXT_EQ(sim.text, "ashlar: ashlar_heap_add(\"memory\"): refused: "
					 "unknown attributes\n");
	}
	EXPECT_GT(ashlar_heap_add(other, sizeof(other), ASHLAR_HEAP_FAST | ASHLAR_HEAP_ASKED), 0);
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

/* A long name is cut, not the reason behind it. */
TEST(tiny_refusal_has_its_reason)
{
	static char name[300];

	REQUIRE(tiny_setup());
	memset(name, 'x', sizeof(name) - 1);
	EXPECT_NULL(kmem_cache_create(name, 0, 0, 0, NULL));
	EXPECT(help_contains(sim.text, "xx\"): refused: the size is 0\n"));
}

/* ---- how it fares -------------------------------------------------------------------- */

static size_t largest(void)
{
	struct ashlar_heap_stat s;

	ashlar_heap_stat(&s);
	return s.largest_bytes;
}

/* One kmalloc may have it, one byte more may not, wherever random work has led to. */
TEST(tiny_largest_can_be_had_and_no_more)
{
	uint64_t seed = help_setting("ASHLAR_SEED", 20240229);
	unsigned in_pages = 0, in_blocks = 0;

	memset(held, 0, sizeof(held));
	REQUIRE(tiny_setup());
	for (unsigned i = 0; i < 6000; i++) {
		unsigned at = (unsigned)(help_random(&seed) % 900);
		size_t most = largest();
		void *p;

		if (pages_zones->free_pages)
			in_pages++;
		else
			in_blocks++;
		EXPECT_NULL(ashlar_kmalloc(most + 1, GFP_ATOMIC));
		p = most ? ashlar_kmalloc(most, GFP_ATOMIC) : NULL;
		EXPECT_EQ(p != NULL, most != 0);
		kfree(p);
		kfree(held[at]);
		held[at] = i % 3 ? ashlar_kmalloc(1 + help_random(&seed) % 60, GFP_ATOMIC) : NULL;
	}
	EXPECT_GT(in_pages, 500);
	EXPECT_GT(in_blocks, 500);
}

/* Blocks are powers of two, and so less than an empty region can be had at once. */
TEST(tiny_largest_of_an_empty_region)
{
	struct ashlar_heap_stat s;

	for (size_t bytes = 2048; bytes <= REGION; bytes += 128) {
		sim_reset();
		pages_zones = NULL;
		REQUIRE(ashlar_heap_add(region, bytes, 0) != 0);
		ashlar_heap_stat(&s);
		EXPECT_EQ(s.free_bytes, s.total_bytes);
		EXPECT_LE(s.largest_bytes, s.free_bytes);
		EXPECT_GT(2 * s.largest_bytes, s.free_bytes);
		EXPECT_EQ(s.largest_bytes & (s.largest_bytes - 1), 0);
		EXPECT_NOT_NULL(ashlar_kmalloc(s.largest_bytes, GFP_ATOMIC));
	}
	EXPECT_EQ(s.largest_bytes,
		  32 * PAGE_SIZE); /* of 61 pages, or 62 where pointers are short */
	EXPECT_EQ(s.fragmented, (s.free_bytes - s.largest_bytes) * 1000 / s.free_bytes);
	EXPECT_GT(s.fragmented, 470);
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
