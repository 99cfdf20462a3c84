/* SPDX-License-Identifier: MIT */
/*
 * kernels_test.c - which kernels' rseq is trusted on aarch64
 */
#include <stdlib.h>

#include "cache/init.h"
#include "port/linux/linux.h"
#include "tap.h"

TEST(kernels_table)
{
	static const char *const good[] = {
		"5.10.0", "6.1.0-56-arm64", "6.12.94",       "6.18.44",  "6.18.44-rc1",
		"7.0.14", "7.0.15",         "7.0.100+",      "7.2.0",    "7.2-rc1",
		"8.0",    "10.1",           "7.0.14-11-gcp", "7.65535.1"
	};
	static const char *const broken[] = {
		"6.19.0",         "6.19",   "6.19-rc1",         "6.19.14", "6.20", "7.0",
		"7.0.0-1011-gcp", "7.0.13", "7.0.13+deb13-arm", "7.1",     "7.1.5"
	};

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!EXPECT(linux_aarch64_rseq_is_trusted(good[i])))
			tap_note(good[i]);
	for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		if (!EXPECT_FALSE(linux_aarch64_rseq_is_trusted(broken[i])))
			tap_note(broken[i]);
}

TEST(kernels_KN1_unreadable)
{
	static const char *const odd[] = { "",       "linux", ".1",  "v6.1",
					   "6.",     "6.x",   "0.0", "99999999999999999999.1",
					   "6.70000" };

	for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (!EXPECT_FALSE(linux_aarch64_rseq_is_trusted(odd[i])))
			tap_note(odd[i]);
}

/* What is chosen when nothing is asked for. Who knows the kernel says what it has to be. */
TEST(kernels_this_one)
{
	const char *expected = getenv("ASHLAR_EXPECT_PERCPU");

	unsetenv("ASHLAR_OPTIONS");
	REQUIRE(init_ready());
	tap_note(init_facts.percpu);
	tap_note(init_facts.percpu_why);
	if (expected)
		EXPECT_TEXT_EQ(init_facts.percpu, expected);
}
