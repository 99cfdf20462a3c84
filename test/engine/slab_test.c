/* SPDX-License-Identifier: MIT */
/*
 * slab_test.c - one node of one cache on the page floor: E1 to E6, order, what goes back
 * lint: long - a case for each rule, all on one setup
 */
/* lint: long - one file mirrors slab.c, a case for each rule */
#include "base/bits.h"
#include "engine/engine.h"
#include "sim_help.h"

#define ID ((u32)7 * 16)
#define MANY 8192u

static struct kmem_cache_node n;
static struct shape shape;
static struct list emptied;
static void *held[MANY];

static bool setup(size_t stride)
{
	page_drain(); /* blocks of this case's last setup, which CPUs keep */
	sim_reset();
	list_init(&emptied);
	if (!page_init(sim.arena_bytes, sim.cpus, PAGE_SIZE) || !shape_choose(&shape, stride, 16))
		return false;
	slab_node_init(&n, NULL, &shape, 0, ID);
	n.free_limit = SIZE_MAX;
	return true;
}

/* The head of the slab that @p is in. */
static struct page *head_of(const void *p)
{
	return &map.pages[map_pfn(p) & ~(((size_t)1 << shape.order) - 1)];
}

/* A new slab with up to @count of its objects in held[0 ..], lowest address last. */
static unsigned grow(unsigned count, void (*ctor)(void *))
{
	bool zero;
	struct page *head = page_alloc(shape.order, GFP_KERNEL, 0, &zero);

	if (!head)
		return 0;
	if (!slab_prepare(&n, head, ctor)) {
		page_free(head, shape.order);
		return 0;
	}
	return slab_adopt(&n, head, held + count, count);
}

/* How many slabs lie on a list. */
static size_t length(struct list *list)
{
	struct list *node;
	size_t count = 0;

	list_for_each(node, list)
		count++;
	return count;
}

static void release_emptied(void)
{
	while (!list_is_empty(&emptied)) {
		struct page *head = list_first_entry(&emptied, struct page, link);

		list_remove(&head->link);
		slab_unmake(head);
		page_free(head, head->order);
	}
}

/* Bits that are set in a slab, counted by index. */
static unsigned bits_set(struct page *head)
{
	unsigned set = 0;

	for (unsigned i = 0; i < shape.objects; i++)
		set += head[i / 64 / PAGE_WORDS].bits[i / 64 % PAGE_WORDS] >> (i % 64) & 1;
	return set;
}

static struct slab_object find(const void *p)
{
	struct slab_object o = { .start = NULL };

	EXPECT(slab_find(&n, p, &o));
	return o;
}

TEST(slab_E1_lists_follow_use)
{
	unsigned all;

	REQUIRE(setup(256));
	all = shape.objects;
	REQUIRE(grow(all, NULL) == all);
	EXPECT(list_is_empty(&n.partial)); /* full: on no list */
	EXPECT(list_is_empty(&n.empty));
	EXPECT_EQ(n.slabs, 1);
	EXPECT_EQ(slab_audit(&n), 0);
	slab_put(&n, held, 1, &emptied);
	EXPECT_EQ(length(&n.partial), 1);
	EXPECT_EQ(slab_audit(&n), 0);
	slab_put(&n, held + 1, all - 2, &emptied);
	EXPECT_EQ(length(&n.partial), 1);
	EXPECT_EQ(n.empty_slabs, 0);
	slab_put(&n, held + all - 1, 1, &emptied);
	EXPECT_EQ(length(&n.partial), 0);
	EXPECT_EQ(length(&n.empty), 1);
	EXPECT_EQ(n.empty_slabs, 1);
	EXPECT_EQ(slab_audit(&n), 0);
	EXPECT_EQ(slab_take(&n, held + 5, 5), 5);
	EXPECT_EQ(length(&n.empty), 0);
	EXPECT_EQ(n.empty_slabs, 0);
	EXPECT_EQ(length(&n.partial), 1);
	EXPECT_EQ(slab_audit(&n), 0);
	EXPECT(list_is_empty(&emptied));
}

