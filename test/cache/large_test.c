/* SPDX-License-Identifier: MIT */
/*
 * large_test.c - runs of pages and mappings of their own
 */
#include "base/bits.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "cache/large.h"
#include "page/map.h"
#include "start_help.h"

#define MIB ((size_t)1 << 20)
#define LARGEST (PAGE_SIZE << MAX_ORDER)

TEST(large_LG1_runs_say_what_they_are)
{
	REQUIRE(setup());
	for (size_t size = CONFIG_KMALLOC_MAX_CACHE + 1; size <= LARGEST; size += size / 3) {
		char *p = ashlar_kmalloc(size, GFP_KERNEL);
		const struct page *head;

		REQUIRE(p != NULL && map_contains(p));
		head = &map.pages[map_pfn(p)];
		EXPECT_EQ((uintptr_t)p % PAGE_SIZE, 0);
		EXPECT_EQ(head->kind, PAGE_LARGE);
		EXPECT_EQ(head->pages, size_align(size, PAGE_SIZE) / PAGE_SIZE);
		EXPECT_EQ(ksize(p), size_align(size, PAGE_SIZE));
		memset(p, 1, size);
		EXPECT_EQ(ashlar_audit(), 0);
		kfree(p);
		EXPECT_NE(head->kind, PAGE_LARGE);
	}
	EXPECT_EQ(sim.mapped_bytes, 0);
}

