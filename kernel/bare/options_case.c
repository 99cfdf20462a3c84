/* SPDX-License-Identifier: MIT */
/*
 * options_case.c - options of the boot line have their effect, and none without them
 *
 * What    Each case looks at what the library does, and expects the option's effect iff the boot
 *         line has it: so it runs on machines with and without. kernel/boot.py looks for what the
 *         console says of options that do not exist.
 * Boot    options= with random_seq=1 init_on_alloc=1 init_on_free=1 slab_merge=1
 *         failslab=2,100,0,-1,fails* or with fail_nth=3000
 */
#include "bare_test.h"

#define OBJECTS 64u
#define BYTES 488u
#define CALLS 4000u
#define DIRT 0x5a

/* Is @option one of those in options=? */
static bool asked(const char *option)
{
	const char *at = setting("options");

	while (at && *at) {
		size_t n = 0;

		while (option[n] && at[n] == option[n])
			n++;
		if (!option[n] && (at[n] == '\0' || at[n] == ';'))
			return true;
		while (*at && *at++ != ';')
			continue;
	}
	return false;
}

/* Watched objects are filled with patterns, and no cache of theirs is merged. */
static bool watched(void)
{
	const char *options = setting("options");

	return options && memcmp(options, "slab_debug", 10) == 0;
}

static bool is_all(const volatile unsigned char *p, unsigned char byte)
{
	for (unsigned i = 0; i < BYTES; i++)
		if (p[i] != byte)
			return false;
	return true;
}

/* Most objects of a fresh cache lie beside the one before, or most do not. */
TEST(options_random_seq)
{
	struct kmem_cache *c = kmem_cache_create("in order", 256, 0, SLAB_NO_MERGE, NULL);
	uintptr_t object[OBJECTS];
	unsigned beside = 0;

	REQUIRE(c != NULL && !watched());
	for (unsigned i = 0; i < OBJECTS; i++) {
		object[i] = (uintptr_t)kmem_cache_alloc(c, GFP_KERNEL);
		REQUIRE(object[i] != 0);
		if (i)
			beside += object[i] == object[i - 1] + 256 ||
				  object[i] + 256 == object[i - 1];
	}
	tap_note_number("objects that lie beside the one before, of 63", beside);
	if (asked("random_seq=1"))
		EXPECT_LE(beside, OBJECTS / 4);
	else
		EXPECT_GE(beside, OBJECTS * 3 / 4);
	for (unsigned i = 0; i < OBJECTS; i++)
		kmem_cache_free(c, (void *)object[i]);
	kmem_cache_destroy(c);
}

/* What somebody has left in it, seen after the free, and by the next who has it. */
TEST(options_init)
{
	struct kmem_cache *c = kmem_cache_create("dirty", BYTES, 0, SLAB_NO_MERGE, NULL);
	bool free_clears = asked("init_on_free=1");
	unsigned char *p = kmem_cache_alloc(c, GFP_KERNEL);
	volatile unsigned char *freed = p;

	REQUIRE(p != NULL && !watched());
	memset(p, DIRT, BYTES);
	kmem_cache_free(c, p);
	EXPECT(is_all(freed, free_clears ? 0 : DIRT));
	memset((void *)(uintptr_t)freed, DIRT, BYTES); /* by a fault, say */
	p = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ((uintptr_t)p, (uintptr_t)freed);
	EXPECT(is_all(p, asked("init_on_alloc=1") ? 0 : DIRT));
	kmem_cache_free(c, p);
	kmem_cache_destroy(c);
}

TEST(options_slab_merge)
{
	struct kmem_cache *one = kmem_cache_create("alike", 440, 0, 0, NULL);
	struct kmem_cache *two = kmem_cache_create("alike too", 440, 0, 0, NULL);

	REQUIRE(one != NULL && two != NULL && !watched());
	EXPECT_EQ(one == two, asked("slab_merge=1"));
	kmem_cache_destroy(two);
	kmem_cache_destroy(one);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* How many of CALLS allocations fail. */
static unsigned failures(const char *name, gfp_t gfp)
{
	struct kmem_cache *c = kmem_cache_create(name, 120, 0, SLAB_NO_MERGE, NULL);
	unsigned failed = 0;

	for (unsigned i = 0; c && i < CALLS; i++) {
		void *p = kmem_cache_alloc(c, gfp);

		failed += !p;
		if (p)
			kmem_cache_free(c, p);
	}
	EXPECT(c != NULL);
	if (c)
		kmem_cache_destroy(c);
	return failed;
}

TEST(options_failslab)
{
	bool fails = asked("failslab=2,100,0,-1,fails*");

	EXPECT_EQ(failures("other", GFP_KERNEL), asked("fail_nth=3000"));
	EXPECT_EQ(failures("fails always", GFP_KERNEL), fails ? CALLS / 2 : 0);
	EXPECT_EQ(failures("fails never", GFP_KERNEL | __GFP_NOFAIL), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}
