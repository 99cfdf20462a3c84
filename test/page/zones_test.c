/* SPDX-License-Identifier: MIT */
/*
 * zones_test.c - ZK1 to ZK4: kinds of memory, who gets which, what is kept for whom
 */
#include "page/node.h"
#include "page/page.h"
#include "page/zone.h"
#include "page/zones.h"
#include "sim_help.h"

#define MIB ((size_t)1 << 20)
#define DMA_BYTES (4 * MIB)
#define DMA32_BYTES (16 * MIB)

/* 4 MiB of DMA, 12 MiB of DMA32, some 44 MiB above. */
static bool setup(unsigned nodes)
{
	sim_reset();
	sim.nodes = nodes;
	sim.zone_bytes[ZONE_DMA] = DMA_BYTES;
	sim.zone_bytes[ZONE_DMA32] = DMA32_BYTES;
	node_init(nodes, 0);
	return page_init(sim.arena_bytes, sim.cpus, PAGE_SIZE);
}

static enum zone_kind kind_of(const struct page *p)
{
	size_t bytes = map_page_pfn(p) << PAGE_SHIFT;

	if (bytes < DMA_BYTES)
		return ZONE_DMA;
	return bytes < DMA32_BYTES ? ZONE_DMA32 : ZONE_NORMAL;
}

/* Single pages until there are no more, by the kind that they are of. */
static size_t take_all(gfp_t gfp, size_t of[NR_ZONE_KINDS])
{
	struct page *p;
	size_t n = 0;
	bool zero;

	for (unsigned k = 0; k < NR_ZONE_KINDS; k++)
		of[k] = 0;
	for (; (p = page_alloc(0, gfp, 0, &zero)) != NULL; n++)
		of[kind_of(p)]++;
	return n;
}

TEST(zones_ZK4_are_the_whole_arena)
{
	PAGES_ARE_MANY();
	for (unsigned nodes = 1; nodes <= 8; nodes++) {
		size_t next = 0;

		REQUIRE(setup(nodes));
		EXPECT_GE(zones.count, nodes + 1); /* a border of both is one */
		EXPECT_LE(zones.count, nodes + 2);
		for (unsigned i = 0; i < zones.count; i++) {
			EXPECT_EQ(zones.of[i].first_pfn, next);
			EXPECT_EQ(zones.of[i].index, i);
			next = zones.of[i].end_pfn;
			EXPECT_PTR_EQ(zones_of(next - 1), &zones.of[i]);
			EXPECT_PTR_EQ(zones_of(zones.of[i].first_pfn), &zones.of[i]);
		}
		EXPECT_EQ(next, map.nr_pages);
		EXPECT_EQ(page_audit(), 0);
		zones.of[1].first_pfn++;
		EXPECT_NE(zones_audit(), 0);
	}
}

TEST(zones_one_kind_is_one_zone_a_node)
{
	sim_reset();
	node_init(3, 0);
	REQUIRE(page_init(sim.arena_bytes, sim.cpus, PAGE_SIZE));
	EXPECT_EQ(zones.count, 3);
	for (unsigned i = 0; i < 3; i++)
		EXPECT_EQ(zones.of[i].kind, ZONE_NORMAL);
	EXPECT_FALSE(page_serves(__GFP_DMA));
	EXPECT_FALSE(page_serves(__GFP_DMA32));
	EXPECT(page_serves(0));
}

TEST(zones_ZK4_a_small_machine_is_all_DMA)
{
	bool zero;

	sim_reset();
	sim.zone_bytes[ZONE_DMA] = 1024 * MIB;
	sim.zone_bytes[ZONE_DMA32] = 4096 * MIB;
	node_init(1, 0);
	REQUIRE(page_init(sim.arena_bytes, sim.cpus, PAGE_SIZE));
	EXPECT_EQ(zones.count, 1);
	EXPECT_EQ(zones.of[0].kind, ZONE_DMA);
	EXPECT_NOT_NULL(page_alloc(0, GFP_KERNEL, 0, &zero));
	EXPECT_NOT_NULL(page_alloc(0, GFP_KERNEL | __GFP_DMA, 0, &zero));
	EXPECT_NOT_NULL(page_alloc(0, GFP_KERNEL | __GFP_DMA32, 0, &zero));
	EXPECT_EQ(page_audit(), 0);
}

