/* SPDX-License-Identifier: MIT */
/*
 * span_test.c - the arena in pieces, each of one node; zones, growth and ids on them
 */
#include "ashlar/mm.h"
#include "ashlar/slab.h"
#include "cache/init.h"
#include "page/node.h"
#include "page/span.h"
#include "sim_help.h"

#define MIB ((size_t)1 << 20)
#define MIB_PAGES (MIB >> PAGE_SHIFT)

static struct span spans[SPAN_MAX];

/* Memory lies as @bytes and @nodes say, up to bytes of 0. */
static void place(const size_t *bytes, const unsigned *nodes, unsigned count)
{
	sim_reset();
	sim.nodes = count;
	for (unsigned i = 0; i < SIM_PLACES && bytes[i]; i++) {
		sim.place[i].bytes = bytes[i];
		sim.place[i].node = nodes[i];
	}
}

static unsigned cut(void)
{
	node_init(sim.nodes, 0);
	if (!map_init(sim.arena_bytes, PAGE_SIZE, sim.nodes))
		return 0;
	return span_cut(spans);
}

TEST(span_without_places_nodes_share_equally)
{
	sim_reset();
	sim.nodes = 3;
	REQUIRE(cut() == 3);
	for (unsigned i = 0; i < 3; i++) {
		EXPECT_EQ(spans[i].node, i);
		EXPECT_EQ(spans[i].end % (map.align >> PAGE_SHIFT), 0);
	}
	EXPECT_EQ(spans[1].end, spans[0].end * 2);
	EXPECT_EQ(spans[2].end, map.nr_pages);
}

TEST(span_SP1_pieces_are_as_memory_lies)
{
	static const size_t bytes[] = { 8 * MIB, 16 * MIB, 4 * MIB, 64 * MIB, 0 };
	static const unsigned nodes[] = { 1, 0, 1, 2 };

	place(bytes, nodes, 3);
	REQUIRE(cut() == 4);
	EXPECT_EQ(spans[0].end, 8 * MIB_PAGES);
	EXPECT_EQ(spans[1].end, 24 * MIB_PAGES);
	EXPECT_EQ(spans[2].end, 28 * MIB_PAGES);
	EXPECT_EQ(spans[3].end, map.nr_pages);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(spans[i].node, nodes[i]);
}

TEST(span_SP2_less_than_a_section_goes_to_the_upper)
{
	static const size_t bytes[] = { 8 * MIB + PAGE_SIZE, 2 * PAGE_SIZE, 64 * MIB, 0 };
	static const unsigned nodes[] = { 0, 1, 2 };

	place(bytes, nodes, 3);
	REQUIRE(cut() == 2);
	EXPECT_EQ(spans[0].end, 8 * MIB_PAGES);
	EXPECT_EQ(spans[0].node, 0);
	EXPECT_EQ(spans[1].end, map.nr_pages);
	EXPECT_EQ(spans[1].node, 2);
}

TEST(span_SP2_too_many_pieces)
{
	size_t bytes[SIM_PLACES + 1] = { 0 };
	unsigned nodes[SIM_PLACES];

	PAGES_ARE_MANY();
	for (unsigned i = 0; i < SIM_PLACES; i++) {
		bytes[i] = MIB;
		nodes[i] = i % 2;
	}
	bytes[SIM_PLACES - 1] = 64 * MIB;
	place(bytes, nodes, 2);
	REQUIRE(cut() == SPAN_MAX);
	EXPECT_EQ(spans[SPAN_MAX - 1].end, map.nr_pages);
}

TEST(span_a_node_past_the_last_is_the_last)
{
	static const size_t bytes[] = { 8 * MIB, 64 * MIB, 0 };
	static const unsigned nodes[] = { 0, 77 };

	place(bytes, nodes, 2);
	REQUIRE(cut() == 2);
	EXPECT_EQ(spans[1].node, 1);
}

