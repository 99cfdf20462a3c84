/* SPDX-License-Identifier: MIT */
/*
 * slob_test.c - units, blocks, pages' lists: what a slob allocator is (B1 .. B13)
 *
 * What    One case for each rule of the allocator that Linux called SLOB, as far as it is about
 *         pages and blocks, and for each rule of slob.h. B14 on are in api_test.c.
 */
/* lint: long - one file mirrors slob.c */
#include "slob_help.h"

/* The id of a block that a test asks the engine for. */
#define NO_CACHE 0x777

static void *held[3000];

/* ---- B1, B2, B3 ------------------------------------------------------------------ */

TEST(slob_B1_a_unit_is_two_bytes)
{
	struct kmem_cache *c;
	unsigned n = 0;

	REQUIRE(slob_setup());
	EXPECT_EQ(SLOB_UNITS, 2048);
	for (unsigned size = 1; size < 40; size++) {
		c = kmem_cache_create("b1", size, 2, 0, NULL);
		REQUIRE(c != NULL);
		held[0] = kmem_cache_alloc(c, GFP_KERNEL);
		EXPECT_EQ(units_of(held[0]), (size_max(size, sizeof(void *)) + 4 + 1) / 2);
		kmem_cache_free(c, held[0]);
		held[0] = object_of_units(c, (size + 4 + 1) / 2);
		EXPECT_EQ(units_of(held[0]), (size + 4 + 1) / 2);
		kmem_cache_free(c, held[0]);
		kmem_cache_destroy(c);
	}
	c = cache_of_units(3);
	held[0] = object_of_units(c, 3); /* beside the cache itself */
	while (n < 2000 && words_of(held[n]) == words_of(held[0]))
		held[++n] = object_of_units(c, 3);
	EXPECT_EQ(start_of(held[1]), start_of(held[0]) + 3); /* side by side, nothing between */
	while (n < 2000 && words_of(held[n]) == words_of(held[n - 1]))
		held[++n] = object_of_units(c, 3);
	for (unsigned i = 0; i < 2; i++)
		n++, held[n] = object_of_units(c, 3);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(slob_B1_a_page_holds_682_of_three_units)
{
	struct kmem_cache *c;
	const int16_t *page;
	unsigned n = 0;

	REQUIRE(slob_setup());
	c = cache_of_units(3);
	do { /* past the page that the cache itself is in */
		held[0] = object_of_units(c, 3);
	} while (start_of(held[0]) != 0 || words_of(held[0]) == words_of(c));
	page = words_of(held[0]);
	do {
		held[++n] = object_of_units(c, 3);
	} while (words_of(held[n]) == page);
	EXPECT_EQ(n, 2048 / 3);
	EXPECT_EQ(page_of(held[0])->units, 2048 % 3);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(slob_B2_how_free_blocks_are_written)
{
	struct kmem_cache *five, *six;
	const int16_t *page;
	unsigned at;

	REQUIRE(slob_setup());
	five = cache_of_units(5);
	six = cache_of_units(6);
	held[0] = kmem_cache_alloc(six, GFP_KERNEL);
	held[1] = kmem_cache_alloc(six, GFP_KERNEL);
	held[2] = kmem_cache_alloc(six, GFP_KERNEL);
	page = words_of(held[0]);
	at = start_of(held[2]) + 6; /* the last free block: its length, then the end of the page */
	EXPECT_EQ(page[at], (int)(2048 - at));
	EXPECT_EQ(page[at + 1], 2048);
	at = start_of(held[1]);
	kmem_cache_free(six, held[1]); /* a longer one: its length, then the next one's offset */
	EXPECT_EQ(page[at], 6);
	EXPECT_EQ(page[at + 1], (int)start_of(held[2]) + 6);
	held[1] = object_of_units(five, 5); /* one unit: only that offset, negative */
	EXPECT_EQ(start_of(held[1]), at);
	EXPECT_EQ(page[at + 5], -(int)(start_of(held[2]) + 6));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(slob_B2_last_block_of_one_unit_says_the_end)
{
	struct kmem_cache *c, *rest;
	unsigned at;

	REQUIRE(slob_setup());
	c = cache_of_units(10);
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	at = page_of(held[0])->free;
	while (start_of(held[0]) + 10 != at) { /* the hole before it, if any */
		held[0] = kmem_cache_alloc(c, GFP_KERNEL);
		at = page_of(held[0])->free;
	}
	rest = cache_of_units(SLOB_UNITS - 1);
	held[1] = kmem_cache_alloc(rest, GFP_KERNEL);
	EXPECT_EQ(start_of(held[1]), 0);
	EXPECT_EQ(words_of(held[1])[2047], -2048);
	EXPECT_EQ(page_of(held[1])->free, 2047);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(slob_B3_what_is_known_of_a_page)
{
	struct kmem_cache *c, *whole;
	struct page *pg;

	REQUIRE(slob_setup());
	EXPECT_LE(sizeof(struct page), 12);
	c = cache_of_units(20);
	whole = cache_of_units(SLOB_UNITS - 20);
	held[0] = kmem_cache_alloc(whole, GFP_KERNEL);
	pg = page_of(held[0]);
	EXPECT_EQ(pg->kind, PAGE_SLOB);
	EXPECT_EQ(pg->free, SLOB_UNITS - 20); /* the first free block */
	EXPECT_EQ(pg->units, 20);             /* free units */
	EXPECT_EQ(pg->list, SLOB_LARGE);      /* it is on a list */
	EXPECT_EQ(pg->shard, 0);
	while (pg->units)
		held[1] = slob_alloc_anywhere(pages_zones,
					      &(struct slob_request){ 20, 2, 4, c->id, 0 },
					      (const void *[]){ NULL });
	guard_add(&c->live, 1);
	while (page_of(held[1]) != pg) { /* the cache's own page served first */
		held[1] = kmem_cache_alloc(c, GFP_KERNEL);
	}
	EXPECT_EQ(pg->list, SLOB_FULL); /* and on none when nothing is free */
	EXPECT_EQ(pg->units, 0);
}

/* ---- B4, B5, B6 ------------------------------------------------------------------- */

TEST(slob_B4_three_lists_by_size_with_header)
{
	static const struct {
		unsigned units;
		unsigned list;
	} cases[] = { { 10, SLOB_SMALL },   { 127, SLOB_SMALL }, { 128, SLOB_MEDIUM },
		      { 511, SLOB_MEDIUM }, { 512, SLOB_LARGE }, { 2000, SLOB_LARGE } };

	REQUIRE(slob_setup());
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kmem_cache *c = cache_of_units(cases[i].units);

		held[0] = kmem_cache_alloc(c, GFP_KERNEL);
		EXPECT_EQ(page_of(held[0])->list, cases[i].list);
		kmem_cache_free(c, held[0]);
		kmem_cache_destroy(c);
	}
}

TEST(slob_B5_shards_work_side_by_side)
{
	struct shard *busy;

	REQUIRE(slob_setup());
	held[0] = ashlar_kmalloc(24, GFP_KERNEL);
	sim.cpu = 1;
	held[1] = ashlar_kmalloc(24, GFP_KERNEL);
	EXPECT_EQ(page_of(held[0])->shard, 0);
	EXPECT_EQ(page_of(held[1])->shard, 1);
	busy = &pages_zones->shard[0];
	lock_acquire(&busy->lock); /* somebody searches on CPU 0 */
	held[2] = ashlar_kmalloc(24, GFP_KERNEL);
	kfree(held[1]);
	kfree(held[2]);
	EXPECT_EQ(sim.waits, 0);
	lock_release(&busy->lock);
	kfree(held[0]); /* from another CPU */
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(pages_taken(), 0);
}

/* Three pages of one list, with 100, 30 and 100 free units: the head is the last that served. */
static struct kmem_cache *three_pages(void)
{
	struct kmem_cache *whole = cache_of_units(SLOB_UNITS - 100);
	struct kmem_cache *more = cache_of_units(SLOB_UNITS - 30);

	held[0] = kmem_cache_alloc(whole, GFP_KERNEL);
	held[1] = kmem_cache_alloc(more, GFP_KERNEL);
	held[2] = kmem_cache_alloc(whole, GFP_KERNEL);
	return cache_of_units(600);
}

TEST(slob_B6_search_turns_the_list)
{
	struct shard *shard;
	const int16_t *small;
	size_t second;
	const void *damaged = NULL;
	struct slob_request r = { 60, 2, 4, NO_CACHE, 0 };

	REQUIRE(slob_setup());
	small = words_of(three_pages());
	shard = &pages_zones->shard[0];
	EXPECT_EQ(shard->head[SLOB_LARGE], pages_number(pages_zones, held[2]));
	/* what the head cannot serve: the next is 30 units, skipped; the first page serves */
	held[3] = slob_alloc_anywhere(pages_zones, &r, &damaged);
	while (words_of(held[3]) == small) /* the caches' page is looked at first */
		held[3] = slob_alloc_anywhere(pages_zones, &r, &damaged);
	EXPECT_PTR_EQ(page_of(held[3]), page_of(held[2]));
	held[4] = slob_alloc_anywhere(pages_zones, &r, &damaged);
	EXPECT_PTR_EQ(page_of(held[4]), page_of(held[0]));
	second = pages_number(pages_zones, held[0]);
	EXPECT_EQ(shard->head[SLOB_LARGE], second); /* the next search starts here */
	r.units = 40;
	for (unsigned i = 0; i == 0 || words_of(held[5]) == small; i++)
		held[5] = slob_alloc_anywhere(pages_zones, &r, &damaged);
	EXPECT_PTR_EQ(page_of(held[5]), page_of(held[0]));
	EXPECT_EQ(page_of(held[0])->list, SLOB_FULL); /* full: off the list, no turn */
	EXPECT_NE(shard->head[SLOB_LARGE], second);
	EXPECT_EQ(damaged != NULL, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* O of ashlar/heap.h. */
static u32 orders(void)
{
	u32 bits = 0;

	while (bits < PORT_SLOB_MAX_ORDER && pages_zones->nr_pages >> bits)
		bits++;
	return bits;
}

static u32 steps_of(struct kmem_cache *c, void **object)
{
	guard_steps = 0;
	*object = kmem_cache_alloc(c, GFP_ATOMIC);
	return guard_steps;
}

/* What a search costs is bounded: it looks at so many pages, then takes a new one; the next one
 * goes on where it stopped. Of pages that have too little free it looks at nothing else. */
TEST(slob_B6_search_is_bounded)
{
	static void *full[200];
	struct kmem_cache *c;
	u32 steps;

	REQUIRE(slob_setup());
	c = cache_of_units(SLOB_UNITS - 20); /* large, with 20 units left */
	for (unsigned i = 0; i < 200; i++)
		full[i] = kmem_cache_alloc(c, GFP_KERNEL);
	kfree(ashlar_kmalloc(PAGE_SIZE, GFP_KERNEL)); /* a page is free */
	steps = steps_of(cache_of_units(900), &held[0]);
	EXPECT_LE(steps, SLOB_SEARCH + orders() + 1);
	for (unsigned i = 0; i < 200; i++)
		EXPECT_PTR_NE(page_of(held[0]), page_of(full[i]));
	tap_note_number("steps beside 200 pages that cannot serve:", steps);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* The worst that there is: pages full of the shortest blocks, with a hole of one unit before each,
 * and a request that is larger by little. */
TEST(slob_B6_search_at_its_worst)
{
	static void *full[30 * SLOB_UNITS / 4];
	const unsigned least = SLOB_LEAST / SLOB_UNIT;
	struct kmem_cache *longer, *shortest;
	unsigned n = 0;
	u32 steps, bound;

	REQUIRE(slob_setup());
	longer = cache_of_units(least + 1);
	shortest = cache_of_units(least);
	do
		full[n++] = kmem_cache_alloc(longer, GFP_KERNEL);
	while (n < 20 * SLOB_UNITS / (least + 1) || page_of(full[n - 1]) == page_of(full[n - 2]));
	kmem_cache_free(longer, full[--n]); /* it began a page: those before are full */
	while (n--) {
		const void *damaged = NULL;
		struct slob_request r = { least, 2, SLOB_HEADER_OBJECT, NO_CACHE, 0 };

		if (page_of(full[n]) !=
		    page_of(full[n + 1])) /* the last of a page has room behind */
			continue;
		kmem_cache_free(longer, full[n]);
		REQUIRE(slob_alloc_anywhere(pages_zones, &r, &damaged) == full[n]);
	}
	kfree(ashlar_kmalloc(PAGE_SIZE << 4, GFP_KERNEL)); /* pages are free */
	steps = steps_of(shortest, &held[0]);
	bound = ASHLAR_HEAP_ALLOC_STEPS((u32)PAGE_SIZE, SLOB_LEAST, SLOB_SEARCH, orders());
	tap_note_number("steps beside pages full of holes:", steps);
	tap_note_number("   the bound:", bound);
	EXPECT_LE(steps, bound);
	EXPECT_GE(steps * 100, bound * 97);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(slob_B6_other_nodes_are_skipped)
{
	static _Alignas(4096) char far[16 * 4096];
	char *p;

	REQUIRE(slob_setup());
	REQUIRE(ashlar_heap_add(far, sizeof(far), ASHLAR_HEAP_NODE(1)) != 0);
	p = kmalloc_node(100, GFP_KERNEL, 1);
	EXPECT(p >= far && p < far + sizeof(far));
	kfree(p);
	p = kmalloc_node(100, GFP_KERNEL, 0);
	EXPECT(p < far || p >= far + sizeof(far));
	kfree(p);
	EXPECT_NULL(kmalloc_node(100, GFP_KERNEL | __GFP_THISNODE, 2));
	p = kmalloc_node(100, GFP_KERNEL, 2); /* another will do */
	EXPECT_NOT_NULL(p);
	kfree(p);
	for (unsigned i = 0; i < 100; i++) /* more than there is on node 1 */
		held[i] = kmalloc_node(2000, GFP_KERNEL, 1);
	EXPECT(held[99] && ((char *)held[99] < far || (char *)held[99] >= far + sizeof(far)));
	EXPECT_NULL(kmalloc_node(2000, GFP_KERNEL | __GFP_THISNODE, 1));
	for (unsigned i = 0; i < 100; i++)
		kfree(held[i]);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(pages_taken(), 0);
}

/* ---- B7 ---------------------------------------------------------------------------- */

/* A page of its own: three blocks of ten units with holes of @a and @b units between. */
static void two_holes(unsigned a, unsigned b)
{
	struct kmem_cache *fill = cache_of_units(SLOB_UNITS - 30 - a - b);
	struct kmem_cache *ten = cache_of_units(10);
	struct kmem_cache *hole_a = cache_of_units(a);
	struct kmem_cache *hole_b = cache_of_units(b);
	const void *damaged = NULL;
	struct zone *z = pages_zones;

	held[0] = kmem_cache_alloc(fill, GFP_KERNEL); /* large: the page has 30 + a + b left */
	held[1] = slob_alloc_anywhere(z, &(struct slob_request){ 1500, 2, 4, 1, 0 }, &damaged);
	for (unsigned i = 1; i < 6; i++) {
		const struct kmem_cache *c = i == 2 ? hole_a : i == 4 ? hole_b : ten;
		u32 units = i == 2 ? a : i == 4 ? b : 10;
		size_t index = pages_number(z, held[0]);
		struct page *pg = &z->pages[index];

		/* straight from that page: it is the head of its list, or becomes it */
		if (pg->list < 3)
			z->shard[0].head[pg->list] = (page_index)index;
		held[i] = kmem_cache_alloc((struct kmem_cache *)(uintptr_t)c, GFP_KERNEL);
		while (page_of(held[i]) != pg) {
			const struct slob_request r = { units, 2, 4, c->id, 0 };

			held[i] = slob_alloc_anywhere(z, &r, &damaged);
			if (pg->list < 3)
				z->shard[0].head[pg->list] = (page_index)index;
		}
	}
	kfree(held[2]);
	kfree(held[4]);
}

TEST(slob_B7_first_fit_by_address)
{
	const void *damaged = NULL;
	struct zone *z;
	struct page *pg;
	void *p;

	REQUIRE(slob_setup());
	two_holes(20, 40);
	z = pages_zones;
	pg = page_of(held[0]);
	for (unsigned list = 0; list < 3; list++) /* only this page */
		z->shard[0].head[list] = PAGE_NONE;
	z->shard[0].head[pg->list] = (page_index)pages_number(z, held[0]);
	pg->next = pg->prev = (page_index)pages_number(z, held[0]);

	p = slob_alloc_anywhere(z, &(struct slob_request){ 20, 2, 4, NO_CACHE, 0 }, &damaged);
	EXPECT_EQ(start_of(p), start_of(held[1]) + 10); /* exact: the hole is gone */
	EXPECT_EQ(pg->free, start_of(held[3]) + 10);
	p = slob_alloc_anywhere(z, &(struct slob_request){ 15, 2, 4, NO_CACHE, 0 }, &damaged);
	EXPECT_EQ(start_of(p), start_of(held[3]) + 10); /* the tail is split off */
	EXPECT_EQ(pg->free, start_of(held[3]) + 25);
	EXPECT_EQ(pg->units, 25);
}

TEST(slob_B7_alignment_leaves_the_head_free)
{
	struct page *pg;
	char *p;

	REQUIRE(slob_setup());
	p = ashlar_kmalloc(512, GFP_KERNEL); /* the page's first block */
	pg = page_of(p);
	EXPECT_EQ((uintptr_t)p % 512, 0);
	EXPECT_EQ(start_of(p), 512 / 2 - 1); /* the header before the object */
	EXPECT_EQ(pg->free, 0);              /* what was skipped */
	EXPECT_EQ(words_of(p)[0], 255);
	EXPECT_EQ(words_of(p)[1], (int)(start_of(p) + units_of(p)));
	EXPECT_EQ(ashlar_audit(), 0);
	kfree(p);
	EXPECT_EQ(pages_taken(), 0); /* it was merged with both neighbours */
}

/* ---- B8 .. B11 ---------------------------------------------------------------------- */

TEST(slob_B8_new_page_is_one_free_block)
{
	struct kmem_cache *c;
	size_t taken;

	REQUIRE(slob_setup());
	c = cache_of_units(1200);
	taken = pages_taken();
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	held[1] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(pages_taken(), taken + 2);
	EXPECT_EQ(start_of(held[0]), 0);
	EXPECT_EQ(page_of(held[0])->units, SLOB_UNITS - 1200);
	EXPECT_EQ(words_of(held[0])[1200], SLOB_UNITS - 1200);
	EXPECT_EQ(words_of(held[0])[1201], 2048);
}

TEST(slob_B9_zero_on_request)
{
	char *p;

	REQUIRE(slob_setup());
	for (size_t size = 1; size < 20000; size = size * 2 + 1) {
		p = ashlar_kmalloc(size, GFP_KERNEL);
		memset(p, 0xee, ksize(p));
		kfree(p);
		p = kzalloc(size, GFP_KERNEL);
		EXPECT(is_filled(p, ksize(p), 0));
		memset(p, 0xee, ksize(p));
		kfree(p);
	}
}

TEST(slob_B10_a_wholly_free_page_goes_back)
{
	struct kmem_cache *c, *whole;
	size_t taken, free_pages;

	REQUIRE(slob_setup());
	c = cache_of_units(1200);
	whole = cache_of_units(SLOB_UNITS);
	taken = pages_taken();
	free_pages = pages_zones->free_pages;
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(pages_taken(), taken + 1);
	kmem_cache_free(c, held[0]); /* from a page on a list */
	EXPECT_EQ(pages_taken(), taken);
	EXPECT_NE(page_of(held[0])->kind, PAGE_SLOB);
	held[0] = kmem_cache_alloc(whole, GFP_KERNEL);
	EXPECT_EQ(page_of(held[0])->list, SLOB_FULL);
	kmem_cache_free(whole, held[0]); /* from a page on none */
	EXPECT_EQ(pages_zones->free_pages, free_pages);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(slob_B11_full_page_is_listed_by_what_was_freed)
{
	static const struct {
		unsigned units;
		unsigned list;
	} cases[] = { { 20, SLOB_SMALL }, { 200, SLOB_MEDIUM }, { 600, SLOB_LARGE } };

	REQUIRE(slob_setup());
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kmem_cache *c = cache_of_units(SLOB_UNITS - cases[i].units);
		const void *damaged = NULL;
		struct page *pg;
		struct slob_request r = { cases[i].units, 2, 4, NO_CACHE, 0 };
		void *p;

		held[0] = kmem_cache_alloc(c, GFP_KERNEL);
		pg = page_of(held[0]);
		pages_zones->shard[0].head[pg->list] =
			(page_index)pages_number(pages_zones, held[0]);
		do
			p = slob_alloc_anywhere(pages_zones, &r, &damaged);
		while (page_of(p) != pg);
		EXPECT_EQ(pg->units, 0);
		EXPECT_EQ(pg->list, SLOB_FULL);
		kfree(p);
		EXPECT_EQ(pg->list, cases[i].list); /* in the seed: always small */
		EXPECT_EQ(pg->units, cases[i].units);
		EXPECT_EQ(pg->free, SLOB_UNITS - cases[i].units);
		EXPECT_EQ(words_of(held[0])[pg->free + 1], 2048);
		kmem_cache_free(c, held[0]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- B12: every case of an insertion ------------------------------------------------- */

/* Blocks of ten units side by side in one page, from held[0] on; the last fills the page. */
static struct kmem_cache *row(unsigned count)
{
	struct kmem_cache *ten = cache_of_units(10);
	struct kmem_cache *rest = cache_of_units(SLOB_UNITS - 10 * count);
	struct zone *z = pages_zones;
	const void *damaged = NULL;
	bool zero;
	size_t i = pages_take(z, 1, 1, &zero);
	struct page *pg = &z->pages[i];

	/* A page as slob_alloc begins it, alone on its list. */
	*pg = (struct page){ .kind = PAGE_SLOB, .units = SLOB_UNITS, .list = SLOB_SMALL };
	((int16_t *)(void *)pages_address(z, i))[0] = (int16_t)SLOB_UNITS;
	((int16_t *)(void *)pages_address(z, i))[1] = (int16_t)SLOB_UNITS;
	pg->next = pg->prev = (page_index)i;
	z->shard[0].head[SLOB_SMALL] = (page_index)i;
	for (unsigned k = 0; k <= count; k++) {
		const struct kmem_cache *c = k < count ? ten : rest;
		struct slob_request r = { k < count ? 10 : SLOB_UNITS - 10 * count, 2, 4, c->id,
					  0 };

		held[k] = slob_alloc_anywhere(z, &r, &damaged);
	}
	return ten;
}

/* Free blocks of a page as text: "0+10 30+20". */
static const char *free_list(const void *in)
{
	static struct help_text t;
	const struct page *pg = page_of(in);
	const int16_t *base = words_of(in);

	t.length = 0;
	t.bytes[0] = '\0';
	for (int at = pg->units ? (int)pg->free : 2048; at != 2048;) {
		if (t.length)
			help_str(&t, " ");
		help_number(&t, (uint64_t)at, 10);
		help_str(&t, "+");
		help_number(&t, (uint64_t)(base[at] > 0 ? base[at] : 1), 10);
		at = base[at] > 0 ? base[at + 1] : -base[at];
	}
	return t.bytes;
}

static void put(unsigned k)
{
	struct slob_place place;

	EXPECT(slob_free(pages_zone(held[k]), held[k], SLOB_ANY, &place));
}

TEST(slob_B12_before_the_first)
{
	REQUIRE(slob_setup());
	row(8);
	put(5);
	EXPECT_TEXT_EQ(free_list(held[0]), "50+10");
	put(2); /* apart from it: becomes the first */
	EXPECT_TEXT_EQ(free_list(held[0]), "20+10 50+10");
	put(1); /* touches the first: merged, and first */
	EXPECT_TEXT_EQ(free_list(held[0]), "10+20 50+10");
	EXPECT_EQ(page_of(held[0])->units, 30);
	EXPECT_EQ(page_of(held[0])->free, 10);
}

TEST(slob_B12_between_two)
{
	REQUIRE(slob_setup());
	row(12);
	put(1);
	put(9);
	put(5); /* touches neither */
	EXPECT_TEXT_EQ(free_list(held[0]), "10+10 50+10 90+10");
	put(8); /* touches the next only */
	EXPECT_TEXT_EQ(free_list(held[0]), "10+10 50+10 80+20");
	put(6); /* touches the previous only */
	EXPECT_TEXT_EQ(free_list(held[0]), "10+10 50+20 80+20");
	put(7); /* touches both */
	EXPECT_TEXT_EQ(free_list(held[0]), "10+10 50+50");
	EXPECT_EQ(page_of(held[0])->units, 60);
}

TEST(slob_B12_behind_the_last)
{
	REQUIRE(slob_setup());
	row(6);
	put(1);
	put(4); /* apart */
	EXPECT_TEXT_EQ(free_list(held[0]), "10+10 40+10");
	put(5); /* touches the last */
	EXPECT_TEXT_EQ(free_list(held[0]), "10+10 40+20");
	put(6); /* up to the end of the page */
	EXPECT_TEXT_EQ(free_list(held[0]), "10+10 40+2008");
}

/* ---- B13: what Linux's does not see ---------------------------------------------------- */

static void *victim;

static void free_it(void)
{
	kfree(victim);
}

static bool says(const char *what)
{
	if (help_contains(sim.text, what))
		return true;
	tap_note(sim.text);
	return false;
}

TEST(slob_B13_nothing_is_ignored)
{
	REQUIRE(slob_setup());
	kfree(NULL);
	kfree(ZERO_SIZE_PTR);
	kmem_cache_free(cache_of_units(10), NULL);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(slob_B13_double_free)
{
	REQUIRE(slob_setup());
	for (size_t size = 1; size < 9000; size += size / 2 + 1) {
		held[0] = ashlar_kmalloc(size, GFP_KERNEL);
		held[1] = ashlar_kmalloc(size, GFP_KERNEL); /* keeps the page */
		victim = held[0];
		kfree(victim);
		EXPECT(help_aborts(free_it));
		EXPECT(says("ashlar: kfree("));
		EXPECT(says("double free: this block is already free") ||
		       says("invalid free: no block starts here"));
		kfree(held[1]);
		EXPECT(help_aborts(free_it)); /* the page has gone */
		EXPECT(says("double free"));
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(slob_B13_every_pointer_that_starts_nothing)
{
	unsigned wrong = 0;

	REQUIRE(slob_setup());
	row(7);
	put(2);
	put(3);
	for (size_t offset = 0; offset < PAGE_SIZE; offset++) {
		char *p = (char *)(uintptr_t)words_of(held[0]) + offset;
		struct slob_place place;
		bool starts = false;

		for (unsigned k = 0; k < 8; k++)
			starts |= k != 2 && k != 3 && held[k] == p;
		slob_find(pages_zones, p, &place);
		wrong += starts != (place.found == SLOB_USED);
		wrong += (place.found == SLOB_UNUSED) != (offset >= 40 && offset < 80);
		wrong += place.found == SLOB_DAMAGED;
	}
	EXPECT_EQ(wrong, 0);
}

TEST(slob_B13_wild_frees)
{
	static char outside[64];

	REQUIRE(slob_setup());
	held[0] = ashlar_kmalloc(200, GFP_KERNEL);
	victim = (char *)held[0] + 8;
	EXPECT(help_aborts(free_it));
	EXPECT(says("invalid free: 8 bytes inside a block that starts at"));
	victim = (char *)held[0] + 1;
	EXPECT(help_aborts(free_it));
	EXPECT(says("invalid free: 1 bytes inside"));
	victim = (char *)held[0] - 1;
	EXPECT(help_aborts(free_it));
	EXPECT(says("it points to the header before an object"));
	victim = outside;
	EXPECT(help_aborts(free_it));
	EXPECT(says("invalid free: this memory is not Ashlar's"));
	held[1] = ashlar_kmalloc(3 * PAGE_SIZE, GFP_KERNEL);
	victim = (char *)held[1] + PAGE_SIZE;
	EXPECT(help_aborts(free_it));
	EXPECT(says("double free") || says("no block starts here"));
	victim = (char *)held[1] + 100;
	EXPECT(help_aborts(free_it));
	EXPECT(says("no block starts here"));
	kfree(held[1]);
	kfree(held[0]);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* One byte too many lands in the next block's header or in a free block's length: the next walk
 * that passes there says so. */
TEST(slob_B13_overflow_is_seen)
{
	unsigned seen = 0;

	REQUIRE(slob_setup());
	for (unsigned byte = 0; byte < 2; byte++) {
		char *p = ashlar_kmalloc(30, GFP_KERNEL);
		char *q = ashlar_kmalloc(30, GFP_KERNEL);
		char *r = ashlar_kmalloc(30, GFP_KERNEL);

		REQUIRE(q == p + 32 && r == q + 32);
		*(volatile char *)&p[30 + byte] ^= 0x11;
		victim = r;
		seen += help_aborts(free_it);
		EXPECT(says("damage: headers of the page were overwritten"));
		*(volatile char *)&p[30 + byte] ^= 0x11;
		kfree(p);
		kfree(q);
		kfree(r);
	}
	EXPECT_EQ(seen, 2);
}

static void alloc_it(void)
{
	victim = ashlar_kmalloc(60, GFP_KERNEL);
}

TEST(slob_B13_overflow_into_a_free_block)
{
	char *p;

	REQUIRE(slob_setup());
	p = ashlar_kmalloc(30, GFP_KERNEL); /* behind it all is free */
	for (unsigned i = 30; i < 34; i++)
		*(volatile char *)&p[i] = 0x7f;
	EXPECT(help_aborts(alloc_it));
	EXPECT(says("damage: headers of the page were overwritten"));
}

TEST(slob_SL6_headers_differ_by_place)
{
	unsigned same = 0;
	const int16_t *page;

	REQUIRE(slob_setup());
	for (unsigned i = 0; i < 64; i++)
		held[i] = ashlar_kmalloc(14, GFP_KERNEL);
	page = words_of(held[0]);
	for (unsigned i = 0; i + 1 < 64; i++)
		same += page[start_of(held[i])] == page[start_of(held[i + 1])];
	EXPECT_LT(same, 32);
}

TEST(slob_resize_in_place)
{
	char *p, *q;

	REQUIRE(slob_setup());
	p = ashlar_kmalloc(100, GFP_KERNEL);
	memset(p, 7, 100);
	EXPECT_PTR_EQ(krealloc(p, 1000, GFP_KERNEL), p); /* all behind it was free */
	EXPECT_GE(ksize(p), 1000);
	q = ashlar_kmalloc(100, GFP_KERNEL);
	EXPECT_PTR_NE(q, NULL);
	EXPECT_PTR_EQ(krealloc(p, 50, GFP_KERNEL), p); /* the rest is free again */
	EXPECT_LT(ksize(p), 70);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_PTR_NE(krealloc(q, 5000, GFP_KERNEL), q);
	EXPECT(is_filled(p, 50, 7));
	EXPECT_EQ(ashlar_audit(), 0);
	p = ashlar_kmalloc(10 * PAGE_SIZE, GFP_KERNEL);
	EXPECT_PTR_EQ(krealloc(p, 3 * PAGE_SIZE - 5, GFP_KERNEL), p);
	EXPECT_EQ(ksize(p), 3 * PAGE_SIZE);
	q = krealloc(p, 60, GFP_KERNEL);
	EXPECT_LT(ksize(q), 100);
	EXPECT_EQ(ashlar_audit(), 0);
}
