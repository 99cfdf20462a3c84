/* SPDX-License-Identifier: MIT */
/*
 * memblock_test.c - hostile memory maps: MB1 to MB4, and a model of one byte a page
 */
#include "port/bare/memblock.h"
#include "sim_help.h"

#define PAGE ((uint64_t)1 << PORT_PAGE_SHIFT)
#define MIB ((uint64_t)1 << 20)

static struct memblock m;

static void clear(void)
{
	memset(&m, 0, sizeof(m));
}

TEST(memblock_MB1_unsorted_and_touching)
{
	clear();
	EXPECT(memblock_add(&m, 8 * MIB, MIB, 0));
	EXPECT(memblock_add(&m, 2 * MIB, MIB, 0));
	EXPECT(memblock_add(&m, 7 * MIB, MIB, 0));
	EXPECT(memblock_add(&m, 3 * MIB, 4 * MIB, 1));
	EXPECT(memblock_is_sound(&m));
	EXPECT_EQ(m.memory.count, 3);
	EXPECT_EQ(m.memory.range[1].node, 1);
	EXPECT_EQ(m.memory.range[2].start, 7 * MIB);
	EXPECT_EQ(m.memory.range[2].end, 9 * MIB);
	EXPECT_EQ(memblock_bytes(&m.memory), 7 * MIB);
}

TEST(memblock_MB2_unaligned_memory_goes_in_taken_goes_out)
{
	clear();
	EXPECT(memblock_add(&m, 1, 3 * PAGE, 0));
	EXPECT_EQ(memblock_bytes(&m.memory), 2 * PAGE);
	EXPECT_EQ(m.memory.range[0].start, PAGE);
	memblock_take(&m, 2 * PAGE + 5, 1);
	EXPECT_EQ(m.taken.range[0].start, 2 * PAGE);
	EXPECT_EQ(m.taken.range[0].end, 3 * PAGE);
	memblock_remove(&m, 2 * PAGE - 1, 2);
	EXPECT_EQ(memblock_bytes(&m.memory), 0);
	EXPECT(memblock_is_sound(&m));
}

TEST(memblock_MB2_empty_and_tiny)
{
	clear();
	EXPECT(memblock_add(&m, MIB, 0, 0));
	EXPECT(memblock_add(&m, MIB + 1, PAGE, 0));
	EXPECT(memblock_add(&m, MIB, PAGE - 1, 0));
	EXPECT_EQ(m.memory.count, 0);
	memblock_take(&m, MIB, 0);
	EXPECT_EQ(m.taken.count, 0);
	memblock_remove(&m, 0, 0);
	EXPECT_EQ(memblock_alloc(&m, PAGE, PAGE, 0, UINT64_MAX), MEMBLOCK_NONE);
}

TEST(memblock_huge_and_past_the_end)
{
	clear();
	EXPECT(memblock_add(&m, UINT64_MAX - PAGE, UINT64_MAX, 0));
	EXPECT(memblock_is_sound(&m));
	EXPECT(memblock_add(&m, 0, UINT64_MAX, 0));
	EXPECT_EQ(m.memory.count, 1);
	EXPECT_EQ(m.memory.range[0].end, -PAGE);
	memblock_take(&m, UINT64_MAX, UINT64_MAX);
	memblock_remove(&m, PAGE, UINT64_MAX);
	EXPECT_EQ(memblock_bytes(&m.memory), PAGE);
	EXPECT(memblock_is_sound(&m));
	EXPECT_EQ(memblock_alloc(&m, UINT64_MAX, PAGE, 0, UINT64_MAX), MEMBLOCK_NONE);
}

TEST(memblock_MB3_holes_win_in_any_overlap)
{
	clear();
	memblock_add(&m, 0, 16 * MIB, 0);
	memblock_remove(&m, 4 * MIB, 2 * MIB);
	memblock_remove(&m, 5 * MIB, 2 * MIB);
	memblock_remove(&m, 15 * MIB, 5 * MIB);
	EXPECT_EQ(memblock_bytes(&m.memory), 12 * MIB);
	EXPECT_EQ(m.memory.count, 2);
	EXPECT(memblock_is_sound(&m));
}

TEST(memblock_MB3_full_table_loses_memory_never_invents_it)
{
	clear();
	for (unsigned i = 0; i < MEMBLOCK_RANGES; i++)
		EXPECT(memblock_add(&m, 8 * i * PAGE, 4 * PAGE, 0));
	EXPECT_FALSE(memblock_add(&m, 6 * PAGE, PAGE, 0));
	memblock_remove(&m, PAGE, PAGE); /* the first of four pages may stay, or the last two */
	EXPECT_EQ(m.memory.range[0].start, 2 * PAGE);
	EXPECT_EQ(memblock_bytes(&m.memory), (4 * MEMBLOCK_RANGES - 2) * PAGE);
	EXPECT(memblock_is_sound(&m));
}

