/* SPDX-License-Identifier: MIT */
/*
 * numa_test.c - caches on several NUMA nodes: own memory first, alien arrays, the way home
 */
#include "ashlar/mm.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/object.h"
#include "cache/squeeze.h"
#include "page/node.h"
#include "sim_help.h"

#define HELD 4096u

static void *held[HELD];

/* CPUs 0 and 2 on node 0, 1 and 3 on node 1, and so on. */
static bool setup(unsigned count)
{
	sim_reset();
	sim.nodes = count;
	sim.cpus = 2 * count;
	for (unsigned cpu = 0; cpu < sim.cpus; cpu++)
		sim.cpu_node[cpu] = cpu % count;
	return init_ready();
}

static struct kmem_cache *make(unsigned size)
{
	return kmem_cache_create("numa", size, 0, 0, NULL);
}

static unsigned node_of(const void *p)
{
	return page_node(&map.pages[map_pfn(p)]);
}

static struct array_cache *array_of(unsigned cpu, const struct kmem_cache_node *n)
{
	return (struct array_cache *)sim.region[cpu] + n->header_offset / ARRAY_CACHE_SIZE;
}

TEST(numa_N1_nodes_by_distance)
{
	static const u8 want[4][4] = {
		{ 0, 2, 1, 3 }, { 1, 2, 3, 0 }, { 2, 0, 3, 1 }, { 3, 0, 1, 2 }
	};

	sim_reset();
	sim.distance[0][1] = 30;
	sim.distance[0][2] = 12;
	sim.distance[0][3] = 30;
	sim.distance[2][0] = 12;
	sim.distance[2][1] = 15;
	sim.distance[2][3] = 15;
	sim.distance[2][2] = 10;
	node_init(4, 0);
	for (unsigned n = 0; n < 4; n++)
		for (unsigned i = 0; i < 4; i++)
			EXPECT_EQ(node_table.order[n][i], want[n][i]);
}

