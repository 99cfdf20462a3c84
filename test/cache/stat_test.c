/* SPDX-License-Identifier: MIT */
/*
 * stat_test.c - whose an object is, for the sums
 */
#include "cache/cache.h"
#include "cache/stat.h"
#include "start_help.h"

/* What a program has is its own, whatever the cache's name; descriptors are not. */
TEST(stat_used_is_the_programs)
{
	static const char *const names[] = { "ashlar-of-mine", "kmem_cache", "kmem_cache_node" };
	struct kmem_cache *caches[ARRAY_SIZE(names)];
	struct stat_sum before;
	struct stat_sum after;

	REQUIRE(setup());
	stat_sum(&before);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		REQUIRE((caches[i] = kmem_cache_create(names[i], 64, 0, SLAB_NO_MERGE, NULL)));
	stat_sum(&after);
	EXPECT_EQ(after.used_bytes, before.used_bytes);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		REQUIRE(kmem_cache_alloc(caches[i], GFP_KERNEL));
	stat_sum(&after);
	EXPECT_EQ(after.used_bytes, before.used_bytes + 64 * ARRAY_SIZE(names));
}
