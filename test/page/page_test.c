/* SPDX-License-Identifier: MIT */
/*
 * page_test.c - the front of the page floor: lists, zones, nodes, memory that runs out
 */
#include "page/page_help.h"

TEST(page_init_brings_the_first_pages_online)
{
	PAGES_OF_4_KIB();
	REQUIRE(setup(1));
	EXPECT_EQ(stat().online_pages, 512);
	EXPECT(all_free());
}

TEST(page_init_refused)
{
	for (uint64_t n = 1; n <= 3; n++) { /* ids, descriptors, memory */
		sim_reset();
		sim.fail_at = n;
		sim.fail_on = true;
		EXPECT_FALSE(page_init(sim.arena_bytes, 4, PAGE_SIZE));
	}
	sim_reset();
	sim.arena_bytes = 4096;
	EXPECT_FALSE(page_init(sim.arena_bytes, 4, PAGE_SIZE));
}

TEST(page_alloc_every_order)
{
	struct page *p[NR_ORDERS];
	bool zero;

	REQUIRE(setup(1));
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		p[o] = page_alloc(o, GFP_KERNEL, 0, &zero);
		REQUIRE(p[o] != NULL);
		EXPECT(zero);
		EXPECT_EQ(p[o]->kind, PAGE_BLOCK);
		EXPECT_EQ(p[o]->order, o);
		EXPECT_EQ(map_page_pfn(p[o]) % ((size_t)1 << o), 0);
		memset(map_page_address(p[o]), (int)o + 1, PAGE_SIZE << o);
	}
	EXPECT_NULL(page_alloc(MAX_ORDER + 1, GFP_KERNEL, 0, &zero));
	EXPECT_EQ(page_audit(), 0);
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		const char *bytes = map_page_address(p[o]);

		EXPECT_EQ(bytes[0], o + 1);
		EXPECT_EQ(bytes[(PAGE_SIZE << o) - 1], o + 1);
		page_free(p[o], o);
	}
	EXPECT(all_free());
	EXPECT_EQ(stat().dirty_pages, 2 * LARGEST - 1);
}

TEST(page_G1_tails_speak_through_their_head)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	p = page_alloc(4, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	for (unsigned i = 1; i < 16; i++)
		EXPECT_EQ(p[i].kind, PAGE_TAIL);
}

TEST(page_G2_owner_may_write_the_descriptor)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	p = page_alloc(0, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	p->kind = PAGE_SLAB;
	p->owner = p;
	list_init(&p->link);
	for (unsigned w = 0; w < PAGE_WORDS; w++)
		p->bits[w] = ~(u64)0;
	page_free(p, 0);
	EXPECT(all_free());
}

TEST(page_G3_ids_tell_dirty_from_clean)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	p = page_alloc(3, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(map_count_dirty(0, 512), 0);
	page_free(p, 3);
	EXPECT_EQ(map_count_dirty(0, 512), 8);
	p = page_alloc(3, GFP_KERNEL, 0, &zero); /* from the CPU's list */
	REQUIRE(p != NULL);
	EXPECT_FALSE(zero);
	EXPECT_EQ(map_count_dirty(0, 512), 0);
	page_free(p, 3);
	page_drain();
	EXPECT_EQ(page_discard(0), 8);
	EXPECT_EQ(map_count_dirty(0, 512), 0);
	EXPECT_EQ(stat().discarded, 8);
	p = page_alloc(3, GFP_KERNEL, 0, &zero);
	EXPECT(zero);
	EXPECT_EQ(stat().refaulted, 8);
	page_free(p, 3);
	EXPECT(all_free());
}

TEST(page_free_returns_to_the_cpu_that_frees)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	p = page_alloc(2, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	sim.cpu = 3;
	page_free(p, 2);
	EXPECT_EQ(stat().pcp_pages, 4);
	sim.cpu = 0;
	EXPECT_PTR_NE(page_alloc(2, GFP_KERNEL, 0, &zero), p);
	sim.cpu = 3;
	EXPECT_PTR_EQ(page_alloc(2, GFP_KERNEL, 0, &zero), p);
	EXPECT_EQ(stat().pcp_pages, 0);
}