TEST(numa_N2_fake_nodes_deal_out_cpus)
{
	sim_reset();
	sim.options = "fake_numa=3";
	REQUIRE(init_ready());
	EXPECT_EQ(node_table.count, 3);
	for (unsigned cpu = 0; cpu < sim.cpus; cpu++)
		EXPECT_EQ(node_of_cpu(cpu), cpu % 3);
	EXPECT_EQ(sim.bound_bytes[0] + sim.bound_bytes[1] + sim.bound_bytes[2], 0);
	for (unsigned cpu = 0; cpu < sim.cpus; cpu++) {
		sim.cpu = cpu;
		held[cpu] = kmalloc(100, GFP_KERNEL);
		EXPECT_EQ(node_of(held[cpu]), cpu % 3);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(numa_fake_is_limited)
{
	sim_reset();
	sim.options = "fake_numa=8;fake_numa=9";
	REQUIRE(init_ready());
	EXPECT_TEXT_EQ(sim.text, "ashlar: ASHLAR_OPTIONS: bad value in 'fake_numa=9', ignored\n");
	EXPECT_EQ(node_table.count, PORT_MAX_NODES);
	EXPECT_NOT_NULL(kmalloc(100, GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(numa_Z3_what_comes_online_is_bound)
{
	REQUIRE(setup(2));
	sim.cpu = 1;
	REQUIRE(kmalloc(100, GFP_KERNEL) != NULL);
	EXPECT_GT(sim.bound_bytes[0], 0);
	EXPECT_GT(sim.bound_bytes[1], 0);
}

TEST(numa_K5_own_node_first)
{
	REQUIRE(setup(4));
	for (unsigned lock = 0; lock < 2; lock++) {
		for (unsigned i = 0; i < HELD; i++) {
			sim.cpu = i % sim.cpus;
			held[i] = kmalloc(16 + i % 3000, GFP_KERNEL);
			REQUIRE(held[i] != NULL);
			EXPECT_EQ(node_of(held[i]), sim.cpu % 4);
		}
		for (unsigned i = 0; i < HELD; i++) {
			sim.cpu = (i * 7) % sim.cpus;
			kfree(held[i]);
		}
		EXPECT_EQ(ashlar_audit(), 0);
	}
}

TEST(numa_K5_own_node_first_without_sequences)
{
	sim_reset();
	sim.nodes = 3;
	sim.lock_mode = true;
	for (unsigned cpu = 0; cpu < 4; cpu++)
		sim.cpu_node[cpu] = 2 - cpu % 3;
	REQUIRE(init_ready());
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 1000; i++) {
			sim.cpu = i % 4;
			held[i] = kmalloc(200, GFP_KERNEL);
			REQUIRE(held[i] != NULL);
			EXPECT_EQ(node_of(held[i]), 2 - sim.cpu % 3);
		}
		for (unsigned i = 0; i < 1000; i++) {
			sim.cpu = (i / 3) % 4;
			kfree(held[i]);
		}
		EXPECT_EQ(ashlar_audit(), 0);
	}
}

/* What CPU 1 frees of node 0 waits in CPU 1's array for node 0, and is not given to CPU 1. */
TEST(numa_aliens_are_never_allocated_from)
{
	struct kmem_cache *c;
	struct array_cache *alien;

	REQUIRE(setup(2));
	c = make(64);
	for (unsigned i = 0; i < 40; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	sim.cpu = 1;
	kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
	for (unsigned i = 0; i < 40; i++)
		kmem_cache_free(c, held[i]);
	alien = array_of(1, &c->node[0]);
	EXPECT_EQ(alien->limit, c->batchcount);
	EXPECT_EQ(alien->avail, 40);
	for (unsigned i = 0; i < 200; i++) {
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
		EXPECT_EQ(node_of(held[i]), 1);
	}
	EXPECT_EQ(alien->avail, 40);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* The object that does not fit takes all of the alien array home, into the node's shared array. */
TEST(numa_aliens_go_home_in_batches)
{
	struct kmem_cache *c;
	unsigned batch;

	REQUIRE(setup(2));
	c = make(64);
	batch = c->batchcount;
	for (unsigned i = 0; i <= batch; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	sim.cpu = 1;
	for (unsigned i = 0; i < batch; i++)
		kmem_cache_free(c, held[i]);
	EXPECT_EQ(array_of(1, &c->node[0])->avail, batch);
	EXPECT_EQ(c->node[0].shared_avail, 0);
	kmem_cache_free(c, held[batch]);
	EXPECT_EQ(array_of(1, &c->node[0])->avail, 0);
	EXPECT_EQ(c->node[0].shared_avail, batch + 1);
	EXPECT_EQ(c->node[1].shared_avail, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(numa_free_bulk_of_several_nodes)
{
	struct kmem_cache *c;

	REQUIRE(setup(4));
	c = make(48);
	for (unsigned i = 0; i < 600; i++) {
		sim.cpu = i % 7 % 4;
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	}
	sim.cpu = 2;
	kmem_cache_free_bulk(c, 600, held);
	EXPECT_EQ(ashlar_audit(), 0);
	REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, 600, held) == 600);
	for (unsigned i = 0; i < 600; i++)
		EXPECT_EQ(node_of(held[i]), 2);
	kmem_cache_free_bulk(c, 600, held);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	EXPECT_EQ(array_count(c), 0);
	kmem_cache_destroy(c);
	EXPECT_EQ(sim.text_bytes, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(numa_destroy_counts_all_nodes)
{
	struct kmem_cache *c;

	REQUIRE(setup(3));
	c = make(64);
	for (unsigned i = 0; i < 6; i++) {
		sim.cpu = i;
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	}
	help_clear();
	kmem_cache_destroy(c);
	EXPECT(help_said("6 objects"));
	sim.cpu = 0;
	for (unsigned i = 0; i < 6; i++)
		kmem_cache_free(c, held[i]);
	help_clear();
	kmem_cache_destroy(c);
	EXPECT_EQ(sim.text_bytes, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

static struct kmem_cache *other;
static void *wrong;

static void free_to_other(void)
{
	kmem_cache_free(other, wrong);
}

TEST(numa_free_to_the_wrong_cache_is_seen_on_each_node)
{
	struct kmem_cache *c;

	REQUIRE(setup(2));
	c = make(64);
	other = make(64);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		sim.cpu = cpu;
		wrong = kmem_cache_alloc(c, GFP_KERNEL);
		EXPECT(help_aborts(free_to_other));
		EXPECT(help_said("kmem_cache_free"));
	}
}

/* ---- nodes that are asked for -------------------------------------------------------- */

TEST(numa_NU1_alloc_node_is_on_that_node)
{
	struct kmem_cache *c;

	REQUIRE(setup(4));
	c = make(100);
	for (unsigned i = 0; i < 400; i++) {
		int node = (int)(i / 8 % 4);

		sim.cpu = i % sim.cpus;
		held[i] = kmem_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE, node);
		REQUIRE(held[i] != NULL);
		EXPECT_EQ(node_of(held[i]), (unsigned)node);
		kmem_cache_free(c, held[i]);
		held[i] = kmalloc_node(16u << i % 14, GFP_KERNEL, node);
		REQUIRE(held[i] != NULL);
		EXPECT_EQ(node_of(held[i]), (unsigned)node);
	}
	for (unsigned i = 0; i < 400; i++)
		kfree(held[i]);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Free objects of the wanted node that wait on another CPU's array are not in the way. */
TEST(numa_NU1_this_node_or_none)
{
	struct kmem_cache *c;
	unsigned n = 0;

	PAGES_ARE_MANY();
	REQUIRE(setup(2));
	c = make(65536);
	while (n < HELD && (held[n] = kmem_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE, 1)))
		EXPECT_EQ(node_of(held[n++]), 1);
	EXPECT_GT(n, 200);
	EXPECT_LT(n, 600);
	EXPECT_NULL(kmalloc_node(100000, GFP_KERNEL | __GFP_THISNODE, 1));
	EXPECT_NULL(alloc_pages_node(1, GFP_KERNEL | __GFP_THISNODE, 5));
	held[n] = kmem_cache_alloc_node(c, GFP_KERNEL, 1);
	REQUIRE(held[n] != NULL);
	EXPECT_EQ(node_of(held[n]), 0);
	kmem_cache_free_bulk(c, n + 1, held);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(numa_NU2_nearest_free_objects_before_new_slabs)
{
	struct kmem_cache *c;
	unsigned n = 0;

	sim_reset();
	sim.nodes = 3;
	sim.distance[0][1] = 40;
	sim.distance[0][2] = 12;
	REQUIRE(init_ready());
	c = make(32768);
	while (n < HELD && (held[n] = kmem_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE, 0)))
		n++;
	held[n] = kmem_cache_alloc(c, GFP_KERNEL); /* nobody has a free one: the nearest grows */
	EXPECT_EQ(node_of(held[n]), 2);
	kmem_cache_free(c, held[n]);
	cache_shrink(c);
	held[n] = kmem_cache_alloc_node(c, GFP_KERNEL, 1);
	EXPECT_EQ(node_of(held[n]), 1);
	held[n + 1] = kmem_cache_alloc(c, GFP_KERNEL); /* a free one, though far */
	EXPECT_EQ(node_of(held[n + 1]), 1);
	EXPECT_EQ(c->node[2].slabs, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Home again as soon as there is memory at home. */
TEST(numa_NU2_far_objects_come_one_at_a_time)
{
	struct kmem_cache *c;
	unsigned n = 0;

	REQUIRE(setup(2));
	c = make(1024);
	while (n < HELD && (held[n] = kmalloc_node(32768, GFP_KERNEL | __GFP_THISNODE, 0)))
		n++;
	REQUIRE(n < HELD);
	while (kmem_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE, 0))
		;
	wrong = kmem_cache_alloc(c, GFP_KERNEL);
	REQUIRE(wrong != NULL);
	EXPECT_EQ(node_of(wrong), 1);
	EXPECT_EQ(array_count(c), 0);
	for (unsigned i = 0; i < n; i++)
		kfree(held[i]);
	squeeze_caches(true);
	wrong = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(node_of(wrong), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(numa_NU3_nodes_that_there_are_not)
{
	struct kmem_cache *c;

	REQUIRE(setup(2));
	c = make(64);
	sim.cpu = 1;
	EXPECT_EQ(node_of(kmem_cache_alloc_node(c, GFP_KERNEL, -1)), 1);
	EXPECT_EQ(node_of(kmem_cache_alloc_node(c, GFP_KERNEL, 2)), 1);
	EXPECT_EQ(node_of(kmalloc_node(64, GFP_KERNEL, 77)), 1);
	EXPECT_EQ(node_of(kmalloc_node(100000, GFP_KERNEL, -1)), 1);
	EXPECT_NULL(kmem_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE, 2));
	EXPECT_NULL(kmalloc_node(64, GFP_KERNEL | __GFP_THISNODE, 8));
	EXPECT_NULL(kmalloc_node(100000, GFP_KERNEL | __GFP_THISNODE, 8));
	EXPECT_NULL(alloc_pages_node(2, GFP_KERNEL | __GFP_THISNODE, 0));
	EXPECT_EQ(page_to_nid(alloc_pages_node(2, GFP_KERNEL, 0)), 1);
	EXPECT_EQ(page_to_nid(alloc_pages_node(0, GFP_KERNEL, 0)), 0);
	EXPECT_EQ(kmalloc_node(0, GFP_KERNEL, 0), ZERO_SIZE_PTR);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(numa_NU3_one_node)
{
	struct kmem_cache *c;

	REQUIRE(setup(1));
	c = make(64);
	EXPECT_NOT_NULL(kmem_cache_alloc_node(c, GFP_KERNEL, 0));
	EXPECT_NOT_NULL(kmem_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE, 0));
	EXPECT_NOT_NULL(kmem_cache_alloc_node(c, GFP_KERNEL, 5));
	EXPECT_NULL(kmem_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE, 5));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- ids -------------------------------------------------------------------------------- */

TEST(numa_K1_ids_go_round)
{
	REQUIRE(setup(8));
	for (unsigned i = 0; i < 1200; i++) {
		struct kmem_cache *c = make(64);

		REQUIRE(c != NULL);
		for (unsigned cpu = 0; cpu < sim.cpus; cpu += 5) {
			sim.cpu = cpu;
			held[cpu] = kmem_cache_alloc(c, GFP_KERNEL);
		}
		for (unsigned cpu = 0; cpu < sim.cpus; cpu += 5)
			kmem_cache_free(c, held[cpu]);
		if (i % 400 == 0)
			REQUIRE(ashlar_audit() == 0);
		kmem_cache_destroy(c);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(numa_K1_all_ids_taken)
{
	static struct kmem_cache *all[CONFIG_MAX_IDS / 8];
	unsigned n = 0;

	REQUIRE(setup(8));
	while (n < ARRAY_SIZE(all) && (all[n] = cache_make("one of many", 64, 16, 0, NULL)))
		n++;
	EXPECT_LT(n, ARRAY_SIZE(all));
	EXPECT_GT(n, ARRAY_SIZE(all) - 60);
	kmem_cache_destroy(all[n / 2]);
	all[n / 2] = make(64);
	EXPECT_NOT_NULL(all[n / 2]);
	while (n)
		kmem_cache_destroy(all[--n]);
	EXPECT_EQ(ashlar_audit(), 0);
}
