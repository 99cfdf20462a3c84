/* SPDX-License-Identifier: MIT */
/*
 * count_case.c - instructions of each operation, exact with -icount shift=0,sleep=off
 *
 * What    Each figure is the difference of two loops' counts, the second without the operation. A
 *         refill is an allocation that takes more than twice what the cheapest does, while there
 *         are slabs with free objects; growth is the first one of a cache that has no slab.
 * Boot    icount=1 says that the count is of instructions; cache= kmalloc= page= batch= refill=
 *         growth= are the most that each may take, boot= the most of the start: kernel/boot.py has
 *         them
 */
#include "bare_test.h"

#define TURNS 1000u
#define BATCH 10000u
#define KEPT 16u /* one object in so many stays, and its slab with it */

static struct kmem_cache *c;
static void *batch[BATCH];

static void nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

static void cache_pair(void)
{
	kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
}

static void kmalloc_pair(void)
{
	size_t size = 100;

	__asm__ volatile("" : "+r"(size)); /* not a constant to the compiler */
	kfree(kmalloc(size, GFP_KERNEL));
}

static void page_pair(void)
{
	free_pages(__get_free_pages(GFP_KERNEL, 0), 0);
}

static void batch_pair(void)
{
	for (unsigned i = 0; i < BATCH; i++)
		batch[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned i = 0; i < BATCH; i++)
		kmem_cache_free(c, batch[i]);
}

static void batch_nothing(void)
{
	for (unsigned i = 0; i < BATCH; i++)
		nothing();
	for (unsigned i = 0; i < BATCH; i++)
		nothing();
}

static uint64_t loop(void (*volatile run)(void), unsigned turns)
{
	uint64_t start = cpu_instructions();

	for (unsigned i = 0; i < turns; i++)
		run();
	return cpu_instructions() - start;
}

/* The same loop as @without has, and the operations in it. */
static uint64_t count(void (*run)(void), void (*without)(void), unsigned turns, unsigned operations)
{
	loop(run, turns); /* what comes once: slabs, arrays */
	return (loop(run, turns) - loop(without, turns)) / turns / operations;
}

static uint64_t count_alloc(void **object)
{
	uint64_t start = cpu_instructions();

	*object = kmem_cache_alloc(c, GFP_KERNEL);
	return cpu_instructions() - start;
}

static uint64_t count_refill(unsigned *refills)
{
	uint64_t least = UINT64_MAX;
	uint64_t sum = 0;

	*refills = 0;
	for (unsigned i = 0; i < BATCH; i++)
		batch[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned i = 0; i < BATCH; i++)
		if (i % KEPT)
			kmem_cache_free(c, batch[i]);
	for (unsigned i = 0; i < BATCH; i++) {
		uint64_t took = i % KEPT ? count_alloc(&batch[i]) : least;

		least = took < least ? took : least;
		if (took > 2 * least) {
			sum += took;
			++*refills;
		}
	}
	for (unsigned i = 0; i < BATCH; i++)
		kmem_cache_free(c, batch[i]);
	return *refills ? sum / *refills : 0;
}

static uint64_t count_growth(void)
{
	uint64_t took;

	kmem_cache_shrink(c);
	took = count_alloc(batch);
	kmem_cache_free(c, batch[0]);
	return took;
}

TEST(count_instructions_behind_the_fast_path)
{
	uint64_t refill, growth;
	unsigned refills;

	if (!setting_number("icount", 0))
		SKIP("no icount=1 on the boot line");
	c = kmem_cache_create("counted", 64, 0, 0, NULL);
	REQUIRE(c != NULL);
	irqs_on(); /* shrinking stops CPUs */
	refill = count_refill(&refills);
	growth = count_growth();
	tap_note_number("refills in 9,375 allocations", refills);
	tap_note_number("instructions of an allocation that refills its array", refill);
	tap_note_number("instructions of one that makes a slab", growth);
	EXPECT_GT(refills, 0);
	EXPECT_LE(refill, setting_number("refill", 0));
	EXPECT_LE(growth, setting_number("growth", 0));
	kmem_cache_destroy(c);
	irqs_off();
}

TEST(count_instructions_of_each_operation)
{
	uint64_t cache, size, page, many;

	if (!setting_number("icount", 0))
		SKIP("no icount=1 on the boot line");
	c = kmem_cache_create("counted", 64, 0, 0, NULL);
	REQUIRE(c != NULL);
	cache = count(cache_pair, nothing, TURNS, 1);
	size = count(kmalloc_pair, nothing, TURNS, 1);
	page = count(page_pair, nothing, TURNS, 1);
	many = count(batch_pair, batch_nothing, 4, BATCH);
	tap_note_number("instructions of kmem_cache_alloc + free", cache);
	tap_note_number("instructions of kmalloc + kfree", size);
	tap_note_number("instructions of an order-0 page, there and back", page);
	tap_note_number("instructions an object, 10,000 allocated, then freed", many);
	EXPECT_LE(cache, setting_number("cache", 0));
	EXPECT_LE(size, setting_number("kmalloc", 0));
	EXPECT_LE(page, setting_number("page", 0));
	EXPECT_LE(many, setting_number("batch", 0));
	kmem_cache_destroy(c);
}

/* A limit for each size of machine (kernel/boot.py). */
TEST(count_boot_of_this_much_memory)
{
	uint64_t most = setting_number("boot", 0);

	if (!most)
		SKIP("no boot= on the boot line");
	tap_note_number("instructions of ashlar_boot_start", boot_cost);
	tap_note_number("KiB that it has taken from the boot map", boot_bytes >> 10);
	EXPECT_GT(boot_cost, 0);
	EXPECT_LE(boot_cost, most);
	EXPECT_LE(boot_bytes, 3 * MIB); /* however much there is */
}
