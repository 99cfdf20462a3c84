/* SPDX-License-Identifier: MIT */
/*
 * letters_test.c - LT1 and LT2: which block of slab_debug= holds for which cache
 */
#include "ashlar/debug.h"
#include "base/text.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/letters.h"
#include "cache/option.h"
#include "sim_help.h"

#define FZPU (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

static bool match(const char *pattern, const char *name)
{
	size_t n = 0;

	while (pattern[n])
		n++;
	return letters_match(pattern, n, name);
}

TEST(letters_globs)
{
	EXPECT(match("kmalloc-64", "kmalloc-64"));
	EXPECT(!match("kmalloc-64", "kmalloc-640"));
	EXPECT(!match("kmalloc-64", "kmalloc-6"));
	EXPECT(match("kmalloc-*", "kmalloc-"));
	EXPECT(match("kmalloc-*", "kmalloc-64"));
	EXPECT(match("*-64", "kmalloc-64"));
	EXPECT(match("*-64", "a-64-64"));
	EXPECT(!match("*-64", "a-64-6"));
	EXPECT(match("k*c-?4", "kmalloc-64"));
	EXPECT(!match("?", ""));
	EXPECT(match("*", ""));
	EXPECT(match("a**b", "ab"));
	EXPECT(match("*a*b*c*", "xaybzcw"));
	EXPECT(!match("*a*b*c", "xaybzcw"));
}

TEST(letters_each_has_its_flag)
{
	EXPECT_EQ(letters_flags("F", "x"), SLAB_CONSISTENCY_CHECKS);
	EXPECT_EQ(letters_flags("Z", "x"), SLAB_RED_ZONE);
	EXPECT_EQ(letters_flags("P", "x"), SLAB_POISON);
	EXPECT_EQ(letters_flags("U", "x"), SLAB_STORE_USER);
	EXPECT_EQ(letters_flags("T", "x"), SLAB_TRACE);
	EXPECT_EQ(letters_flags("A", "x"), SLAB_FAILSLAB);
	EXPECT_EQ(letters_flags("O", "x"), LETTERS_SAME_ORDER);
	EXPECT_EQ(letters_flags("-", "x"), 0);
	EXPECT_EQ(letters_flags("", "x"), 0);
	EXPECT_EQ(letters_flags("fzpu", "x"), FZPU);
}

TEST(letters_LT1_which_block_holds)
{
	EXPECT_EQ(letters_flags("Z;P", "x"), SLAB_POISON);       /* the last for all */
	EXPECT_EQ(letters_flags("Z,a;P,a", "a"), SLAB_RED_ZONE); /* the first for one */
	EXPECT_EQ(letters_flags("Z,a;P,a", "b"), 0);
	EXPECT_EQ(letters_flags("P;Z,a*,b", "abc"), SLAB_RED_ZONE);
	EXPECT_EQ(letters_flags("P;Z,a*,b", "b"), SLAB_RED_ZONE);
	EXPECT_EQ(letters_flags("P;Z,a*,b", "c"), SLAB_POISON);
	EXPECT_EQ(letters_flags("FZ;-,kmalloc-*", "kmalloc-64"), 0);
	EXPECT_EQ(letters_flags(",a", "a"), FZPU);
	EXPECT_EQ(letters_flags("Z,", "a"), 0); /* a list with nobody on it */
	EXPECT_EQ(letters_any("Z,a;P,b;;U"), SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER |
						     FZPU); /* an empty block is FZPU */
}

static const char *debug_after(const char *text)
{
	options.slab_debug[0] = '\0';
	help_clear();
	option_read(text, false);
	return options.slab_debug;
}

TEST(letters_as_an_option)
{
	EXPECT_TEXT_EQ(debug_after("slab_debug"), "FZPU");
	EXPECT_TEXT_EQ(debug_after("slab_debug="), "FZPU");
	EXPECT_TEXT_EQ(debug_after("slab_debug=FZ,kmalloc-*;audit=1"), "FZ,kmalloc-*");
	EXPECT_TEXT_EQ(debug_after("slab_debug=FZ,a;P,b;,c;-,d;audit=1"), "FZ,a;P,b;,c;-,d");
	EXPECT_TEXT_EQ(debug_after("slab_debug=F;audit=1;slab_debug=Z,x"), "F;Z,x");
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_TEXT_EQ(debug_after("slab_debug=Q"), "");
	EXPECT_TEXT_EQ(sim.text, "ashlar: ASHLAR_OPTIONS: bad value in 'slab_debug=Q', ignored\n");
	EXPECT_TEXT_EQ(debug_after("slab_debug=F;FQ,a;Z,b"), "F;Z,b");
	EXPECT_TEXT_EQ(sim.text, "ashlar: ASHLAR_OPTIONS: bad value in 'FQ,a', ignored\n");
	EXPECT_TEXT_EQ(debug_after("audit=1;FZ,a"), "");
	EXPECT_TEXT_EQ(sim.text, "ashlar: ASHLAR_OPTIONS: unknown option 'FZ,a', ignored\n");
	options.slab_debug[0] = '\0';
	help_clear();
	option_read("slab_debug=FZ;P,b", true); /* it prints what others should not see */
	EXPECT_TEXT_EQ(options.slab_debug, "");
	EXPECT_TEXT_EQ(sim.text, "");
}

