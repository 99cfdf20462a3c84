/* SPDX-License-Identifier: MIT */
/*
 * memory_case.c - all memory of the map is found, can be had, and comes back
 */
#include "bare_test.h"
#include "base/base.h"
#include "cache/stat.h"

/* What firmware keeps of -m, at most. */
#define FIRMWARE_KIB 1024u

TEST(memory_sum_is_what_the_machine_has)
{
	uint64_t ram = setting_number("ram", 0);
	uint64_t found = ashlar_boot_total() >> 10;

	if (!ram)
		SKIP("no ram= on the boot line");
	tap_note_number("KiB that firmware keeps", ram - found);
	EXPECT_LE(found, ram);
	EXPECT_LE(ram - found, FIRMWARE_KIB);
}

/* The pages that the library's tables are mapped by, and its own. */
TEST(memory_pages_are_the_mmus)
{
	tap_note_number("KiB of a page", PAGE_BYTES >> 10);
	EXPECT_EQ(vm_granule(), VM_PAGE);
	EXPECT_EQ(PAGE_BYTES % vm_granule(), 0);
	EXPECT_EQ((size_t)1 << ASHLAR_PAGE_SHIFT, PAGE_BYTES);
	EXPECT_EQ(PAGE_BYTES << ASHLAR_MAX_ORDER, 8 * MIB);
}

/* A block that the test holds, in its own first words. */
struct block {
	struct block *next;
	struct block *self;
	unsigned order;
};

/* All memory, in blocks of at most @order: of a large machine not every page is touched. */
static struct block *take_all(unsigned order, size_t *pages)
{
	struct block *list = NULL;

	*pages = 0;
	for (unsigned o = order + 1; o-- > 0;) {
		struct block *b;

		while ((b = (void *)__get_free_pages(GFP_KERNEL | __GFP_MEMALLOC, o))) {
			*b = (struct block){ list, b, o };
			((void **)b)[(PAGE_BYTES << o) / sizeof(void *) - 1] = b;
			list = b;
			*pages += (size_t)1 << o;
		}
	}
	return list;
}

/* Each block is still what it was: nobody else has it, and it is real memory. */
static size_t give_all(struct block *list)
{
	size_t wrong = 0;

	while (list) {
		struct block *b = list;

		list = b->next;
		wrong += b->self != b ||
			 ((void **)b)[(PAGE_BYTES << b->order) / sizeof(void *) - 1] != b;
		free_pages((unsigned long)b, b->order);
	}
	return wrong;
}

TEST(memory_all_of_it_can_be_had_twice)
{
	unsigned order = ashlar_boot_total() > 512 * MIB ? 8 : 0;
	size_t first;
	size_t second;
	struct block *list = take_all(order, &first);
	struct stat_sum s;

	stat_sum(&s);
	tap_note_number("pages handed out", first);
	tap_note_number("pages online", s.online_bytes / PAGE_BYTES);
	tap_note_number("KiB never handed out (image, tables)",
			(ashlar_boot_total() - s.online_bytes) >> 10);
	/* The last section may be too small for its own tables. */
	EXPECT_LE(ashlar_boot_free(), 16 * PAGE_BYTES);
	EXPECT_EQ(give_all(list), 0);
	list = take_all(order, &second);
	EXPECT_EQ(second, first);
	EXPECT_EQ(give_all(list), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	/* At most an eighth goes to descriptors, ids, states, page tables and the image. */
	EXPECT_GE(first * PAGE_BYTES, ashlar_boot_total() / 8 * 7 - 4 * MIB);
}

TEST(memory_addresses_go_there_and_back)
{
	void *p = kmalloc(100, GFP_KERNEL);
	struct page *page = virt_to_page(p);

	REQUIRE(p != NULL);
	EXPECT_PTR_EQ(ashlar_phys_to_virt(ashlar_virt_to_phys(p)), p);
	EXPECT_NOT_NULL(page);
	EXPECT_LT(ashlar_virt_to_phys(p), (uint64_t)1 << 48);
	kfree(p);
}

/* What @gfp gives lies below @end; where no such memory was declared there is none. */
static void below(gfp_t gfp, uint64_t end)
{
	struct page *page = alloc_pages(GFP_KERNEL | gfp, 2);
	void *p = gfp & __GFP_DMA ? ashlar_kmalloc(300, GFP_KERNEL | gfp) : NULL;

	EXPECT_EQ(page != NULL, end != 0);
	EXPECT_EQ(p != NULL, end != 0 && (gfp & __GFP_DMA) != 0);
	if (page)
		EXPECT_LE(ashlar_virt_to_phys(page_address(page)) + 4 * PAGE_BYTES, end);
	if (p)
		EXPECT_LE(ashlar_virt_to_phys(p) + 300, end);
	__free_pages(page, 2);
	kfree(p);
}

TEST(memory_that_devices_reach)
{
	below(__GFP_DMA, KERNEL_DMA_END);
	below(__GFP_DMA32, (uint64_t)4 << 30);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(memory_blocks_of_each_order)
{
	for (unsigned order = 0; order <= PORT_MAX_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);

		if (!page)
			continue; /* a small machine has no such block in one piece */
		EXPECT_EQ((uintptr_t)page_address(page) & ((PAGE_BYTES << order) - 1), 0);
		EXPECT_EQ(*(char *)page_address(page), 0);
		__free_pages(page, order);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}
