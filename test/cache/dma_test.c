/* SPDX-License-Identifier: MIT */
/*
 * dma_test.c - on a machine whose devices do not reach all of memory: who gets memory they reach
 */
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "page/node.h"
#include "sim_help.h"

#define MIB ((size_t)1 << 20)
#define DMA_BYTES (8 * MIB)
#define DMA32_BYTES (24 * MIB)

static bool setup(unsigned nodes)
{
	sim_reset();
	sim.nodes = nodes;
	for (unsigned cpu = 0; cpu < PORT_MAX_CPUS; cpu++)
		sim.cpu_node[cpu] = cpu % nodes;
	sim.zone_bytes[0] = DMA_BYTES;
	sim.zone_bytes[1] = DMA32_BYTES;
	return init_ready();
}

/* Bytes from the arena's start to the end of @size bytes at @p. */
static size_t end_of(const void *p, size_t size)
{
	return (uintptr_t)p + size - map.base;
}

TEST(dma_kmalloc_of_every_size_is_below_the_limit)
{
	REQUIRE(setup(1));
	for (size_t size = 1; size <= 2 * MIB; size += size / 3 + 1) {
		void *low = ashlar_kmalloc(size, GFP_KERNEL | __GFP_DMA);
		void *high = ashlar_kmalloc(size, GFP_KERNEL);

		REQUIRE(low && high);
		EXPECT_LE(end_of(low, size), DMA_BYTES);
		EXPECT_GT(end_of(high, size), DMA32_BYTES);
		memset(low, 1, size);
		kfree(low);
		kfree(high);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(dma_kmalloc_again_and_again_on_every_CPU)
{
	static void *p[600];

	REQUIRE(setup(2));
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		sim.cpu = (unsigned)i % sim.cpus;
		p[i] = ashlar_kmalloc(200, GFP_KERNEL | __GFP_DMA);
		REQUIRE(p[i] != NULL);
		EXPECT_LE(end_of(p[i], 200), DMA_BYTES);
	}
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		sim.cpu = (unsigned)(i / 7) % sim.cpus;
		kfree(p[i]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = ashlar_kmalloc(200, GFP_KERNEL | __GFP_DMA);
		EXPECT_LE(end_of(p[i], 200), DMA_BYTES);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(dma_exhausted_is_not_all_exhausted)
{
	size_t n = 0;

	REQUIRE(setup(1));
	while (ashlar_kmalloc(30000, GFP_KERNEL | __GFP_DMA))
		n++;
	EXPECT_GT(n, 200);
	EXPECT_LT(n, DMA_BYTES / 30000);
	EXPECT_NOT_NULL(ashlar_kmalloc(30000, GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(dma_ordinary_requests_leave_some)
{
	size_t low = 0;
	char *p;

	PAGES_ARE_MANY();
	REQUIRE(setup(1));
	while ((p = ashlar_kmalloc(30000, GFP_KERNEL | __GFP_NORETRY)) != NULL)
		low += map_contains(p) && end_of(p, 30000) <= DMA_BYTES;
	EXPECT_GT(low, 100); /* they fall back so far */
	EXPECT_NOT_NULL(ashlar_kmalloc(30000, GFP_KERNEL | __GFP_DMA));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(dma_caches)
{
	struct kmem_cache *dma;
	struct kmem_cache *dma32;
	struct kmem_cache *plain;
	void *p;

	REQUIRE(setup(2));
	dma = kmem_cache_create("dma", 100, 0, SLAB_CACHE_DMA, NULL);
	dma32 = kmem_cache_create("dma32", 100, 0, SLAB_CACHE_DMA32, NULL);
	plain = kmem_cache_create("plain", 100, 0, 0, NULL);
	REQUIRE(dma && dma32 && plain);
	for (unsigned i = 0; i < 1000; i++) {
		sim.cpu = i % sim.cpus;
		p = kmem_cache_alloc(dma, GFP_KERNEL);
		EXPECT_LE(end_of(p, 100), DMA_BYTES);
		p = kmem_cache_alloc(dma, GFP_KERNEL | __GFP_DMA);
		EXPECT_LE(end_of(p, 100), DMA_BYTES);
		p = kmem_cache_alloc(dma32, GFP_KERNEL);
		EXPECT_LE(end_of(p, 100), DMA32_BYTES);
		EXPECT_GT(end_of(p, 100), DMA_BYTES);
	}
	EXPECT_NULL(kmem_cache_alloc(plain, GFP_KERNEL | __GFP_DMA));
	EXPECT_TEXT_EQ(sim.text, "ashlar: kmem_cache_alloc(\"plain\"): refused: the cache was not "
				 "made for DMA\n");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(dma_pages)
{
	struct page *p;

	PAGES_ARE_MANY();
	REQUIRE(setup(1));
	for (unsigned order = 0; order <= 8; order++) {
		p = alloc_pages(GFP_KERNEL | __GFP_DMA, order);
		REQUIRE(p != NULL);
		EXPECT_LE(end_of(page_address(p), PAGE_SIZE << order), DMA_BYTES);
		__free_pages(p, order);
		p = alloc_pages(GFP_KERNEL | __GFP_DMA32, order);
		REQUIRE(p != NULL);
		EXPECT_LE(end_of(page_address(p), PAGE_SIZE << order), DMA32_BYTES);
		__free_pages(p, order);
	}
	EXPECT_NULL(alloc_pages(GFP_KERNEL | __GFP_DMA | __GFP_DMA32, 0));
	EXPECT_TEXT_EQ(sim.text, "ashlar: alloc_pages(\"pages\"): refused: DMA and DMA32 are two "
				 "different zones\n");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(dma_block_too_large_for_the_zone_is_no_mapping)
{
	REQUIRE(setup(1));
	EXPECT_NULL(ashlar_kmalloc(20 * MIB, GFP_KERNEL | __GFP_DMA));
	EXPECT_NOT_NULL(ashlar_kmalloc(20 * MIB, GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* The nth request for memory fails, for each n there is; nothing is lost. */
TEST(dma_refused_by_the_machine_at_each_request)
{
	uint64_t refused = 0;

	REQUIRE(setup(2));
	for (size_t size = 100; size <= 200000; size *= 3) {
		for (uint64_t n = 1; n < 100; n++) {
			void *p;

			sim.fail_at = n;
			p = ashlar_kmalloc(size, GFP_KERNEL | __GFP_DMA | __GFP_NORETRY);
			EXPECT(!p || end_of(p, size) <= DMA_BYTES);
			EXPECT_EQ(ashlar_audit(), 0);
			if (sim.fail_at) /* there were fewer */
				break;
			refused++;
		}
		sim.fail_at = 0;
	}
	EXPECT_GE(refused, 1);
	EXPECT_EQ(ashlar_audit(), 0);
}
