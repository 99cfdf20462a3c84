/* SPDX-License-Identifier: MIT */
/*
 * report_test.c - what is said on slob is said to the end, however long names are
 */
#include <string.h>

#include "slob_help.h"

static char *wrong;
static char long_name[2000];

static void free_wrong(void)
{
	kmem_cache_free_bulk(NULL, 1, (void *[]){ wrong });
}

static bool ends_with(const char *what)
{
	size_t all = strlen(sim.text);
	size_t length = strlen(what);

	return all >= length && strcmp(sim.text + all - length, what) == 0;
}

TEST(report_of_a_long_name_has_its_last_line)
{
	struct kmem_cache *c;

	REQUIRE(slob_setup());
	c = kmem_cache_create("a-cache-with-a-name-of-31-chars", 3000, 0, 0, NULL);
	REQUIRE(c != NULL);
	wrong = (char *)kmem_cache_alloc(c, GFP_KERNEL) + 1048;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_said("1048 bytes inside a block that starts at "));
	EXPECT(ends_with("\n  object   a-cache-with-a-name-of-31-chars, 3000 bytes\n"));
}

/* The name is cut, not the reason. */
TEST(report_of_a_refusal_has_its_reason)
{
	REQUIRE(slob_setup());
	for (size_t length = 1; length < sizeof(long_name); length += length / 8 + 1) {
		memset(long_name, 'x', length);
		help_clear();
		EXPECT_NULL(kmem_cache_create(long_name, 0, 0, 0, NULL));
		EXPECT(help_said("ashlar: kmem_cache_create(\"x"));
		EXPECT(ends_with("x\"): refused: the size is 0\n"));
	}
}
