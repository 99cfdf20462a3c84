/* SPDX-License-Identifier: MIT */
/*
 * init_test.c - the start, what it tells, audits now and then, everything stopped
 */
#include "ashlar/slab.h"
#include "base/bits.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "page/map.h"
#include "sim_help.h"

TEST(init_once_and_for_all)
{
	uintptr_t base;

	sim_reset();
	EXPECT_FALSE(init_begun());
	EXPECT(init_ready());
	EXPECT(init_begun());
	base = map.base;
	EXPECT(init_ready());
	EXPECT_EQ(map.base, base);
	EXPECT_TEXT_EQ(init_facts.percpu, "pretend");
	EXPECT_TEXT_EQ(init_facts.percpu_why, "simulated");
	EXPECT_EQ(init_facts.cpus, 4);
	EXPECT_EQ(init_facts.ram_bytes, sim.arena_bytes);
	EXPECT_EQ(init_facts.arena_bytes, map.nr_pages << PAGE_SHIFT);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(init_refused_is_for_good)
{
	sim_reset();
	sim.fail_at = 1;
	sim.fail_on = true;
	EXPECT_FALSE(init_ready());
	sim.fail_at = 0;
	EXPECT_FALSE(init_ready());
	EXPECT(init_begun());
	EXPECT_NULL(kmalloc(8, GFP_KERNEL));
	EXPECT_NULL(ashlar_kmalloc(8, GFP_KERNEL));
}

TEST(init_stop_takes_every_lock)
{
	struct kmem_cache *c;
	void *p;

	sim_reset();
	c = kmem_cache_create("stopped", 64, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	init_stop();
	EXPECT_EQ(c->node->lock.word, LOCK_HELD);
	EXPECT_PTR_EQ(sim.region[0], sim.dummy);
	init_resume();
	EXPECT_EQ(c->node->lock.word, LOCK_FREE);
	kmem_cache_free(c, p);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), p);
	EXPECT_EQ(sim.waits, 0);
}

static void audit_now(void)
{
	init_audit_point(true);
}

static void audit_maybe(void)
{
	for (unsigned i = 0; i < 2000; i++)
		init_audit_point(false);
}

TEST(init_audit_point_ends_a_program_with_faults)
{
	struct kmem_cache *c;

	sim_reset();
	c = kmem_cache_create("audited", 64, 0, 0, NULL);
	kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_FALSE(help_aborts(audit_now));
	EXPECT_FALSE(help_aborts(audit_maybe));
	c->node->free_objects++;
	EXPECT(help_aborts(audit_now));
	EXPECT(help_contains(sim.text, "ashlar: audit: 1 faults in the heap's own tables\n"));
}

TEST(init_audit_option_audits_now_and_then)
{
	sim_reset();
	sim.options = "audit=1";
	for (unsigned i = 0; i < 2000; i++)
		if (!ashlar_kmalloc(16384, GFP_KERNEL))
			break;
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(init_several_nodes)
{
	sim_reset();
	sim.nodes = 4;
	REQUIRE(init_ready());
	kfree(ashlar_kmalloc(1000, GFP_KERNEL));
	kfree(ashlar_kmalloc(100000, GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
	ashlar_purge();
	EXPECT_EQ(ashlar_audit(), 0);
}
