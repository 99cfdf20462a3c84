/* SPDX-License-Identifier: MIT */
/*
 * numa_case.c - allocations are on the node that they should be on
 *
 * What    The judge is the firmware's map (ashlar_boot_range), by physical address, not what the
 *         library believes. CPUs and distances are those of the firmware, too.
 * Boot    nodes=N  what the machine should have       near=LIST  all nodes by distance from node 0
 */
#include "bare_test.h"

#define HELD 512u

static struct kmem_cache *c;
static void *held[KERNEL_MAX_CPUS][HELD];
static size_t wrong;

/* The node whose memory @p is. */
static unsigned node_at(const void *p)
{
	uint64_t at = ashlar_virt_to_phys(p);
	uint64_t start;
	uint64_t end;
	unsigned node;

	for (unsigned i = 0; ashlar_boot_range(i, &start, &end, &node); i++)
		if (at >= start && at < end)
			return node;
	return KERNEL_MAX_NODES;
}

static uint64_t bytes_of(unsigned wanted)
{
	uint64_t bytes = 0;
	uint64_t start;
	uint64_t end;
	unsigned node;

	for (unsigned i = 0; ashlar_boot_range(i, &start, &end, &node); i++)
		bytes += node == wanted ? end - start : 0;
	return bytes;
}

/* The nodes that have memory, from @from on, nearest first: equals by number, upwards from it. */
static unsigned order_from(unsigned from, unsigned *order)
{
	unsigned count = 0;

	for (unsigned i = 0; i < machine.nodes; i++) {
		unsigned node = (from + i) % machine.nodes;
		unsigned at = count;

		if (!bytes_of(node))
			continue;
		for (; at && machine.distance[from][node] < machine.distance[from][order[at - 1]];
		     at--)
			order[at] = order[at - 1];
		order[at] = node;
		count++;
	}
	return count;
}

TEST(numa_nodes_are_what_the_machine_has)
{
	const char *near = setting("near");
	unsigned order[KERNEL_MAX_NODES];
	unsigned count = order_from(0, order);

	tap_note_number("nodes with memory", count);
	EXPECT_EQ(machine.nodes, setting_number("nodes", 1));
	for (unsigned i = 0; near && near[i]; i++)
		EXPECT_EQ(near[i], (char)('0' + order[i]));
}

/* With __GFP_THISNODE the memory is there, in each size; a node without memory has none. */
TEST(numa_each_node_serves_what_is_asked_of_it)
{
	static const size_t sizes[] = { 16, 64, 100, 1000, 5000, 30000, 100000 };

	c = kmem_cache_create("there", 200, 0, 0, NULL);
	REQUIRE(c != NULL);
	for (int n = 0; n < (int)machine.nodes; n++) {
		gfp_t gfp = GFP_KERNEL | __GFP_THISNODE;
		bool has = bytes_of((unsigned)n) != 0;
		void *o = kmem_cache_alloc_node(c, gfp, n);
		struct page *page = alloc_pages_node(n, gfp, 3);

		EXPECT_EQ(o != NULL, has);
		EXPECT_EQ(page != NULL, has);
		if (o)
			EXPECT_EQ(node_at(o), n);
		if (page)
			EXPECT_EQ(node_at(page_address(page)), n);
		kmem_cache_free(c, o);
		if (page)
			__free_pages(page, 3);
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			void *p = kmalloc_node(sizes[i], gfp, n);

			EXPECT_EQ(p != NULL, has);
			if (p)
				EXPECT_EQ(node_at(p), n);
			kfree(p);
		}
	}
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Objects of a CPU are its node's, or of the nearest that has memory; the next CPU frees them. */
static void take_own(struct cpu *cpu)
{
	unsigned order[KERNEL_MAX_NODES];
	void **mine = held[cpu->number];

	order_from(cpu->node, order);
	for (unsigned i = 0; i < HELD; i++) {
		mine[i] = i % 2 ? kmem_cache_alloc(c, GFP_KERNEL) :
				  kmalloc(32 + i * 7 % 3000, GFP_KERNEL);
		if (!mine[i] || node_at(mine[i]) != order[0])
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
	}
}

static void give_others(struct cpu *cpu)
{
	void **others = held[(cpu->number + 1) % machine.cpus];

	for (unsigned i = 0; i < HELD; i++)
		kfree(others[i]);
}

TEST(numa_each_cpu_gets_memory_of_its_node)
{
	c = kmem_cache_create("own", 300, 0, 0, NULL);
	REQUIRE(c != NULL);
	wrong = 0;
	irqs_on();
	for (unsigned i = 0; i < rounds(10); i++) {
		cpus_run(take_own);
		cpus_run(give_others);
	}
	irqs_off();
	EXPECT_EQ(wrong, 0);
	irqs_on();
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}

/* All pages of a list of blocks. */
static void free_list(void **list)
{
	while (list) {
		void **next = *list;

		free_pages((unsigned long)list, 0);
		list = next;
	}
}

/* When a node has nothing left the others follow by distance, and at last none is left. */
TEST(numa_fallback_is_by_distance)
{
	unsigned order[KERNEL_MAX_NODES];
	size_t pages[KERNEL_MAX_NODES] = { 0 };
	unsigned count = order_from(0, order);
	unsigned at = 0;
	void **list = NULL;
	struct page *page;

	wrong = 0;
	while ((page = alloc_pages_node(0, GFP_ATOMIC, 0))) {
		void **p = page_address(page);
		unsigned node = node_at(p);

		while (at < count && order[at] != node)
			at++;
		wrong += at == count;
		pages[node]++;
		*p = list;
		list = p;
		if (at == count)
			break;
	}
	EXPECT_EQ(wrong, 0);
	for (unsigned i = 0; i < count; i++) {
		tap_note_number("KiB of a node, nearest first", pages[order[i]] * PAGE_BYTES >> 10);
		EXPECT_GE(pages[order[i]] * PAGE_BYTES, bytes_of(order[i]) / 4 * 3 - 4 * MIB);
	}
	free_list(list);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(numa_thisnode_ends_with_the_node)
{
	for (unsigned n = 0; n < machine.nodes; n++) {
		void **list = NULL;
		struct page *page;

		wrong = 0;
		while ((page = alloc_pages_node((int)n, GFP_ATOMIC | __GFP_THISNODE, 0))) {
			void **p = page_address(page);

			wrong += node_at(p) != n;
			*p = list;
			list = p;
		}
		EXPECT_EQ(wrong, 0);
		EXPECT_EQ(list != NULL, bytes_of(n) != 0);
		if (machine.nodes > 1) {
			void *elsewhere = kmalloc_node(60000, GFP_KERNEL, (int)n);

			EXPECT_NOT_NULL(elsewhere);
			kfree(elsewhere);
		}
		free_list(list);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}
