/* SPDX-License-Identifier: MIT */
/*
 * guard_refused_test.c - a home that cannot close a page says so, and guards nothing
 */
#include "guard_help.h"

TEST(guard_refused_where_pages_cannot_be_closed)
{
	void *p;

	REQUIRE(setup_guard("guard=1"));
	EXPECT_TEXT_EQ(
		sim.text,
		"ashlar: ASHLAR_OPTIONS(\"guard\"): refused: this home's memory is mapped in "
		"large pages, and no page of them can be closed\n");
	EXPECT_FALSE(guard_is_on());
	EXPECT_EQ(guard_figures()->slots, 0);
	p = alloc();
	EXPECT_NULL(guard_find(p));
	kmem_cache_free(cats, p);
	EXPECT_EQ(ashlar_audit(), 0);
}
