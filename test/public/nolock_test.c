/* SPDX-License-Identifier: MIT */
/*
 * nolock_test.c - kmalloc_nolock and kfree_nolock where nobody holds a lock
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "start_help.h"

TEST(nolock_sizes_and_flags)
{
	char *p;

	REQUIRE(setup());
	EXPECT_PTR_EQ(kmalloc_nolock(0, 0, -1), ZERO_SIZE_PTR);
	EXPECT_NULL(kmalloc_nolock(32769, 0, -1)); /* NL3 */
	for (size_t size = 1; size <= 32768; size += 37) {
		kfree(ashlar_kmalloc(size, GFP_KERNEL)); /* so that there is some */
		p = kmalloc_nolock(size, __GFP_ZERO | __GFP_NOWARN, -1);
		REQUIRE(p != NULL);
		EXPECT_GE(ksize(p), size);
		for (size_t i = 0; i < size; i++)
			REQUIRE(p[i] == 0);
		memset(p, 1, size);
		kfree_nolock(p);
	}
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_NULL(kmalloc_nolock(64, GFP_KERNEL, -1));
	EXPECT(help_said("kmalloc_nolock(): refused: only __GFP_ZERO"));
	help_clear();
	EXPECT_NULL(kmalloc_nolock(64, __GFP_ACCOUNT, -1));
	EXPECT(help_said("refused"));
	EXPECT_NULL(kmalloc_nolock(64, __GFP_THISNODE, 5));
	p = kmalloc_nolock(64, 0, 5); /* no such node: any */
	EXPECT_NOT_NULL(p);
	kfree(p); /* the ordinary free takes it back, too */
	kfree_nolock(NULL);
	kfree_nolock(ZERO_SIZE_PTR);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(nolock_before_the_start_there_is_nothing)
{
	sim_reset();
	EXPECT_NULL(kmalloc_nolock(64, 0, -1));
	EXPECT_FALSE(init_begun());
	EXPECT_NOT_NULL(kmalloc(64, GFP_KERNEL));
	EXPECT_NOT_NULL(kmalloc_nolock(64, 0, -1));
}

static void *wrong;

static void free_wrong(void)
{
	kfree_nolock(wrong);
	wrong = kmalloc(64, GFP_KERNEL); /* at the latest here */
	ashlar_audit();
}

TEST(nolock_NL2_a_second_free_is_told)
{
	REQUIRE(setup());
	wrong = kmalloc_nolock(64, 0, -1);
	REQUIRE(wrong || (wrong = kmalloc(64, GFP_KERNEL)));
	kfree_nolock(wrong);
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_said("): double free: "));
}

TEST(nolock_NL3_a_large_block_is_told)
{
	REQUIRE(setup());
	wrong = kmalloc(100000, GFP_KERNEL);
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_said("wrong function: this is a large block"));
}

TEST(nolock_what_is_nobodys_is_told)
{
	static char mine[64];

	REQUIRE(setup());
	wrong = mine;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_said("ashlar: kfree_nolock("));
}

TEST(nolock_objects_of_a_cache_come_back)
{
	struct kmem_cache *c;
	void *p[100];

	REQUIRE(setup());
	c = kmem_cache_create("back", 4, 0, 0, NULL);
	REQUIRE(c != NULL);
	for (unsigned i = 0; i < 100; i++)
		EXPECT_NOT_NULL(p[i] = kmem_cache_alloc(c, GFP_KERNEL));
	for (unsigned i = 0; i < 100; i++)
		kfree_nolock(p[i]);
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_destroy(c); /* tells of objects that are in use */
	EXPECT_TEXT_EQ(sim.text, "");
}
