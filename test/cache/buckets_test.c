/* SPDX-License-Identifier: MIT */
/*
 * buckets_test.c - sets of size caches apart from all others
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "sim_help.h"

static const char *cache_name(const void *p)
{
	return cache_node_at(map.ids[map_pfn(p)])->cache->name;
}

TEST(buckets_BU1_apart_from_all_others)
{
	kmem_buckets *a;
	kmem_buckets *b;
	void *p;
	void *q;

	sim_reset();
	sim.options = "slab_merge";
	REQUIRE(init_ready());
	a = kmem_buckets_create("memdup_user", 0, 0, 0, NULL);
	b = kmem_buckets_create("msg_msg", 0, 0, 0, NULL);
	REQUIRE(a && b);
	for (unsigned class = 0; class < CONFIG_KMALLOC_CLASSES; class ++) {
		size_t size = kmalloc_class_size(class);

		p = kmem_buckets_alloc(a, size, GFP_KERNEL);
		q = kmem_buckets_alloc(b, size - 1, GFP_KERNEL);
		REQUIRE(p && q);
		EXPECT_EQ(ksize(p), size);
		EXPECT_EQ((uintptr_t)p % (size & -size), 0);
		EXPECT_NE(map.ids[map_pfn(p)], map.ids[map_pfn(q)]);
		EXPECT_NE(map.ids[map_pfn(p)], kmalloc_table[(size - 1) / 16]);
		kfree(p);
		kfree(q);
	}
	p = kmem_buckets_alloc(a, 1300, GFP_KERNEL | __GFP_ZERO);
	EXPECT_TEXT_EQ(cache_name(p), "memdup_user-1408");
	EXPECT_EQ(*(char *)p, 0);
	kfree(p);
	p = kmem_buckets_valloc(b, 2048, GFP_KERNEL);
	EXPECT_TEXT_EQ(cache_name(p), "msg_msg-2k");
	kvfree(p);
	kmem_buckets_destroy(a);
	kmem_buckets_destroy(b);
	kmem_buckets_destroy(NULL);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}
