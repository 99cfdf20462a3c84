/* SPDX-License-Identifier: MIT */
/*
 * map_test.c - kernel/x86_64/map.c: a PC's memory map, and how far the direct map reaches
 */
#include "ashlar/bare.h"
#include "firmware.h"
#include "tap.h"
#include "x86_64/map.h"

#define GIB (UINT64_C(1) << 30)

TEST(map_what_is_no_memory_is_painted_last)
{
	static const struct map_entry map[] = { { 0x1000, 0x1000, 2, 0 }, { 0, GIB, 1, 0 } };

	firmware_reset();
	map_read(map, 2);
	EXPECT_EQ(firmware.calls, 2);
	EXPECT_EQ(firmware.call[0].what, 'm');
	EXPECT(firmware_has('m', 0, GIB, 0));
	EXPECT(firmware_has('h', 0x1000, 0x1000, 0));
}

TEST(map_ends_at_4_gib_at_least)
{
	firmware_reset();
	EXPECT_EQ(map_end(), 4 * GIB);
	firmware.ranges = 1;
	firmware.range[0].bytes = GIB;
	EXPECT_EQ(map_end(), 4 * GIB);
	firmware.range[0].bytes = 9 * GIB;
	EXPECT_EQ(map_end(), 9 * GIB);
	EXPECT_TEXT_EQ(firmware.console, "");
}

TEST(map_memory_to_512_gib_is_used)
{
	firmware_reset();
	firmware.ranges = 1;
	firmware.range[0].bytes = MAP_DIRECT_BYTES;
	EXPECT_EQ(map_end(), MAP_DIRECT_BYTES);
	EXPECT_TEXT_EQ(firmware.console, "");
}

TEST(map_memory_above_512_gib_is_not_used_and_said)
{
	firmware_reset();
	firmware.ranges = 2;
	firmware.range[0].bytes = MAP_DIRECT_BYTES + GIB;
	firmware.range[1].start = 1000 * GIB;
	firmware.range[1].bytes = GIB;
	EXPECT_EQ(map_end(), MAP_DIRECT_BYTES);
	EXPECT_EQ(ashlar_boot_total(), MAP_DIRECT_BYTES);
	EXPECT_TEXT_EQ(firmware.console, "memory above 512 GiB is not used\n");
}