TEST(slab_E1_order_of_lists)
{
	static void *all[3][300];
	struct page *head[3];

	REQUIRE(setup(256));
	for (unsigned i = 0; i < 3; i++) {
		REQUIRE(grow(shape.objects, NULL) == shape.objects);
		memcpy(all[i], held, shape.objects * sizeof(void *));
		head[i] = head_of(held[0]);
	}
	for (unsigned i = 0; i < 3; i++)
		slab_put(&n, all[i], 10, &emptied);
	/* full slabs go to the tail: the longest-waiting is taken from first */
	EXPECT_PTR_EQ(list_first_entry(&n.partial, struct page, link), head[0]);
	EXPECT_PTR_EQ(list_last_entry(&n.partial, struct page, link), head[2]);
	EXPECT_EQ(slab_take(&n, held + 12, 12), 12);
	EXPECT_PTR_EQ(head_of(held[11]), head[0]);
	EXPECT_PTR_EQ(head_of(held[0]), head[1]);
	EXPECT_EQ(length(&n.partial), 2);
	/* emptied slabs go to the head of empty; the last there is released */
	slab_put(&n, held, 12, &emptied);
	for (unsigned i = 0; i < 3; i++)
		slab_put(&n, all[i] + 10, shape.objects - 10, &emptied);
	EXPECT_PTR_EQ(list_first_entry(&n.empty, struct page, link), head[2]);
	n.free_limit = 2 * shape.objects;
	EXPECT_EQ(slab_take(&n, held + 1, 1), 1);
	slab_put(&n, held, 1, &emptied);
	EXPECT_EQ(length(&emptied), 1);
	EXPECT_PTR_EQ(list_first_entry(&emptied, struct page, link), head[0]);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_E2_bits_and_inuse_make_all)
{
	struct page *head;
	uint64_t seed = 3;
	unsigned have;

	REQUIRE(setup(48));
	have = grow(1, NULL);
	REQUIRE(have == 1);
	head = head_of(held[0]);
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t r = help_random(&seed);
		unsigned count = (unsigned)(r >> 8) % 100;

		if (r & 1) {
			if (have + count <= shape.objects)
				have += slab_take(&n, held + have + count, count);
		} else if (count <= have) {
			slab_put(&n, held + have - count, count, &emptied);
			have -= count;
		}
		REQUIRE(bits_set(head) + head->inuse == shape.objects);
		REQUIRE(head->inuse == have);
		REQUIRE(n.free_objects == shape.objects - have); /* E3 */
		REQUIRE(slab_audit(&n) == 0);
	}
}

TEST(slab_E3_free_objects_of_all_slabs)
{
	size_t got = 0;

	REQUIRE(setup(1024));
	for (unsigned i = 0; i < 4; i++)
		got += grow(10, NULL);
	EXPECT_EQ(got, 40);
	EXPECT_EQ(n.free_objects, 4 * shape.objects - 40);
	EXPECT_EQ(n.slabs, 4);
	EXPECT_EQ(n.grown, 4);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_E4_lowest_address_first)
{
	static const unsigned back[] = { 900, 70, 3, 1200, 64 };

	REQUIRE(setup(48));
	REQUIRE(grow(shape.objects, NULL) == shape.objects);
	for (unsigned i = 1; i < shape.objects; i++)
		REQUIRE((char *)held[i] + 48 == held[i - 1]); /* downwards from the end */
	for (unsigned i = 0; i < ARRAY_SIZE(back); i++)
		slab_put(&n, &held[shape.objects - 1 - back[i]], 1, &emptied);
	EXPECT_EQ(slab_take(&n, held + 3, 3), 3);
	EXPECT_EQ(find(held[2]).index, 3);
	EXPECT_EQ(find(held[1]).index, 64);
	EXPECT_EQ(find(held[0]).index, 70);
	EXPECT_EQ(slab_take(&n, held + 9, 9), 2);
	EXPECT_EQ(find(held[8]).index, 900);
	EXPECT_EQ(find(held[7]).index, 1200);
	EXPECT_EQ(slab_take(&n, held + 9, 9), 0);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_E4_every_index_of_many_strides)
{
	static const size_t strides[] = { 16,  32,  48,  80,        96,   112,  128,   192,   208,
					  320, 448, 640, 1000 * 16, 4096, 5120, 32768, 262144 };

	for (unsigned i = 0; i < ARRAY_SIZE(strides); i++) {
		char *first;

		REQUIRE(setup(strides[i]));
		REQUIRE(grow(shape.objects, NULL) == shape.objects);
		first = held[shape.objects - 1];
		for (unsigned k = 0; k < shape.objects; k++) {
			EXPECT_PTR_EQ(held[shape.objects - 1 - k], first + k * strides[i]);
			EXPECT_EQ(find(first + k * strides[i]).index, k);
		}
		EXPECT_LE((size_t)(first - (char *)map_page_address(head_of(first))) +
				  shape.objects * strides[i],
			  shape_slab_bytes(&shape));
		slab_put(&n, held, shape.objects, &emptied);
		EXPECT_EQ(n.empty_slabs, 1);
		EXPECT_EQ(slab_audit(&n), 0);
	}
}

