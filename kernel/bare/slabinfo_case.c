/* SPDX-License-Identifier: MIT */
/*
 * slabinfo_case.c - the caches on the console, and what the boot line has said about them
 *
 * What    kernel/boot.py parses the text as slabinfo 2.1 and compares one cache with what this
 *         case says of it.
 */
#include "bare_test.h"

#define HELD 700u

TEST(slabinfo_on_the_console)
{
	static void *held[HELD];
	struct kmem_cache *c = kmem_cache_create("with space", 200, 0, 0, NULL);

	REQUIRE(c != NULL);
	for (unsigned i = 0; i < HELD; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	ashlar_slabinfo();
	tap_note_number("objects of with_space in use at least", HELD);
	for (unsigned i = 0; i < HELD; i++)
		kmem_cache_free(c, held[i]);
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
}