TEST(large_LG2_mappings_are_used_or_kept)
{
	char *p;
	char *q;

	REQUIRE(setup());
	p = ashlar_kmalloc(LARGEST + 1, GFP_KERNEL);
	q = ashlar_kmalloc(LARGEST * 2, GFP_KERNEL);
	REQUIRE(p && q);
	EXPECT_FALSE(map_contains(p));
	EXPECT_EQ(large_used_pages(), (LARGEST * 3 + PAGE_SIZE) / PAGE_SIZE);
	EXPECT_EQ(large_kept_pages(), 0);
	EXPECT_EQ(large_size(p), LARGEST + PAGE_SIZE);
	EXPECT_EQ(large_size(p + PAGE_SIZE), 0);
	kfree(p);
	EXPECT_EQ(large_used_pages(), LARGEST * 2 / PAGE_SIZE);
	EXPECT_EQ(large_size(p), 0);
	EXPECT_FALSE(large_free(p));
	EXPECT_EQ(ashlar_audit(), 0);
	kfree(q);
	large_trim(0);
	EXPECT_EQ(large_used_pages() + large_kept_pages(), 0);
	EXPECT_EQ(sim.mapped_bytes, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(large_kept_mappings_serve_again)
{
	char *p;
	uint64_t requests;

	sim_reset();
	sim.options = "keep=64m";
	REQUIRE(init_ready());
	p = ashlar_kmalloc(16 * MIB, GFP_KERNEL);
	REQUIRE(p != NULL);
	kfree(p);
	EXPECT_EQ(large_kept_pages(), 16 * MIB / PAGE_SIZE);
	requests = sim.requests;
	EXPECT_PTR_EQ(ashlar_kmalloc(12 * MIB, GFP_KERNEL), p); /* three quarters of it */
	EXPECT_EQ(sim.requests, requests);
	EXPECT_EQ(ksize(p), 16 * MIB);
	EXPECT_EQ(large_kept_pages(), 0);
	kfree(p);
	EXPECT_PTR_NE(ashlar_kmalloc(12 * MIB - PAGE_SIZE, GFP_KERNEL), p); /* less */
	EXPECT_PTR_NE(ashlar_kmalloc(16 * MIB + 1, GFP_KERNEL), p);         /* more */
	EXPECT_EQ(large_kept_pages(), 16 * MIB / PAGE_SIZE);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(large_kept_mappings_are_zeroed_where_asked)
{
	char *p;

	sim_reset();
	sim.options = "keep=64m";
	REQUIRE(init_ready());
	p = ashlar_kmalloc(16 * MIB, GFP_KERNEL);
	REQUIRE(p != NULL);
	memset(p, 1, 16 * MIB);
	kfree(p);
	EXPECT_PTR_EQ(kzalloc(12 * MIB, GFP_KERNEL), p);
	/* What is beyond 12 MiB may be used, too. */
	for (size_t i = 0; i < ksize(p); i += sizeof(u64))
		REQUIRE(*(u64 *)(p + i) == 0);
}

TEST(large_best_fit_of_what_is_kept)
{
	char *p[3];

	sim_reset();
	sim.options = "keep=200m";
	REQUIRE(init_ready());
	for (unsigned i = 0; i < 3; i++)
		p[i] = ashlar_kmalloc((14 - i) * MIB, GFP_KERNEL);
	for (unsigned i = 0; i < 3; i++)
		kfree(p[i]);
	EXPECT_PTR_EQ(ashlar_kmalloc(12 * MIB, GFP_KERNEL), p[2]);
	EXPECT_PTR_EQ(ashlar_kmalloc(12 * MIB, GFP_KERNEL), p[1]);
	EXPECT_PTR_EQ(ashlar_kmalloc(12 * MIB, GFP_KERNEL), p[0]);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(large_alignment_beyond_the_arena)
{
	REQUIRE(setup());
	for (size_t align = map.align; align <= 64 * MIB; align *= 2) {
		char *p = kmalloc_aligned(100000, align, GFP_KERNEL);

		REQUIRE(p != NULL);
		EXPECT_EQ((uintptr_t)p % align, 0);
		EXPECT_EQ(map_contains(p), align <= map.align);
		kfree(p);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(large_atomic_makes_no_mapping)
{
	REQUIRE(setup());
	EXPECT_NULL(ashlar_kmalloc(LARGEST + 1, GFP_ATOMIC));
	EXPECT_NULL(kmalloc_aligned(100, 8 * MIB, GFP_NOWAIT));
	EXPECT_EQ(sim.mapped_bytes, 0);
}

TEST(large_full_arena_falls_back_to_mappings)
{
	static char *held[256];
	unsigned n = 0;

	REQUIRE(setup());
	while (n < 256 && (held[n] = ashlar_kmalloc(MIB, GFP_KERNEL)) && map_contains(held[n]))
		n++;
	REQUIRE(n < 256 && held[n]);
	EXPECT_EQ(ksize(held[n]), MIB);
	EXPECT_EQ(large_used_pages(), MIB / PAGE_SIZE);
	for (unsigned i = 0; i <= n; i++)
		kfree(held[i]);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(large_refused_mapping_is_tried_again_without_what_is_kept)
{
	char *p;

	sim_reset();
	sim.options = "keep=100m";
	sim.mapping_bytes = 40 * MIB;
	REQUIRE(init_ready());
	p = ashlar_kmalloc(30 * MIB, GFP_KERNEL);
	REQUIRE(p != NULL);
	kfree(p);
	EXPECT_EQ(large_kept_pages(), 30 * MIB / PAGE_SIZE);
	EXPECT_NOT_NULL(ashlar_kmalloc(20 * MIB, GFP_KERNEL)); /* there is room if it goes */
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(large_resize_in_place)
{
	char *p;

	PAGES_OF_4_KIB();
	REQUIRE(setup());
	p = ashlar_kmalloc(100000, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_PTR_EQ(krealloc(p, 3 * MIB / 2, GFP_KERNEL), p); /* the pages behind are free */
	EXPECT_EQ(ksize(p), 3 * MIB / 2);
	EXPECT_PTR_EQ(krealloc(p, 40000, GFP_KERNEL), p);
	EXPECT_EQ(ksize(p), 40960);
	EXPECT_EQ(ashlar_audit(), 0);
	kfree(p);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(large_limit_of_the_user_holds_for_mappings)
{
	sim_reset();
	sim.options = "limit=24m";
	REQUIRE(init_ready());
	EXPECT_NULL(ashlar_kmalloc(32 * MIB, GFP_KERNEL));
	EXPECT_NOT_NULL(ashlar_kmalloc(9 * MIB, GFP_KERNEL));
	EXPECT_NULL(ashlar_kmalloc(18 * MIB, GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(large_refaulted_counts_what_is_mapped_anew)
{
	REQUIRE(setup());
	kfree(ashlar_kmalloc(20 * MIB, GFP_KERNEL));
	large_trim(0);
	EXPECT_EQ(large_refaulted_pages(), 0);
	kfree(ashlar_kmalloc(12 * MIB, GFP_KERNEL));
	EXPECT_EQ(large_refaulted_pages(), 12 * MIB / PAGE_SIZE);
	large_trim(0);
	kfree(ashlar_kmalloc(40 * MIB, GFP_KERNEL));
	EXPECT_EQ(large_refaulted_pages(), 32 * MIB / PAGE_SIZE);
}