static u32 flags_of(const char *name)
{
	size_t length = 0;

	while (name[length])
		length++;
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		const struct kmem_cache_node *n = map_ids[id].node;

		if (n && text_equals(name, length, n->cache->name))
			return n->cache->debug.flags;
	}
	return 1;
}

TEST(letters_while_the_program_runs)
{
	struct kmem_cache *cats;
	void *cat;

	sim_reset();
	REQUIRE(init_ready());
	cats = kmem_cache_create("cats", 100, 0, 0, NULL);
	REQUIRE(cats && kmem_cache_create("dogs", 100, 0, 0, NULL));
	REQUIRE(kmem_cache_create("owls", 100, 0, SLAB_RED_ZONE, NULL));
	EXPECT_EQ(ashlar_slab_debug("F,cats;ZT,d*,o*"), 0);
	EXPECT_EQ(flags_of("cats"), SLAB_CONSISTENCY_CHECKS);
	EXPECT_EQ(flags_of("dogs"), SLAB_RED_ZONE | SLAB_TRACE);
	EXPECT_EQ(flags_of("owls"), SLAB_RED_ZONE | SLAB_TRACE);
	EXPECT_EQ(flags_of("kmalloc-64"), 0);
	REQUIRE(kmem_cache_create("deer", 100, 0, 0, NULL));
	EXPECT_EQ(flags_of("deer"), SLAB_RED_ZONE | SLAB_TRACE);
	EXPECT_EQ(ashlar_slab_debug("Q,cats"), -22); /* nothing changes */
	EXPECT_EQ(flags_of("cats"), SLAB_CONSISTENCY_CHECKS);
	EXPECT_EQ(ashlar_slab_debug("P"), 0);
	EXPECT_EQ(flags_of("cats"), SLAB_POISON);
	EXPECT_EQ(flags_of("owls"), SLAB_RED_ZONE | SLAB_POISON);
	EXPECT_EQ(flags_of("kmalloc-64"), SLAB_POISON);
	EXPECT_EQ(flags_of("kmem_cache"), 0);
	cat = kmem_cache_alloc(cats, GFP_KERNEL);
	EXPECT_EQ(ashlar_slab_debug(NULL), -16);
	EXPECT_EQ(flags_of("cats"), SLAB_POISON);
	EXPECT_EQ(flags_of("dogs"), 0);
	EXPECT_EQ(flags_of("owls"), SLAB_RED_ZONE);
	kmem_cache_free(cats, cat);
	EXPECT_EQ(ashlar_slab_debug(""), 0);
	EXPECT_EQ(flags_of("cats"), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(letters_A_while_the_program_runs)
{
	struct kmem_cache *cats;
	struct kmem_cache *dogs;

	sim_reset();
	REQUIRE(init_ready());
	cats = kmem_cache_create("cats", 100, 0, 0, NULL);
	dogs = kmem_cache_create("dogs", 100, 0, 0, NULL);
	REQUIRE(cats && dogs);
	EXPECT_EQ(ashlar_failslab("1,100,0,-1"), 0);
	EXPECT_NULL(kmem_cache_alloc(dogs, GFP_KERNEL));
	EXPECT_EQ(ashlar_slab_debug("A,cats"), 0);
	EXPECT_NULL(kmem_cache_alloc(cats, GFP_KERNEL));
	EXPECT_NOT_NULL(kmem_cache_alloc(dogs, GFP_KERNEL));
	EXPECT_EQ(ashlar_slab_debug(NULL), 0);
	EXPECT_NULL(kmem_cache_alloc(dogs, GFP_KERNEL));
	EXPECT_EQ(ashlar_failslab(NULL), 0);
	EXPECT_NOT_NULL(kmem_cache_alloc(cats, GFP_KERNEL));
}