TEST(slab_E5_above_the_limit_slabs_leave)
{
	unsigned all;

	REQUIRE(setup(2048));
	all = shape.objects;
	for (unsigned i = 0; i < 4; i++) {
		REQUIRE(grow(all, NULL) == all);
		memmove(held + (i + 1) * all, held, all * sizeof(void *));
	}
	n.free_limit = 2 * all;
	slab_put(&n, held + all, 4 * all, &emptied);
	EXPECT_EQ(length(&emptied), 2);
	EXPECT_EQ(n.free_objects, 2 * all);
	EXPECT_EQ(n.slabs, 2);
	EXPECT_EQ(n.empty_slabs, 2);
	EXPECT_EQ(list_first_entry(&emptied, struct page, link)->kind, PAGE_BLOCK);
	EXPECT_EQ(list_first_entry(&emptied, struct page, link)->order, shape.order);
	EXPECT_EQ(slab_audit(&n), 0);
	release_emptied();
	EXPECT_EQ(page_audit(), 0);
}

TEST(slab_E5_used_slabs_stay_above_the_limit)
{
	REQUIRE(setup(2048));
	n.free_limit = 0;
	REQUIRE(grow(shape.objects, NULL) == shape.objects);
	slab_put(&n, held, shape.objects - 1, &emptied);
	EXPECT(list_is_empty(&emptied));
	slab_put(&n, held + shape.objects - 1, 1, &emptied);
	EXPECT_EQ(length(&emptied), 1);
	EXPECT_EQ(n.slabs, 0);
	EXPECT_EQ(slab_audit(&n), 0);
}

static void *shared[64];

static void share(u32 limit)
{
	n.shared = shared;
	n.shared_limit = limit;
}

TEST(slab_E6_shared_objects_count_as_used)
{
	struct page *head;

	REQUIRE(setup(256));
	share(64);
	REQUIRE(grow(200, NULL) == 200);
	head = head_of(held[0]);
	slab_put(&n, held, 50, &emptied);
	EXPECT_EQ(n.shared_avail, 50);
	EXPECT_EQ(head->inuse, 200);
	EXPECT_EQ(n.free_objects, shape.objects - 200);
	EXPECT_EQ(slab_audit(&n), 0);
	slab_put(&n, held + 50, 50, &emptied); /* 14 fit */
	EXPECT_EQ(n.shared_avail, 64);
	EXPECT_EQ(head->inuse, 200 - 36);
	EXPECT_EQ(slab_audit(&n), 0);
}

