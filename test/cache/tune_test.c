/* SPDX-License-Identifier: MIT */
/*
 * tune_test.c - limits changed in use, slabinfo's text, the reaper's ticks, random order
 */
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "sim_help.h"

#define HELD 4000u

static struct kmem_cache *c;
static void *held[HELD];

static bool setup(const char *options, unsigned nodes)
{
	sim_reset();
	sim.nodes = nodes;
	sim.options = options;
	for (unsigned cpu = 0; cpu < sim.cpus; cpu++)
		sim.cpu_node[cpu] = cpu % nodes;
	if (!init_ready())
		return false;
	c = kmem_cache_create("tuned", 64, 0, 0, NULL);
	return c != NULL;
}

static struct array_cache *array_of(unsigned cpu, unsigned node)
{
	return (struct array_cache *)sim.region[cpu] + c->header_offset / ARRAY_CACHE_SIZE + node;
}

/* Take @n objects on this CPU and give them back: arrays and shared array fill. */
static void churn(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned i = 0; i < n; i++)
		kmem_cache_free(c, held[i]);
}

static long write_line(const char *line)
{
	size_t bytes = 0;

	while (line[bytes])
		bytes++;
	return ashlar_slabinfo_write(line, bytes);
}

TEST(tune_TU1_what_makes_no_sense_is_refused)
{
	REQUIRE(setup(NULL, 1));
	EXPECT_EQ(kmem_cache_tune(c, 0, 1, 1), -22);
	EXPECT_EQ(kmem_cache_tune(c, 10, 0, 1), -22);
	EXPECT_EQ(kmem_cache_tune(c, 10, 11, 1), -22);
	EXPECT_EQ(kmem_cache_tune(c, CONFIG_BATCH_MAX + 1, 1, 1), -22);
	EXPECT_EQ(kmem_cache_tune(c, 10, 10, 65536), -22);
	EXPECT_EQ(kmem_cache_tune(NULL, 10, 10, 1), -22);
	EXPECT_EQ(c->limit, 120);
	EXPECT_EQ(c->batchcount, 60);
	EXPECT_EQ(c->shared_factor, 8);
}

