/* SPDX-License-Identifier: MIT */
/*
 * initrd_case.c - what the boot loader has put into memory is nobody's
 *
 * Boot    initrd=KIB  there is one of this size: words that count from 0 (kernel/boot.py)
 */
#include "bare_test.h"

TEST(initrd_is_not_handed_out)
{
	size_t words = setting_number("initrd", 0) << 10 >> 2;
	const uint32_t *initrd = ashlar_phys_to_virt(machine.initrd);
	size_t wrong = 0;
	size_t pages = 0;
	void **list = NULL;
	void **p;

	if (!words)
		SKIP("no initrd= on the boot line");
	REQUIRE(machine.initrd != 0);
	for (size_t i = 0; i < words; i++)
		wrong += initrd[i] != i;
	REQUIRE(wrong == 0);
	while ((p = (void **)__get_free_pages(GFP_KERNEL | __GFP_NORETRY, 0))) {
		memset(p, 0xa5, PAGE_BYTES);
		*p = list;
		list = p;
		pages++;
	}
	for (size_t i = 0; i < words; i++)
		wrong += initrd[i] != i;
	tap_note_number("pages taken and written", pages);
	EXPECT_GT(pages, 0);
	EXPECT_EQ(wrong, 0);
	while ((p = list)) {
		list = *p;
		free_pages((unsigned long)p, 0);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}