/* Batches as they come: in any order, of several slabs, with neighbours side by side. */
TEST(slab_put_of_mixed_batches)
{
	uint64_t seed = 11;
	unsigned have = 0;

	REQUIRE(setup(112));
	for (unsigned i = 0; i < 4; i++) {
		REQUIRE(grow(shape.objects, NULL) == shape.objects);
		have += shape.objects;
		REQUIRE(have + shape.objects < MANY);
		memmove(held + shape.objects, held, have * sizeof(void *));
	}
	for (unsigned round = 0; round < 50; round++) {
		unsigned left = have;

		for (unsigned i = have; i-- > 1;) { /* some rounds leave runs in order */
			unsigned k = (unsigned)(help_random(&seed) % (i + 1));
			void *other = held[shape.objects + k];

			if (round % 3 == 0)
				break;
			held[shape.objects + k] = held[shape.objects + i];
			held[shape.objects + i] = other;
		}
		while (left) {
			unsigned count = 1 + (unsigned)(help_random(&seed) % 120);

			count = count < left ? count : left;
			left -= count;
			slab_put(&n, held + shape.objects + left, count, &emptied);
			REQUIRE(slab_audit(&n) == 0);
		}
		REQUIRE(n.free_objects == have && n.empty_slabs == 4);
		while (left < have) {
			left += slab_take(&n, held + shape.objects + have - left, have - left);
			REQUIRE(slab_audit(&n) == 0);
		}
	}
}

/* Runs upwards and downwards, of every length, that begin at every index, to the end of a word, of
 * a slab and beyond: the neighbour of a slab's last object is the first of the next. */
static void put_runs(bool down)
{
	unsigned all = 3 * shape.objects;
	unsigned back;

	for (unsigned i = 0; down && i < all / 2; i++) {
		void *other = held[i];

		held[i] = held[all - 1 - i];
		held[all - 1 - i] = other;
	}
	for (unsigned from = 0; from < all; from += 1 + from % 5)
		for (unsigned count = 1; from + count <= all; count += 1 + count / 2) {
			slab_put(&n, held + from, count, &emptied);
			REQUIRE(slab_audit(&n) == 0 && n.free_objects == count);
			for (unsigned i = from; i < from + count; i++)
				REQUIRE(find(held[i]).free);
			for (back = 0; back < count;)
				back += slab_take(&n, held + MANY - back, count - back);
			REQUIRE(back == count && n.free_objects == 0);
		}
}

TEST(slab_put_of_runs)
{
	static const unsigned strides[] = { 1024, 2048, 240 };

	for (unsigned k = 0; k < 3; k++) {
		REQUIRE(setup(strides[k]));
		for (unsigned i = 0; i < 3; i++) /* upwards: a take writes downwards */
			REQUIRE(grow(shape.objects, NULL) == shape.objects &&
				memcpy(held + (3 + i) * shape.objects, held,
				       shape.objects * sizeof(void *)));
		for (unsigned i = 0; i < 3 * shape.objects; i++) {
			unsigned slab = i / shape.objects;
			unsigned index = i % shape.objects;

			held[i] = held[(3 + slab) * shape.objects + shape.objects - 1 - index];
		}
		put_runs(false);
		put_runs(true);
	}
}

TEST(slab_shared_array_hands_the_newest_batch_on)
{
	REQUIRE(setup(256));
	share(64);
	REQUIRE(grow(100, NULL) == 100);
	slab_put(&n, held, 20, &emptied);
	slab_put(&n, held + 20, 20, &emptied);
	EXPECT_EQ(slab_take(&n, held + 100 + 30, 30), 30);
	EXPECT_EQ(memcmp(held + 100, held + 10, 30 * sizeof(void *)), 0);
	EXPECT_EQ(n.shared_avail, 10);
	EXPECT_EQ(slab_take(&n, held + 100 + 30, 30), 30); /* the last ten, and slab objects */
	EXPECT_EQ(memcmp(held + 120, held, 10 * sizeof(void *)), 0);
	EXPECT_EQ(n.shared_avail, 0);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_shrink_empties_the_shared_array)
{
	REQUIRE(setup(256));
	share(64);
	REQUIRE(grow(60, NULL) == 60);
	slab_put(&n, held, 59, &emptied);
	EXPECT(slab_shrink(&n, &emptied));
	EXPECT_EQ(n.shared_avail, 0);
	EXPECT_EQ(n.free_objects, shape.objects - 1);
	EXPECT(list_is_empty(&emptied));
	EXPECT_EQ(slab_audit(&n), 0);
	slab_put(&n, held + 59, 1, &emptied);
	EXPECT_FALSE(slab_shrink(&n, &emptied));
	EXPECT_EQ(length(&emptied), 1);
	EXPECT_EQ(n.slabs, 0);
	EXPECT_EQ(n.free_objects, 0);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_take_from_nothing)
{
	REQUIRE(setup(64));
	EXPECT_EQ(slab_take(&n, held + 10, 10), 0);
	EXPECT_FALSE(slab_shrink(&n, &emptied));
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_take_across_slabs)
{
	REQUIRE(setup(8192)); /* eight in a slab */
	for (unsigned i = 0; i < 3; i++)
		REQUIRE(grow(0, NULL) == 0);
	EXPECT_EQ(n.free_objects, 24);
	EXPECT_EQ(slab_take(&n, held + 20, 20), 20);
	EXPECT_EQ(n.free_objects, 4);
	EXPECT_EQ(slab_take(&n, held + 20, 20), 4);
	EXPECT_EQ(slab_audit(&n), 0);
}

