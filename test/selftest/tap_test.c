/* SPDX-License-Identifier: MIT */
/*
 * tap_test.c - the harness itself: each macro where it holds; front.sh shows that they can fail
 */
#include "tap.h"

static unsigned touched;

TEST(tap_a_case_may_leave_traces)
{
	EXPECT_EQ(touched, 0);
	touched = 1;
}

TEST(tap_the_next_starts_clean)
{
	if (!tap_apart)
		SKIP("this home runs all cases in one place");
	EXPECT_EQ(touched, 0);
}

TEST(tap_settings_come_from_the_home)
{
	EXPECT_NULL(tap_setting("ASHLAR_NO_SUCH_SETTING"));
}

TEST(tap_expectations_hold)
{
	int x = 0;

	EXPECT(true);
	EXPECT_TRUE(x == 0);
	EXPECT_FALSE(x == 1);
	EXPECT_EQ(-1, (long)-1);
	EXPECT_NE(1, 2);
	EXPECT_LT(-1, 0);
	EXPECT_LE(SIZE_MAX, SIZE_MAX);
	EXPECT_GT(1, 0);
	EXPECT_GE(1, 1);
	EXPECT_PTR_EQ(&x, &x);
	EXPECT_PTR_NE(&x, NULL);
	EXPECT_NULL(NULL);
	EXPECT_NOT_NULL(&x);
	EXPECT_TEXT_EQ("ab", "ab");
	REQUIRE(x == 0);
}

TEST(tap_arguments_are_evaluated_once)
{
	int n = 0;

	EXPECT_EQ(n++, 0);
	EXPECT_GT(++n, 1);
	EXPECT_NE(n--, 0);
	EXPECT(n++ == 1);
	EXPECT_EQ(n, 2);
}

TEST(tap_skips_with_a_reason)
{
	SKIP("to show that it can");
}
