/* SPDX-License-Identifier: MIT */
/*
 * zoneinfo_case.c - the zones of pages on the console; kernel/boot.py compares their figures
 */
#include "bare_test.h"

TEST(zoneinfo_on_the_console)
{
	ashlar_zoneinfo();
	ashlar_buddyinfo();
	EXPECT_EQ(ashlar_audit(), 0);
}