static size_t constructed;

static void construct(void *p)
{
	constructed++;
	*(size_t *)p = 0xc0de;
}

TEST(slab_constructs_every_object_once)
{
	REQUIRE(setup(96));
	REQUIRE(grow(0, construct) == 0);
	EXPECT_EQ(constructed, shape.objects);
	EXPECT_EQ(slab_take(&n, held + shape.objects, shape.objects), shape.objects);
	for (unsigned i = 0; i < shape.objects; i++)
		REQUIRE(*(size_t *)held[i] == 0xc0de);
	slab_put(&n, held, shape.objects, &emptied);
	slab_take(&n, held + shape.objects, shape.objects);
	EXPECT_EQ(constructed, shape.objects);
}

TEST(slab_colours_go_round)
{
	size_t offsets[8];

	REQUIRE(setup(12288)); /* five in 64 KiB: 4 KiB are left for colours, or another order */
	REQUIRE(shape.colours > 1);
	for (unsigned i = 0; i < shape.colours + 1u && i < 8; i++) {
		struct page *head;

		REQUIRE(grow(1, NULL) == 1);
		head = head_of(held[0]);
		offsets[i] = (size_t)((char *)held[0] - (char *)map_page_address(head));
		EXPECT_EQ(offsets[i], i % shape.colours * shape.colour_off);
		EXPECT_LE(offsets[i], shape.waste_bytes);
		EXPECT_EQ(slab_audit(&n), 0);
	}
}

TEST(slab_find_inside_and_between)
{
	struct slab_object o;
	char *first;

	REQUIRE(setup(12288));
	REQUIRE(grow(0, NULL) == 0);
	REQUIRE(grow(2, NULL) == 2); /* colour 1 */
	first = held[1];
	o = find(first + 12287);
	EXPECT_PTR_EQ(o.start, first);
	EXPECT_EQ(o.index, 0);
	EXPECT_FALSE(o.free);
	o = find(first + 3 * 12288 + 5);
	EXPECT_EQ(o.index, 3);
	EXPECT(o.free);
	EXPECT_FALSE(slab_find(&n, first - 1, &o));
	EXPECT_FALSE(slab_find(&n, first + shape.objects * (size_t)12288, &o));
}

TEST(slab_ids_name_the_cache)
{
	size_t pfn;

	REQUIRE(setup(128));
	REQUIRE(grow(1, NULL) == 1);
	pfn = map_page_pfn(head_of(held[0]));
	for (size_t i = 0; i < (size_t)1 << shape.order; i++)
		EXPECT_EQ(map.ids[pfn + i], ID);
	EXPECT_EQ(head_of(held[0])->kind, PAGE_SLAB);
	EXPECT_PTR_EQ(head_of(held[0])->owner, &n);
}

/* ---- misuse that the engine sees itself ------------------------------------------------ */

static void put_twice(void)
{
	slab_put(&n, held, 1, &emptied);
	slab_put(&n, held, 1, &emptied);
}

TEST(slab_bit_set_twice_ends_the_program)
{
	REQUIRE(setup(64));
	REQUIRE(grow(2, NULL) == 2);
	EXPECT(help_aborts(put_twice));
	EXPECT(help_contains(sim.text, "a free object is put into its slab once"));
}

static void put_run(void)
{
	slab_put(&n, held, 200, &emptied);
}

