/* SPDX-License-Identifier: MIT */
/*
 * holes_test.c - when free pages inside used slabs are due to go back, and what waves teach (E7)
 */
#include "engine/engine.h"
#include "sim_help.h"

#define ID ((u32)7 * 16)
#define OBJECTS 4096u /* of 1 KiB */
#define BATCH 64u

static struct kmem_cache_node n;
static struct shape shape;
static void *held[OBJECTS];

static bool setup(void)
{
	page_drain();
	sim_reset();
	if (!page_init(sim.arena_bytes, sim.cpus, PAGE_SIZE) || !shape_choose(&shape, 1024, 16))
		return false;
	slab_node_init(&n, NULL, &shape, 0, ID);
	n.free_limit = SIZE_MAX; /* slabs stay */
	return true;
}

static bool grow(void)
{
	bool zero;
	struct page *head = page_alloc(shape.order, GFP_KERNEL, 0, &zero);

	return head && slab_prepare(&n, head, NULL) && slab_adopt(&n, head, NULL, 0) == 0;
}

/* held[@from ..] up to @to are objects. */
static bool take(unsigned from, unsigned to)
{
	while (from < to) {
		unsigned want = (unsigned)size_min(to - from, BATCH);
		unsigned got = slab_take(&n, held + from + want, want);

		/* what there is lies at the end of the room */
		if (got < want && got)
			memmove(held + from, held + from + want - got, got * sizeof(held[0]));
		from += got;
		if (!got && !grow())
			return false;
	}
	return true;
}

/* They go back, the newest first. How often pages inside slabs were due. */
static unsigned put(unsigned from, unsigned to)
{
	struct list emptied;
	unsigned due = 0;

	list_init(&emptied);
	while (to > from) {
		unsigned count = (unsigned)size_min(to - from, BATCH);

		to -= count;
		if (slab_put(&n, held + to, count, &emptied)) {
			due++;
			slab_discard(&n);
		}
	}
	EXPECT(list_is_empty(&emptied));
	return due;
}

TEST(holes_are_due_when_much_lies_idle)
{
	PAGES_ARE_MANY();
	REQUIRE(setup());
	REQUIRE(take(0, OBJECTS));
	EXPECT_EQ(put(OBJECTS - 1024, OBJECTS), 0); /* a third of what is in use */
	EXPECT_GT(put(1, OBJECTS - 1024), 0);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(holes_of_waves_are_learned)
{
	unsigned first;

	PAGES_ARE_MANY();
	REQUIRE(setup());
	REQUIRE(take(0, OBJECTS));
	first = put(1, OBJECTS);
	EXPECT_GT(first, 0);
	for (unsigned wave = 0; wave < 8; wave++) {
		REQUIRE(take(1, OBJECTS));
		put(1, OBJECTS);
	}
	REQUIRE(take(1, OBJECTS));
	EXPECT_LT(put(1, OBJECTS), first);
	EXPECT_GT(n.learned, 0);
	EXPECT_LE(n.learned, n.slabs_peak * shape.objects);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(holes_are_not_learned_from_who_needs_no_more)
{
	PAGES_ARE_MANY();
	REQUIRE(setup());
	REQUIRE(take(0, OBJECTS));
	EXPECT_GT(put(64, OBJECTS), 0);
	for (unsigned round = 0; round < 1000; round++) {
		put(0, 64);
		REQUIRE(take(0, 64));
	}
	put(0, 64);
	EXPECT_EQ(n.learned, 0);
}

/* Each discard takes a part off what was learned. */
TEST(holes_learned_are_forgotten)
{
	PAGES_ARE_MANY();
	REQUIRE(setup());
	REQUIRE(take(0, OBJECTS));
	n.learned = 100;
	EXPECT_GT(put(1, OBJECTS), 0);
	EXPECT_LT(n.learned, 100);
}