TEST(memblock_MB4_full_table_takes_more)
{
	clear();
	memblock_add(&m, 0, MIB * 1024, 0);
	for (unsigned i = 0; i < 3 * MEMBLOCK_RANGES; i++)
		memblock_take(&m, 2 * i * PAGE, PAGE);
	EXPECT(memblock_is_sound(&m));
	for (unsigned i = 0; i < 3 * MEMBLOCK_RANGES; i++) {
		struct memblock_range run;

		EXPECT(!memblock_next(&m, 2 * i * PAGE, (2 * i + 1) * PAGE, &run));
	}
}

TEST(memblock_alloc_top_down_and_aligned)
{
	clear();
	memblock_add(&m, MIB, 3 * MIB, 0);
	memblock_take(&m, 4 * MIB - PAGE, PAGE);
	EXPECT_EQ(memblock_alloc(&m, PAGE, PAGE, 0, UINT64_MAX), 4 * MIB - 2 * PAGE);
	EXPECT_EQ(memblock_alloc(&m, 1, MIB, 0, UINT64_MAX), 3 * MIB);
	EXPECT_EQ(memblock_alloc(&m, PAGE, PAGE, 0, 2 * MIB), 2 * MIB - PAGE);
	EXPECT_EQ(memblock_alloc(&m, 2 * MIB, PAGE, 0, UINT64_MAX), MEMBLOCK_NONE);
	EXPECT_EQ(memblock_free_bytes(&m), 3 * MIB - 4 * PAGE);
}

TEST(memblock_set_node_splits_ranges)
{
	clear();
	memblock_add(&m, 0, 8 * MIB, 0);
	memblock_set_node(&m, 2 * MIB, 2 * MIB, 1);
	memblock_set_node(&m, 6 * MIB, 64 * MIB, 1);
	EXPECT_EQ(m.memory.count, 4);
	memblock_set_node(&m, 4 * MIB, 2 * MIB, 1);
	EXPECT_EQ(m.memory.count, 2);
	EXPECT_EQ(memblock_bytes(&m.memory), 8 * MIB);
	EXPECT(memblock_is_sound(&m));
}

/* The model: what each of the first pages is. */
#define MODEL_PAGES 512u
static struct {
	bool memory;
	bool taken;
	uint8_t node;
} model[MODEL_PAGES];

static void model_paint(unsigned what, uint64_t start, uint64_t bytes, unsigned node)
{
	bool inward = what == 0 || what == 2;

	for (unsigned i = 0; i < MODEL_PAGES; i++) {
		uint64_t page = i * PAGE;
		bool in = inward ? page >= start && page + PAGE <= start + bytes :
				   page + PAGE > start && page < start + bytes;

		if (!in || bytes == 0)
			continue;
		if (what == 0) {
			model[i].memory = true;
			model[i].node = (uint8_t)node;
		} else if (what == 1) {
			model[i].memory = false;
		} else if (what == 2 && model[i].memory) {
			model[i].node = (uint8_t)node;
		} else if (what == 3) {
			model[i].taken = true;
		}
	}
}

static bool model_agrees(void)
{
	for (unsigned i = 0; i < MODEL_PAGES; i++) {
		struct memblock_range run;
		bool free = memblock_next(&m, i * PAGE, (i + 1) * PAGE, &run);

		if (free != (model[i].memory && !model[i].taken) ||
		    (free && run.node != model[i].node))
			return EXPECT_EQ(i, UINT32_MAX);
	}
	return EXPECT(memblock_is_sound(&m));
}

static void model_round(uint64_t *random)
{
	clear();
	memset(model, 0, sizeof(model));
	for (unsigned step = 0; step < 40; step++) {
		uint64_t start = help_random(random) % (MODEL_PAGES * PAGE);
		uint64_t bytes = help_random(random) % (MODEL_PAGES * PAGE - start) >>
				 help_random(random) % 8;
		unsigned what = (unsigned)(help_random(random) % 4);
		unsigned node = (unsigned)(help_random(random) % 3);

		if (help_random(random) % 4 == 0) {
			start &= ~(PAGE - 1);
			bytes &= ~(PAGE - 1);
		}
		if (what == 0)
			memblock_add(&m, start, bytes, node);
		else if (what == 1)
			memblock_remove(&m, start, bytes);
		else if (what == 2)
			memblock_set_node(&m, start, bytes, node);
		else
			memblock_take(&m, start, bytes);
		model_paint(what, start, bytes, node);
	}
}

TEST(memblock_random_maps_equal_a_model)
{
	uint64_t random = help_setting("ASHLAR_SEED", 1);

	tap_note_number("ASHLAR_SEED", random);
	for (unsigned round = 0; round < 200 * help_effort(); round++) {
		model_round(&random);
		REQUIRE(model_agrees());
	}
}