static void tune_down(unsigned nodes)
{
	REQUIRE(setup(NULL, nodes));
	for (sim.cpu = 0; sim.cpu < 4; sim.cpu++)
		churn(900);
	sim.cpu = 0;
	EXPECT_GT(array_count(c), 100);
	EXPECT_GT(c->node->shared_avail, 60);
	EXPECT_EQ(kmem_cache_tune(c, 10, 5, 2), 0);
	for (unsigned cpu = 0; cpu < 4; cpu++)
		EXPECT_LE(array_of(cpu, cpu % nodes)->limit, 10);
	EXPECT_EQ(array_count(c), 0);
	EXPECT_LE(c->node->shared_avail, 10);
	EXPECT_EQ(c->node->shared_limit, 10);
	EXPECT_EQ(c->node->free_limit, (1 + 4 / nodes) * 5 + c->shape.objects);
	EXPECT(c->node->free_objects <= c->node->free_limit || c->node->empty_slabs == 0);
	EXPECT_EQ(ashlar_audit(), 0);
	churn(100);
	EXPECT_LE(array_of(0, 0)->avail, 10);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(tune_TU2_all_that_is_too_much_leaves)
{
	tune_down(1);
}

TEST(tune_TU2_on_each_node)
{
	tune_down(2);
}

TEST(tune_TU2_arrays_grow_again)
{
	REQUIRE(setup(NULL, 1));
	EXPECT_EQ(kmem_cache_tune(c, 1, 1, 0), 0);
	churn(100);
	EXPECT_EQ(array_of(0, 0)->limit, 1);
	EXPECT_EQ(c->node->shared_avail, 0);
	EXPECT_EQ(kmem_cache_tune(c, 120, 60, 8), 0);
	churn(1000);
	EXPECT_EQ(array_of(0, 0)->limit, 120);
	EXPECT_GT(array_of(0, 0)->avail, 60);
	EXPECT_EQ(c->node->shared_avail, 480);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(tune_a_cpu_that_cannot_be_stopped_keeps_its_limit)
{
	REQUIRE(setup(NULL, 1));
	churn(200);
	sim.fence_refused = true;
	EXPECT_EQ(kmem_cache_tune(c, 10, 5, 2), -16);
	EXPECT_EQ(array_of(0, 0)->limit, 120);
	EXPECT_EQ(c->limit, 10);
	sim.fence_refused = false;
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_tune(c, 10, 5, 2), 0);
	EXPECT_EQ(array_of(0, 0)->limit, 10);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* C11: each CPU that appears lets its node keep a batch more. */
TEST(tune_TU2_cpus_that_appear_late)
{
	REQUIRE(setup(NULL, 2));
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		sim.cpu = cpu;
		churn(1);
		EXPECT_EQ(c->node[0].free_limit, (1 + (cpu + 2) / 2) * 60 + c->shape.objects);
		EXPECT_EQ(c->node[1].free_limit, (1 + (cpu + 1) / 2) * 60 + c->shape.objects);
	}
}

TEST(tune_slabinfo_text)
{
	struct kmem_cache *spaced;

	REQUIRE(setup(NULL, 1));
	EXPECT_EQ(write_line("tuned 24 12 4\n"), 14);
	EXPECT_EQ(c->limit, 24);
	EXPECT_EQ(c->batchcount, 12);
	EXPECT_EQ(c->shared_factor, 4);
	EXPECT_EQ(write_line("tuned 500 300 1"), 15);
	EXPECT_EQ(c->limit, 120);
	EXPECT_EQ(c->batchcount, 120);
	EXPECT_EQ(write_line("tuned 0 1 1"), 11); /* no sense: nothing happens */
	EXPECT_EQ(write_line("tuned 5 6 1"), 11);
	EXPECT_EQ(write_line("tuned 5 5 -1"), 12);
	EXPECT_EQ(c->limit, 120);
	EXPECT_EQ(write_line("tuned 5 5"), -22);
	EXPECT_EQ(write_line("tuned five 5 5"), -22);
	EXPECT_EQ(write_line("nobody 5 5 5"), -22);
	EXPECT_EQ(write_line(""), -22);
	EXPECT_EQ(write_line("tuned - 5 5"), -22);
	EXPECT_EQ(write_line("tuned 10 10 10                                                      "
			     "                                                               "),
		  -22);
	EXPECT_EQ(c->limit, 120);
	EXPECT_EQ(write_line("kmalloc-64 24 12 4"), 18);
	spaced = kmem_cache_create("two words", 100, 0, 0, NULL); /* shown as two_words */
	EXPECT_EQ(write_line("two_words 20 10 2"), 17);
	EXPECT_EQ(spaced->limit, 20);
	EXPECT_EQ(write_line("two_word 20 10 2"), -22);
	EXPECT_EQ(write_line("two_words_ 20 10 2"), -22);
	kmem_cache_destroy(c); /* nobody is left behind as a visitor */
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- age ---------------------------------------------------------------------------- */

TEST(tune_TU3_untouched_arrays_lose_a_fifth)
{
	REQUIRE(setup("reap=0", 1));
	for (unsigned i = 0; i < 100; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned i = 0; i < 100; i++)
		kmem_cache_free(c, held[i]);
	kmem_cache_reap(); /* touched: only marked */
	EXPECT_EQ(array_of(0, 0)->avail, 120);
	kmem_cache_reap();
	EXPECT_EQ(array_of(0, 0)->avail, 96);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), held[99]); /* the oldest have left */
	kmem_cache_free(c, held[99]);
	kmem_cache_reap();
	EXPECT_EQ(array_of(0, 0)->avail, 96);
	for (unsigned i = 0; i < 3; i++)
		kmem_cache_reap();
	EXPECT_EQ(array_of(0, 0)->avail, 24); /* 72, 48, 24 */
	for (unsigned i = 0; i < 4; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_reap();
	kmem_cache_reap();
	EXPECT_EQ(array_of(0, 0)->avail,
		  10); /* a fifth of the limit is more than there are: half */
	for (unsigned i = 0; i < 10; i++)
		kmem_cache_reap();
	EXPECT_EQ(array_of(0, 0)->avail, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(tune_TU3_aliens_in_turn)
{
	REQUIRE(setup("reap=0", 4));
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		sim.cpu = cpu;
		for (unsigned i = 0; i < 10; i++)
			held[cpu * 10 + i] = kmem_cache_alloc(c, GFP_KERNEL);
	}
	sim.cpu = 0;
	for (unsigned i = 0; i < 40; i++)
		kmem_cache_free(c, held[i]);
	for (unsigned node = 1; node < 4; node++)
		EXPECT_EQ(array_of(0, node)->avail, 10);
	kmem_cache_reap(); /* its own turn: no alien */
	kmem_cache_reap();
	EXPECT_EQ(array_of(0, 1)->avail, 0);
	EXPECT_EQ(array_of(0, 2)->avail, 10);
	kmem_cache_reap();
	EXPECT_EQ(array_of(0, 2)->avail, 0);
	kmem_cache_reap();
	EXPECT_EQ(array_of(0, 3)->avail, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(tune_TU4_shared_and_empty_slabs)
{
	struct kmem_cache_node *n;
	size_t empty;
	size_t slabs;

	REQUIRE(setup("reap=0", 1));
	n = c->node;
	churn(1);
	EXPECT_EQ(kmem_cache_tune(c, 1, 1, 480), 0);
	n->free_limit = 10000;
	churn(4000);
	EXPECT_EQ(n->shared_avail, 480);
	empty = n->empty_slabs;
	slabs = n->slabs;
	EXPECT_GT(empty, 1);
	n->shared_touched = n->free_touched = true;
	kmem_cache_reap();
	EXPECT_EQ(n->shared_avail, 480);
	EXPECT_EQ(n->empty_slabs, empty);
	kmem_cache_reap(); /* touched since the last second tick: marked */
	EXPECT_EQ(n->shared_avail, 480);
	kmem_cache_reap();
	kmem_cache_reap();
	EXPECT_EQ(n->shared_avail, 384);
	EXPECT_EQ(n->slabs, slabs - 2); /* 10000 / (5 * 1024), rounded up */
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 0; i < 40; i++)
		kmem_cache_reap();
	EXPECT_EQ(n->shared_avail, 0);
	EXPECT_EQ(n->slabs, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* An idle cache ages while another one is busy. */
TEST(tune_ticks_come_by_themselves)
{
	struct kmem_cache *busy;

	REQUIRE(setup("reap=1", 1));
	churn(100);
	EXPECT_GT(array_of(0, 0)->avail, 0);
	busy = kmem_cache_create("busy", 4096, 0, 0, NULL);
	for (unsigned i = 0; i < HELD; i++)
		REQUIRE(kmem_cache_alloc(busy, GFP_KERNEL) != NULL);
	EXPECT_EQ(array_of(0, 0)->avail, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- random order ------------------------------------------------------------------------ */

TEST(tune_random_order)
{
	unsigned ascending = 0;

	REQUIRE(setup("random_seq=1", 1));
	for (unsigned i = 0; i < HELD; i++) {
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
		REQUIRE(held[i] != NULL);
		ascending += i && held[i] == (char *)held[i - 1] + 64;
	}
	EXPECT_LT(ascending, HELD / 20); /* in order it is nearly all */
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 0; i < HELD; i++)
		kmem_cache_free(c, held[(i * 7) % HELD]);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
}