/* The one that is free already lies in a later word than the run's first. */
TEST(slab_bit_set_twice_in_the_middle_of_a_run)
{
	REQUIRE(setup(64));
	REQUIRE(grow(200, NULL) == 200);
	slab_put(&n, held + 60, 1, &emptied);
	EXPECT(help_aborts(put_run));
	EXPECT(help_contains(sim.text, "a free object is put into its slab once"));
}

static void put_foreign(void)
{
	slab_put(&n, held, 1, &emptied);
}

TEST(slab_put_into_another_owner_ends_the_program)
{
	REQUIRE(setup(64));
	REQUIRE(grow(2, NULL) == 2);
	head_of(held[0])->owner = &shape;
	EXPECT(help_aborts(put_foreign));
	EXPECT(help_contains(sim.text, "objects go into their own slab"));
}

static void unmake(void)
{
	release_emptied();
}

TEST(slab_unmake_finds_objects_in_use)
{
	REQUIRE(setup(64));
	REQUIRE(grow(1, NULL) == 1);
	*map_state((char *)held[0] + 640) = 0x80; /* freed twice, and handed out between */
	slab_put(&n, held, 1, &emptied);
	EXPECT_FALSE(slab_shrink(&n, &emptied));
	EXPECT(help_aborts(unmake));
	EXPECT(help_contains(sim.text, "no object of an empty slab is in use"));
}

TEST(slab_states_of_slabs_and_what_was_one)
{
	char *p;

	PAGES_OF_4_KIB();
	REQUIRE(setup(64));
	REQUIRE(grow(1, NULL) == 1);
	p = held[0];
	EXPECT(map_is_state_free(n.states, map_page_pfn(head_of(p)), 16));
	slab_put(&n, held, 1, &emptied);
	slab_shrink(&n, &emptied);
	release_emptied();
	for (size_t i = 0; i < 16 * PAGE_SIZE; i += 64)
		REQUIRE(*map_state_in(n.states, p + i) == STATE_NONE);
	REQUIRE(grow(1, NULL) == 1);
	EXPECT_PTR_EQ(held[0], p);
	EXPECT(map_is_state_free(n.states, map_page_pfn(head_of(p)), 16));
}

static void take_foreign(void)
{
	slab_take(&n, held + 1, 1);
}

TEST(slab_of_another_owner_ends_the_program)
{
	REQUIRE(setup(64));
	REQUIRE(grow(2, NULL) == 2);
	head_of(held[0])->owner = &shape;
	EXPECT(help_aborts(take_foreign));
	EXPECT(help_contains(sim.text, "a slab on its node's list"));
}

/* ---- pages inside used slabs ------------------------------------------------------------- */

TEST(slab_discard_gives_back_wholly_free_pages)
{
	char *first;

	PAGES_OF_4_KIB();
	REQUIRE(setup(1024)); /* 64 objects, 4 a page */
	REQUIRE(grow(64, NULL) == 64);
	first = held[63];
	for (unsigned i = 0; i < 64; i++)
		memset(held[i], 0x11, 1024);
	/* keep the objects 0, 21 and 63: pages 0, 5 and 15 */
	for (unsigned i = 0; i < 64; i++)
		if (i != 0 && i != 21 && i != 63)
			slab_put(&n, &held[63 - i], 1, &emptied);
	EXPECT_EQ(slab_discard(&n), 13);
	EXPECT_EQ(sim.discarded, 13 * PAGE_SIZE);
	EXPECT_EQ(slab_audit(&n), 0);
	for (size_t i = 0; i < 16; i++)
		EXPECT_EQ(first[i * PAGE_SIZE], i == 0 || i == 5 || i == 15 ? 0x11 : 0);
	EXPECT_EQ(first[21 * 1024], 0x11);
	EXPECT_EQ(first[63 * 1024 + 1023], 0x11);
	EXPECT_EQ(slab_discard(&n), 0); /* marked: not again */
	EXPECT_EQ(n.free_objects, 61);
	slab_put(&n, held, 1, &emptied); /* an object came back */
	EXPECT_EQ(slab_discard(&n), 14);
	EXPECT_EQ(slab_take(&n, held + 62, 62), 62);
	EXPECT_PTR_EQ(held[61], first + 1024);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_discard_spares_objects_across_pages)
{
	REQUIRE(setup(12288));
	REQUIRE(grow(0, NULL) == 0);
	REQUIRE(grow(shape.objects, NULL) == shape.objects); /* colour 1: every border is crossed */
	for (unsigned i = 0; i < shape.objects; i++)
		memset(held[i], 0x22, 12288);
	for (unsigned i = 0; i < shape.objects; i += 2)
		slab_put(&n, &held[i], 1, &emptied);
	EXPECT_GT(slab_discard(&n), 0);
	for (unsigned i = 1; i < shape.objects; i += 2)
		for (size_t k = 0; k < 12288; k++)
			REQUIRE(((char *)held[i])[k] == 0x22);
	EXPECT_EQ(slab_audit(&n), 0);
}