TEST(zones_ZK1_no_higher_memory_than_asked_for)
{
	size_t of[NR_ZONE_KINDS];

	PAGES_ARE_MANY();
	REQUIRE(setup(1));
	EXPECT_GT(take_all(GFP_KERNEL | __GFP_DMA, of), 0);
	EXPECT_EQ(of[ZONE_DMA32] + of[ZONE_NORMAL], 0);
	EXPECT_GE(of[ZONE_DMA], DMA_BYTES / PAGE_SIZE - 128); /* but for the zone's own reserve */
	EXPECT_GT(take_all(GFP_KERNEL | __GFP_DMA32, of), 0);
	EXPECT_EQ(of[ZONE_DMA] + of[ZONE_NORMAL], 0);
	EXPECT_GT(take_all(GFP_KERNEL, of), 0);
	EXPECT_EQ(of[ZONE_DMA] + of[ZONE_DMA32], 0);
	EXPECT_EQ(page_audit(), 0);
}

TEST(zones_ZK1_DMA32_is_served_by_DMA_where_that_is_all)
{
	bool zero;
	struct page *p;

	sim_reset();
	sim.zone_bytes[ZONE_DMA] = DMA_BYTES;
	node_init(1, 0);
	REQUIRE(page_init(sim.arena_bytes, sim.cpus, PAGE_SIZE));
	EXPECT_EQ(zones.count, 2);
	EXPECT(page_serves(__GFP_DMA32));
	p = page_alloc(0, GFP_KERNEL | __GFP_DMA32, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(kind_of(p), ZONE_DMA);
}

TEST(zones_ZK2_the_highest_comes_first)
{
	size_t normal = 0;
	unsigned last = ZONE_NORMAL;
	struct page *p;
	bool zero;

	PAGES_OF_4_KIB();
	REQUIRE(setup(1));
	while ((p = page_alloc(0, GFP_KERNEL, 0, &zero)) != NULL) {
		EXPECT_LE(kind_of(p), last);
		last = kind_of(p);
		normal += last == ZONE_NORMAL;
	}
	EXPECT_EQ(last, ZONE_DMA);
	EXPECT_GT(normal, 8000);
	EXPECT_EQ(page_audit(), 0);
}

TEST(zones_ZK2_own_node_before_higher_memory_of_others)
{
	unsigned last = 0;
	struct page *p;
	bool zero;

	REQUIRE(setup(2));
	while ((p = page_alloc(0, GFP_KERNEL, 0, &zero)) != NULL) {
		EXPECT_GE(page_node(p), last);
		last = page_node(p);
	}
	EXPECT_EQ(last, 1);
	REQUIRE(setup(2)); /* node 1 has no DMA memory: node 0's is what there is */
	p = page_alloc(0, GFP_KERNEL | __GFP_DMA, 1, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(page_node(p), 0);
	EXPECT_EQ(kind_of(p), ZONE_DMA);
	EXPECT_NULL(page_alloc(0, GFP_KERNEL | __GFP_DMA | __GFP_THISNODE, 1, &zero));
}

TEST(zones_ZK3_lower_memory_is_kept_for_who_needs_it)
{
	size_t of[NR_ZONE_KINDS];
	struct zone *dma;
	size_t kept;

	PAGES_OF_4_KIB();
	REQUIRE(setup(1));
	dma = &zones.of[0];
	take_all(GFP_KERNEL, of);
	kept = (zones.of[1].managed_pages + zones.of[2].managed_pages) / 256;
	EXPECT_GT(kept, 40);
	EXPECT_EQ(dma->lowmem_reserve[ZONE_NORMAL], kept);
	EXPECT_EQ(dma->lowmem_reserve[ZONE_DMA32], zones.of[1].managed_pages / 256);
	EXPECT_EQ(dma->lowmem_reserve[ZONE_DMA], 0);
	EXPECT_EQ(zones.of[1].lowmem_reserve[ZONE_NORMAL], zones.of[2].managed_pages / 256);
	EXPECT_EQ(dma->free_pages, kept + dma->watermark[WATERMARK_MIN]);
	EXPECT_EQ(zones.of[2].free_pages, zones.of[2].watermark[WATERMARK_MIN]);
	EXPECT_EQ(take_all(GFP_KERNEL, of), 0);
	take_all(GFP_KERNEL | __GFP_DMA32, of); /* it could have had less */
	EXPECT_EQ(of[ZONE_DMA], kept - dma->lowmem_reserve[ZONE_DMA32]);
	take_all(GFP_KERNEL | __GFP_DMA, of);
	EXPECT_EQ(of[ZONE_DMA], dma->lowmem_reserve[ZONE_DMA32]);
	EXPECT_EQ(dma->free_pages, dma->watermark[WATERMARK_MIN]);
	EXPECT_EQ(page_audit(), 0);
}

TEST(zones_ZK3_who_is_urgent_leaves_it_who_frees_does_not)
{
	size_t of[NR_ZONE_KINDS];
	struct zone *dma;

	REQUIRE(setup(1));
	dma = &zones.of[0];
	take_all(GFP_KERNEL, of);
	take_all(GFP_ATOMIC, of);
	EXPECT_GE(dma->free_pages, dma->lowmem_reserve[ZONE_NORMAL]);
	take_all(GFP_KERNEL | __GFP_MEMALLOC, of);
	EXPECT_EQ(dma->free_pages, 0);
	EXPECT_EQ(page_audit(), 0);
}

TEST(zones_CPUs_keep_no_lower_memory)
{
	struct page_stat s;
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	p = page_alloc(0, GFP_KERNEL | __GFP_DMA, 0, &zero);
	REQUIRE(p != NULL);
	page_free(p, 0);
	page_stat(&s);
	EXPECT_EQ(s.pcp_pages, 0);
	p = page_alloc(0, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	page_free(p, 0);
	page_stat(&s);
	EXPECT_EQ(s.pcp_pages, 1);
	p = page_alloc(0, GFP_KERNEL | __GFP_DMA, 0, &zero); /* not from the CPU's list */
	REQUIRE(p != NULL);
	EXPECT_EQ(kind_of(p), ZONE_DMA);
	EXPECT_EQ(page_audit(), 0);
}

TEST(zones_runs_of_a_kind)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	p = page_alloc_exact(5, 1, GFP_KERNEL | __GFP_DMA, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(kind_of(p), ZONE_DMA);
	page_free_exact(p, 5);
	EXPECT_NULL(page_alloc_exact(1500, 1, GFP_KERNEL | __GFP_DMA, 0, &zero));
	EXPECT_EQ(page_audit(), 0);
}

TEST(zones_growth_refused_at_each_request)
{
	for (uint64_t n = 1;; n++) {
		struct page *p;
		bool zero;

		REQUIRE(setup(2));
		sim.fail_at = n;
		p = page_alloc(3, GFP_KERNEL | __GFP_DMA, 0, &zero);
		EXPECT_EQ(page_audit(), 0);
		if (p) {
			EXPECT_EQ(kind_of(p), ZONE_DMA);
			page_free(p, 3);
		}
		EXPECT_EQ(page_audit(), 0);
		if (sim.fail_at) /* there were fewer */
			break;
		REQUIRE(n < 20);
	}
	sim.fail_at = 0;
}

TEST(zones_discard_and_offline_each)
{
	static const gfp_t kinds[] = { __GFP_DMA, __GFP_DMA32, 0 };
	struct page *p[3];
	bool zero;

	PAGES_OF_4_KIB();
	REQUIRE(setup(1));
	for (unsigned k = 0; k < 3; k++) {
		p[k] = page_alloc(9, GFP_KERNEL | kinds[k], 0, &zero);
		REQUIRE(p[k] != NULL);
	}
	for (unsigned k = 0; k < 3; k++)
		page_free(p[k], 9);
	EXPECT_EQ(page_discard(0), 3 * 512);
	EXPECT_GE(page_offline(), 3 * 512);
	EXPECT_EQ(page_audit(), 0);
	EXPECT_EQ(zones.of[0].lowmem_reserve[ZONE_NORMAL],
		  (zones.of[1].managed_pages + zones.of[2].managed_pages) / 256);
	EXPECT_NOT_NULL(page_alloc(9, GFP_KERNEL | __GFP_DMA, 0, &zero));
}