TEST(page_alloc_without_reclaim_makes_no_call)
{
	uint64_t requests;
	size_t n = 0;
	bool zero;

	PAGES_OF_4_KIB();
	REQUIRE(setup(1));
	requests = sim.requests;
	while (page_alloc(0, GFP_NOWAIT, 0, &zero))
		n++;
	EXPECT_EQ(n, 512 - 45);
	while (page_alloc(0, GFP_ATOMIC, 0, &zero))
		n++;
	EXPECT_EQ(n, 512 - 23);
	EXPECT_EQ(sim.requests, requests);
	EXPECT_NOT_NULL(page_alloc(0, GFP_KERNEL, 0, &zero));
	EXPECT_GT(sim.requests, requests);
	EXPECT_EQ(page_audit(), 0);
}

TEST(page_exhausted_and_recovers)
{
	static struct page *held[1 << 15];
	size_t n = 0;
	bool zero;

	REQUIRE(setup(1));
	while (n < ARRAY_SIZE(held) && (held[n] = page_alloc(0, GFP_KERNEL, 0, &zero)))
		n++;
	EXPECT_LT(n, ARRAY_SIZE(held));
	EXPECT_GE(n + stat().free_pages, map.nr_pages - 2 * map_grain());
	EXPECT_EQ(page_audit(), 0);
	EXPECT_NULL(page_alloc(0, GFP_KERNEL, 0, &zero));
	for (size_t i = 0; i < 32; i++) {
		sim.cpu = (unsigned)(n % 4);
		page_free(held[--n], 0);
	}
	sim.cpu = 1; /* what the others keep on their lists is found */
	for (size_t i = 0; i < 32; i++)
		held[n++] = page_alloc(0, GFP_KERNEL, 0, &zero);
	EXPECT_NOT_NULL(held[n - 1]);
	while (n)
		page_free(held[--n], 0);
	EXPECT(all_free());
}

TEST(page_growth_refused_by_the_machine)
{
	size_t n = 0;
	bool zero;

	PAGES_OF_4_KIB();
	REQUIRE(setup(1));
	sim.fail_at = 1;
	sim.fail_on = true;
	while (page_alloc(4, GFP_KERNEL, 0, &zero))
		n++;
	EXPECT_EQ(n, (512 - 45) / 16);
	EXPECT_EQ(page_audit(), 0);
	sim.fail_at = 0;
	EXPECT_NOT_NULL(page_alloc(4, GFP_KERNEL, 0, &zero));
	EXPECT_EQ(page_audit(), 0);
}

/* ---- runs ------------------------------------------------------------------------- */

TEST(page_exact_every_count)
{
	REQUIRE(setup(1));
	for (size_t count = 1; count <= 70; count++) {
		struct page_stat before = stat();
		bool zero;
		struct page *p = page_alloc_exact(count, 1, GFP_KERNEL, 0, &zero);
		struct page_stat after = stat();

		REQUIRE(p != NULL);
		EXPECT_EQ(after.online_pages - after.free_pages,
			  before.online_pages - before.free_pages + count);
		memset(map_page_address(p), 1, count << PAGE_SHIFT);
		EXPECT_EQ(page_audit(), 0);
		page_free_exact(p, count);
		EXPECT(all_free());
	}
}

TEST(page_exact_alignment)
{
	bool zero;

	REQUIRE(setup(1));
	for (size_t align = 1; align << PAGE_SHIFT <= map.align; align *= 2) {
		struct page *p = page_alloc_exact(3, align, GFP_KERNEL, 0, &zero);

		REQUIRE(p != NULL);
		EXPECT_EQ((uintptr_t)map_page_address(p) % (align << PAGE_SHIFT), 0);
		page_free_exact(p, 3);
	}
	EXPECT_NULL(page_alloc_exact(3, (map.align >> PAGE_SHIFT) * 2, GFP_KERNEL, 0, &zero));
	EXPECT_NULL(page_alloc_exact(LARGEST + 1, 1, GFP_KERNEL, 0, &zero));
	EXPECT(all_free());
}