static unsigned watched;

/* Another thread frees what was in use, while the slab's free objects are away. */
static void put_meanwhile(void)
{
	EXPECT_EQ(n.lock.word, LOCK_FREE);
	if (!watched++)
		slab_put(&n, held, 8, &emptied);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_discard_while_objects_come_back)
{
	PAGES_ARE_MANY();
	REQUIRE(setup(1024));
	REQUIRE(grow(64, NULL) == 64);
	slab_put(&n, held + 8, 56, &emptied);
	sim.watch = put_meanwhile;
	EXPECT_GT(slab_discard(&n), 0);
	sim.watch = NULL;
	EXPECT_GT(watched, 0);
	EXPECT_EQ(n.empty_slabs, 1);
	EXPECT_EQ(n.free_objects, 64);
	EXPECT_EQ(slab_audit(&n), 0);
}

static void take_meanwhile(void)
{
	if (!watched++) {
		slab_put(&n, held, 4, &emptied);
		EXPECT_EQ(slab_take(&n, held + 4, 4), 4);
	}
}

TEST(slab_discard_while_objects_are_taken)
{
	PAGES_ARE_MANY();
	REQUIRE(setup(1024));
	REQUIRE(grow(64, NULL) == 64);
	slab_put(&n, held + 8, 56, &emptied);
	sim.watch = take_meanwhile;
	EXPECT_GT(slab_discard(&n), 0);
	sim.watch = NULL;
	EXPECT_EQ(n.free_objects, 56);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_discard_refused_keeps_contents)
{
	REQUIRE(setup(1024));
	REQUIRE(grow(64, NULL) == 64);
	memset(held[60], 0x33, 1024);
	slab_put(&n, held, 63, &emptied);
	sim.discard_refused = true;
	EXPECT_EQ(slab_discard(&n), 0);
	EXPECT_EQ(*(char *)held[60], 0x33);
	EXPECT_EQ(slab_audit(&n), 0);
}

TEST(slab_audit_sees_faults)
{
	struct page *head;

	PAGES_ARE_MANY();
	REQUIRE(setup(1024));
	REQUIRE(grow(10, NULL) == 10);
	head = head_of(held[0]);
	head->inuse++; /* E2 */
	EXPECT_NE(slab_audit(&n), 0);
	head->inuse--;
	n.free_objects++; /* E3 */
	EXPECT_NE(slab_audit(&n), 0);
	n.free_objects--;
	n.empty_slabs++;
	EXPECT_NE(slab_audit(&n), 0);
	n.empty_slabs--;
	map.ids[map_page_pfn(head) + 3] = 1;
	EXPECT_NE(slab_audit(&n), 0);
	map.ids[map_page_pfn(head) + 3] = ID;
	head->kind = PAGE_BLOCK;
	EXPECT_NE(slab_audit(&n), 0);
	head->kind = PAGE_SLAB;
	*map_state((char *)held[0] + 1024) =
		map_state_in_use(held[0]); /* the next, which is free */
	EXPECT_NE(slab_audit(&n), 0);
	*map_state((char *)held[0] + 1024) = STATE_FREE;
	EXPECT_EQ(slab_audit(&n), 0);
	share(4);
	slab_put(&n, held, 2, &emptied);
	*map_state(held[0]) = map_state_in_use(held[0]); /* E6 */
	EXPECT_NE(slab_audit(&n), 0);
}