/* All pages of @node; each lies where that node's memory does. */
static size_t take_node(unsigned node, struct page **first)
{
	struct page *head;
	size_t count = 0;

	*first = NULL;
	while ((head = alloc_pages_node((int)node, GFP_KERNEL | __GFP_THISNODE, 0))) {
		if (!*first)
			*first = head;
		EXPECT_EQ(page_node(head), node);
		count++;
	}
	return count;
}

TEST(span_zones_of_a_node_serve_one_after_the_other)
{
	static const size_t bytes[] = { 8 * MIB, 16 * MIB, 8 * MIB, 128 * MIB, 0 };
	static const unsigned nodes[] = { 1, 0, 1, 2 };
	struct page *first;
	struct page *head;

	PAGES_ARE_MANY();
	place(bytes, nodes, 4); /* node 3 has none */
	sim.distance[1][0] = 30;
	sim.distance[1][2] = 25;
	for (unsigned cpu = 0; cpu < sim.cpus; cpu++)
		sim.cpu_node[cpu] = cpu;
	sim.cpu = 3;
	REQUIRE(init_ready());
	EXPECT_EQ(page_node(virt_to_page(kmalloc(100, GFP_KERNEL))), 0);
	EXPECT_EQ(take_node(3, &first), 0);
	sim.cpu = 1;
	EXPECT_GT(take_node(1, &first), 12 * MIB_PAGES);
	head = alloc_pages_node(1, GFP_KERNEL, 0);
	REQUIRE(head != NULL);
	EXPECT_EQ(page_node(head), 2);
	EXPECT_GT(take_node(2, &first), 16 * MIB_PAGES);
	EXPECT_GE(map_page_pfn(first), 32 * MIB_PAGES);
	EXPECT_GT(take_node(0, &first), 12 * MIB_PAGES);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(span_online_from_above_leaves_ids_between_alone)
{
	static const size_t bytes[] = { 24 * MIB, 64 * MIB, 0 };
	static const unsigned nodes[] = { 0, 1 };
	void *low;
	void *high;

	place(bytes, nodes, 2);
	sim.cpu_node[0] = 1;
	REQUIRE(init_ready());
	high = kmalloc(100, GFP_KERNEL);
	REQUIRE(high != NULL);
	EXPECT_EQ(page_node(virt_to_page(high)), 1);
	EXPECT_EQ(map.ids[1 * MIB_PAGES], 0); /* reads as zero */
	low = kmalloc_node(100, GFP_KERNEL | __GFP_THISNODE, 0);
	REQUIRE(low != NULL);
	EXPECT_EQ(page_node(virt_to_page(low)), 0);
	kfree(low);
	kfree(high);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(span_failures_at_each_request)
{
	static const size_t bytes[] = { 8 * MIB, 8 * MIB, 8 * MIB, 64 * MIB, 0 };
	static const unsigned nodes[] = { 1, 0, 1, 0 };

	for (unsigned n = 1;; n++) {
		struct page *low = NULL;
		struct page *high = NULL;
		bool failed;
		bool zero;

		place(bytes, nodes, 2);
		sim.cpu_node[0] = 1;
		sim.fail_at = n;
		node_init(2, 0);
		if (page_init(sim.arena_bytes, 4, PAGE_SIZE)) {
			low = page_alloc(3, GFP_KERNEL | __GFP_THISNODE, 0, &zero);
			high = page_alloc(MAX_ORDER - 1, GFP_KERNEL | __GFP_THISNODE, 1, &zero);
		}
		failed = sim.fail_at == 0;
		sim.fail_at = 0;
		EXPECT(failed || (low && high));
		if (low)
			page_free(low, 3);
		if (high)
			page_free(high, MAX_ORDER - 1);
		page_drain();
		EXPECT_EQ(page_audit(), 0);
		if (!failed)
			break;
		EXPECT_LT(n, 100);
	}
}
