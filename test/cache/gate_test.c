/* SPDX-License-Identifier: MIT */
/*
 * gate_test.c - GA1 and GA2: init_on_alloc and init_on_free clear what they say, through all doors
 */
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/gate.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "sim_help.h"

static struct kmem_cache *c;

static bool start(const char *text, bool lock_mode)
{
	sim_reset();
	sim.options = text;
	sim.lock_mode = lock_mode;
	c = kmem_cache_create("cats", 100, 0, 0, NULL);
	return c != NULL;
}

static bool is_clear(const u8 *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (p[i])
			return false;
	return true;
}

/* Every door of allocation gives zeros, and what was written into them before is gone. */
static void doors(void)
{
	u8 *held[60];
	u8 *p;

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 60; i++) {
			held[i] = kmem_cache_alloc(c, GFP_KERNEL);
			REQUIRE(held[i]);
			EXPECT(is_clear(held[i], 100));
			memset(held[i], 0xff, 100);
		}
		kmem_cache_free_bulk(c, 30, (void **)held);
		for (unsigned i = 30; i < 60; i++)
			kfree(held[i]);
		REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, 60, (void **)held) == 60);
		for (unsigned i = 0; i < 60; i++) {
			EXPECT(is_clear(held[i], 100));
			memset(held[i], 0xff, 100);
			kmem_cache_free(c, held[i]);
		}
		for (size_t size = 1; size < 10000000; size = size * 3 + 5) {
			p = ashlar_kmalloc(size, GFP_KERNEL);
			REQUIRE(p);
			EXPECT(is_clear(p, ksize(p)));
			memset(p, 0xff, ksize(p));
			kfree(p);
			p = kmalloc_aligned(size, 64, GFP_KERNEL);
			REQUIRE(p);
			EXPECT(is_clear(p, ksize(p)));
			memset(p, 0xff, ksize(p));
			kfree(p);
		}
		p = kmalloc(40, GFP_KERNEL);
		EXPECT(is_clear(p, 40));
		memset(p, 0xff, 40);
		p = krealloc(p, 20000, GFP_KERNEL);
		EXPECT(is_clear(p + 48, 20000 - 48));
		kfree(p);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(gate_init_on_alloc)
{
	REQUIRE(start("init_on_alloc=1", false));
	doors();
	EXPECT_GT(array_count(c), 0); /* arrays do their work */
}

TEST(gate_init_on_alloc_in_lock_mode)
{
	REQUIRE(start("init_on_alloc", true));
	doors();
	EXPECT_GT(array_count(c), 0);
}

/* What was freed holds nothing of what was in it. */
static void freed_is_clear(void)
{
	u8 *p = kmem_cache_alloc(c, GFP_KERNEL);
	u8 *other = kmem_cache_alloc(c, GFP_KERNEL);
	u8 *q = ashlar_kmalloc(1000, GFP_KERNEL);
	u8 *r = ashlar_kmalloc(100000, GFP_KERNEL);
	void *both[2] = { p, other };

	memset(p, 0xff, 100);
	kmem_cache_free(c, p);
	EXPECT(is_clear(p, 100));
	p = kmem_cache_alloc(c, GFP_KERNEL);
	both[0] = p;
	memset(p, 0xff, 100);
	memset(other, 0xff, 100);
	kmem_cache_free_bulk(c, 2, both);
	EXPECT(is_clear(p, 100) && is_clear(other, 100));
	memset(q, 0xff, 1000);
	kfree(q);
	EXPECT(is_clear(q, 1000));
	memset(r, 0xff, 100000);
	kfree(r);
	EXPECT(is_clear(r, 100000));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(gate_init_on_free)
{
	REQUIRE(start("init_on_free=1", false));
	freed_is_clear();
	EXPECT_GT(array_count(c), 0);
}

TEST(gate_init_on_free_in_lock_mode)
{
	REQUIRE(start("init_on_free=1", true));
	freed_is_clear();
}

TEST(gate_both)
{
	REQUIRE(start("init_on_free=1;init_on_alloc=1", false));
	doors();
	freed_is_clear();
}

static void construct(void *object)
{
	memset(object, 0x11, 100);
}

TEST(gate_GA1_constructed_objects_stay_so)
{
	struct kmem_cache *made;
	u8 *p;

	REQUIRE(start("init_on_free=1;init_on_alloc=1", false));
	made = kmem_cache_create("made", 100, 0, 0, construct);
	p = kmem_cache_alloc(made, GFP_KERNEL);
	REQUIRE(p);
	EXPECT_EQ(p[99], 0x11);
	kmem_cache_free(made, p);
	EXPECT_EQ(p[0], 0x11);
}

TEST(gate_GA1_poisoned_objects_show_the_poison)
{
	u8 *p;

	REQUIRE(start("init_on_free=1;init_on_alloc=1;slab_debug=P", false));
	p = kmem_cache_alloc(c, GFP_KERNEL);
	REQUIRE(p);
	EXPECT_EQ(p[0], 0x5a);
	kmem_cache_free(c, p);
	EXPECT_EQ(p[0], 0x6b);
	p = kmem_cache_zalloc(c, GFP_KERNEL);
	EXPECT(is_clear(p, 100));
}

TEST(gate_GA1_red_zones_are_not_cleared)
{
	u8 *p;

	REQUIRE(start("init_on_free=1;init_on_alloc=1;slab_debug=FZ", false));
	p = ashlar_kmalloc(50, GFP_KERNEL);
	REQUIRE(p);
	EXPECT(is_clear(p, 50));
	EXPECT_EQ(p[50], 0xcc);
	memset(p, 0xff, 50);
	kfree(p);
	EXPECT(is_clear(p, 50));
	EXPECT_EQ(p[64], 0xbb);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(gate_without_options_nothing_is_cleared)
{
	u8 *p;

	REQUIRE(start(NULL, false));
	p = kmem_cache_alloc(c, GFP_KERNEL);
	REQUIRE(p);
	memset(p, 0xff, 100);
	kmem_cache_free(c, p);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), p);
	EXPECT_EQ(p[50], 0xff);
	EXPECT_EQ(c->pop_offset, c->header_offset);
}