TEST(page_extend_in_place)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	p = page_alloc_exact(5, 1, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	memset(map_page_address(p), 1, 5 * PAGE_SIZE);
	EXPECT(page_extend(p, 5, 20, &zero));
	EXPECT(zero);
	EXPECT_EQ(page_audit(), 0);
	EXPECT_FALSE(page_extend(p, 25, 10000, &zero));
	page_free_exact(p + 10, 15);
	EXPECT(page_extend(p, 10, 1, &zero));
	EXPECT_FALSE(zero);
	page_free_exact(p, 11);
	EXPECT(all_free());
}

/* ---- the rest ------------------------------------------------------------------------- */

TEST(page_lock_all_keeps_everybody_out)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	p = page_alloc(0, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	page_free(p, 0);
	page_lock_all();
	page_unlock_all();
	EXPECT_PTR_EQ(page_alloc(0, GFP_KERNEL, 0, &zero), p);
	EXPECT_EQ(sim.waits, 0);
}

/* Random blocks, runs and CPUs on one and more nodes; nothing is lost. */
static void random_pages(unsigned nodes)
{
	static struct page *held[256];
	static size_t counts[256]; /* of a run; 0: a block */
	uint64_t seed = nodes;
	size_t n = 0;

	REQUIRE(setup(nodes));
	for (unsigned i = 0; i < 6000; i++) {
		uint64_t r = help_random(&seed);
		bool zero;

		sim.cpu = (unsigned)(r >> 40) % sim.cpus;
		if (n < 256 && (r & 1)) {
			size_t count = r & 2 ? 1 + (r >> 8) % 100 : 0;
			unsigned order = (unsigned)(r >> 8) % 7;
			struct page *p =
				count ? page_alloc_exact(count, 1, GFP_KERNEL, i % nodes, &zero) :
					page_alloc(order, GFP_KERNEL, i % nodes, &zero);

			if (!p)
				continue;
			counts[n] = count;
			held[n++] = p;
			*(size_t *)map_page_address(p) = i;
		} else if (n) {
			size_t at = (r >> 8) % n;

			if (counts[at])
				page_free_exact(held[at], counts[at]);
			else
				page_free(held[at], held[at]->order);
			held[at] = held[--n];
			counts[at] = counts[n];
		}
		if (r % 500 == 0)
			page_discard((r >> 20) % 400);
		if (r % 1999 == 0)
			page_offline();
		if (i % 200 == 0)
			REQUIRE(page_audit() == 0);
	}
	while (n--) {
		if (counts[n])
			page_free_exact(held[n], counts[n]);
		else
			page_free(held[n], held[n]->order);
	}
	EXPECT(all_free());
}

TEST(page_random_one_node)
{
	random_pages(1);
}

TEST(page_random_four_nodes)
{
	random_pages(4);
}

TEST(page_lower_gives_reserved_space_back)
{
	size_t before;
	size_t block = PAGE_SIZE << MAX_ORDER;
	bool zero;

	REQUIRE(setup(1));
	before = map.nr_pages;
	EXPECT_EQ(page_lower(), 0); /* no limit */
	sim.address_limit = (size_t)48 << 20;
	EXPECT_GT(page_lower(), 0);
	EXPECT_LT(map.nr_pages, before);
	EXPECT_GT(sim.released, (before - map.nr_pages) * (PAGE_SIZE + sizeof(struct page)));
	EXPECT_EQ(page_lower(), 0); /* once is enough */
	EXPECT_EQ(page_audit(), 0);
	while (page_alloc(0, GFP_KERNEL, 0, &zero))
		continue; /* what is left can be used to the last page */
	EXPECT_LE(stat().online_pages, map.nr_pages);
	sim.address_limit = block;
	page_lower();
	EXPECT_GE(map.nr_pages, stat().online_pages); /* what is in use stays */
	EXPECT_EQ(page_audit(), 0);
}
