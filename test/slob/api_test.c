/* SPDX-License-Identifier: MIT */
/*
 * api_test.c - kmalloc and caches on slob (B14 .. B20), zones, and what the heap says of itself
 */
/* lint: long - one file for the whole floor */
#include "ashlar/debug.h"
#include "ashlar/mm.h"
#include "slob_help.h"

static void *held[3000];

static bool says(const char *what)
{
	if (help_contains(sim.text, what))
		return true;
	tap_note(sim.text);
	return false;
}

/* ---- B14, B15, B16, B19 ---------------------------------------------------- */

TEST(api_B14_a_header_of_two_bytes)
{
	REQUIRE(slob_setup());
	held[0] = ashlar_kmalloc(30, GFP_KERNEL);
	held[1] = ashlar_kmalloc(30, GFP_KERNEL);
	EXPECT_EQ((char *)held[1] - (char *)held[0], 32);
	EXPECT_EQ(units_of(held[0]), 16);
	EXPECT_EQ(start_of(held[0]) * 2, ((uintptr_t)held[0] & 4095) - 2);
}

TEST(api_B14_powers_of_two_are_aligned_to_their_size)
{
	REQUIRE(slob_setup());
	for (unsigned i = 0; i < 600; i++) {
		size_t size = (size_t)1 << i % 13;

		held[i] = ashlar_kmalloc(size, GFP_KERNEL);
		REQUIRE(held[i] != NULL);
		EXPECT_EQ((uintptr_t)held[i] % size_max(size, 16), 0);
		EXPECT_GE(ksize(held[i]), size);
	}
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 0; i < 600; i++)
		kfree(held[i]);
	EXPECT_EQ(pages_taken(), 0);
}

TEST(api_B14_what_does_not_fit_beside_a_header_has_pages)
{
	static const struct {
		size_t size;
		size_t pages;
	} cases[] = { { 4078, 0 }, { 4079, 1 },  { 4096, 1 },
		      { 4097, 2 }, { 20000, 5 }, { 1000000, 245 } };

	REQUIRE(slob_setup());
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		void *p = ashlar_kmalloc(cases[i].size, GFP_KERNEL);
		const struct page *pg = page_of(p);

		EXPECT_EQ(pg->kind, cases[i].pages ? PAGE_RUN : PAGE_SLOB);
		if (cases[i].pages) {
			EXPECT_EQ(pg->next, cases[i].pages);
			EXPECT_EQ(pages_taken(), cases[i].pages); /* the tail went back at once */
			EXPECT_EQ((uintptr_t)p % PAGE_SIZE, 0);
		}
		memset(p, 1, cases[i].size);
		kfree(p);
		EXPECT_EQ(pages_taken(), 0);
		EXPECT_EQ(ashlar_audit(), 0);
	}
}

TEST(api_B14_nothing)
{
	REQUIRE(slob_setup());
	EXPECT_PTR_EQ(ashlar_kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	EXPECT_EQ(ksize(ZERO_SIZE_PTR), 0);
	EXPECT_NULL(ashlar_kmalloc(SIZE_MAX, GFP_KERNEL));
	EXPECT_NULL(ashlar_kmalloc(SIZE_MAX / 2, GFP_KERNEL));
	EXPECT_NULL(kmalloc_array(SIZE_MAX / 2, 3, GFP_KERNEL));
	EXPECT_NULL(kmalloc_aligned(10, SIZE_MAX / 2 + 1, GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(api_B14_every_alignment)
{
	REQUIRE(slob_setup());
	for (size_t align = 1; align <= sim.arena_bytes / 16; align *= 2) {
		for (size_t size = 1; size < 20000; size = size * 3 + 1) {
			char *p = kmalloc_aligned(size, align, GFP_KERNEL);

			REQUIRE(p != NULL);
			EXPECT_EQ((uintptr_t)p % align, 0);
			memset(p, 1, size);
			kfree(p);
		}
		REQUIRE(ashlar_audit() == 0);
	}
	EXPECT_EQ(pages_taken(), 0);
}

TEST(api_B15_kfree_of_anything)
{
	struct kmem_cache *c, *large;

	REQUIRE(slob_setup());
	c = kmem_cache_create("small", 20, 0, 0, NULL);
	large = kmem_cache_create("large", 9000, 0, 0, NULL);
	kfree(ashlar_kmalloc(20, GFP_KERNEL));
	kfree(ashlar_kmalloc(9000, GFP_KERNEL));
	kfree(kmem_cache_alloc(c, GFP_KERNEL)); /* impossible on Linux's: it has no header there */
	kfree(kmem_cache_alloc(large, GFP_KERNEL));
	EXPECT_EQ(c->live, 0);
	EXPECT_EQ(large->live, 0);
	kmem_cache_destroy(c);
	kmem_cache_destroy(large);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(pages_taken(), 0);
}

TEST(api_B16_sizes_are_told)
{
	struct kmem_cache *c;

	REQUIRE(slob_setup());
	for (size_t size = 1; size < 12000; size++) {
		void *p = kmalloc_slow(size, GFP_KERNEL);

		EXPECT_EQ(ksize(p), kmalloc_size_roundup(size)); /* B19 */
		EXPECT_GE(ksize(p), size);
		EXPECT_LT(ksize(p), size <= 4078 ? size + 16 : size + 4097);
		kfree(p);
	}
	EXPECT_EQ(kmalloc_size_roundup(0), 0);
	EXPECT_EQ(kmalloc_size_roundup(SIZE_MAX), SIZE_MAX);
	c = kmem_cache_create("told", 21, 0, 0, NULL);
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(ksize(held[0]), 22); /* on Linux's: not to be asked */
}

/* ---- B17, B18 -------------------------------------------------------------- */

static unsigned constructed;

static void construct(void *object)
{
	constructed++;
	memset(object, 0x5a, 50);
}

TEST(api_B17_constructor_at_every_allocation)
{
	struct kmem_cache *c;

	REQUIRE(slob_setup());
	c = kmem_cache_create("made", 50, 0, 0, construct);
	for (unsigned i = 1; i <= 5; i++) {
		held[0] = kmem_cache_alloc(c, GFP_KERNEL | __GFP_ZERO); /* not with a constructor */
		EXPECT_EQ(constructed, i);
		EXPECT(is_filled(held[0], 50, 0x5a));
		memset(held[0], 0, 50);
		kmem_cache_free(c, held[0]);
	}
}

TEST(api_B17_destroy_finds_leaks)
{
	struct kmem_cache *c;

	REQUIRE(slob_setup());
	c = kmem_cache_create("leaky", 40, 0, 0, NULL);
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	held[1] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(kmem_cache_shrink(c), 1);
	kmem_cache_destroy(c);
	EXPECT(says(
		"kmem_cache_destroy(\"leaky\"): 2 objects are still in use; the cache stays\n"));
	kfree(held[0]);
	help_clear();
	kmem_cache_destroy(c);
	EXPECT(says("1 object is still in use"));
	kmem_cache_free(c, held[1]);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	help_clear();
	kmem_cache_destroy(c);
	kmem_cache_destroy(NULL);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(pages_taken(), 0);
}

static struct kmem_cache *other;

static void free_to_other(void)
{
	kmem_cache_free(other, held[0]);
}

TEST(api_B17_objects_know_their_cache)
{
	struct kmem_cache *c;

	REQUIRE(slob_setup());
	c = kmem_cache_create("mine", 40, 0, 0, NULL);
	other = kmem_cache_create("yours", 40, 0, 0, NULL);
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT(help_aborts(free_to_other));
	EXPECT(says("wrong cache: freed to yours, this object is of mine\n"));
	held[0] = ashlar_kmalloc(40, GFP_KERNEL);
	EXPECT(help_aborts(free_to_other));
	EXPECT(says("this object is of no cache (kmalloc)\n"));
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, held[0]);
	EXPECT(help_aborts(free_to_other));
	EXPECT(says("double free"));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(api_B17_large_objects_have_pages)
{
	struct kmem_cache *c;

	REQUIRE(slob_setup());
	c = kmem_cache_create("large", 4096, 64, 0, NULL);
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(page_of(held[0])->kind, PAGE_RUN);
	EXPECT_EQ(page_of(held[0])->next, 1);
	kmem_cache_destroy(c);
	EXPECT(says("1 object is still in use"));
	kmem_cache_free(c, held[0]);
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_destroy(c);
	EXPECT_EQ(pages_taken(), 0);
}

TEST(api_B17_caches_are_not_merged)
{
	struct kmem_cache *a, *b;

	REQUIRE(slob_setup());
	a = kmem_cache_create("same", 40, 0, 0, NULL);
	b = kmem_cache_create("same", 40, 0, 0, NULL);
	EXPECT_PTR_NE(a, b);
	EXPECT_NE(a->id, b->id);
	held[0] = kmem_cache_alloc(a, GFP_KERNEL);
	held[1] = kmem_cache_alloc(b, GFP_KERNEL);
	EXPECT_EQ((char *)held[1] - (char *)held[0],
		  48); /* side by side in one page: 44, aligned to 8 */
	EXPECT_EQ(kmem_cache_size(a), 40);
}

TEST(api_B17_alignments)
{
	REQUIRE(slob_setup());
	for (unsigned align = 1; align <= 65536; align *= 2) {
		struct kmem_cache *c = kmem_cache_create("aligned", 24, align, 0, NULL);

		REQUIRE(c != NULL);
		for (unsigned i = 0; i < 10; i++) {
			held[i] = kmem_cache_alloc(c, GFP_KERNEL);
			REQUIRE(held[i] != NULL);
			EXPECT_EQ((uintptr_t)held[i] % size_max(align, 8), 0);
		}
		kmem_cache_free_bulk(c, 10, held);
		kmem_cache_destroy(c);
	}
	EXPECT_EQ(pages_taken(), 0);
}

TEST(api_B18_bulk_is_all_or_nothing)
{
	struct kmem_cache *c;

	sim_reset();
	sim.arena_bytes = (size_t)2 << 20;
	REQUIRE(init_ready());
	c = kmem_cache_create("bulk", 1000, 0, 0, NULL);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 100, held), 100);
	EXPECT_EQ(c->live, 100);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 2900, held + 100), 0);
	EXPECT_EQ(c->live, 100);
	kmem_cache_free_bulk(NULL, 50, held);
	kmem_cache_free_bulk(c, 50, held + 50);
	EXPECT_EQ(c->live, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- B20: what it costs ---------------------------------------------------- */

TEST(api_B20_thirty_caches_share_a_page)
{
	static struct kmem_cache *c[30];

	REQUIRE(slob_setup());
	EXPECT_LE(sizeof(struct page), 12);
	EXPECT_EQ(SLOB_HEADER_KMALLOC, 2);
	EXPECT_EQ(SLOB_HEADER_OBJECT, 4);
	for (unsigned i = 0; i < 30; i++)
		c[i] = kmem_cache_create("one of thirty", 20 + i, 2, 0, NULL);
	for (unsigned i = 0; i < 30; i++)
		held[i] = kmem_cache_alloc(c[i], GFP_KERNEL);
	tap_note_number("pages for 30 caches with an object each, all told:", pages_taken());
	EXPECT_LE(pages_taken(), 2); /* with a page for each cache: 30 and theirs */
}

/* ---- classes as pointers --------------------------------------------------- */

TEST(api_SC4_constant_sizes_of_other_programs)
{
	void *p;

	REQUIRE(slob_setup());
	for (unsigned class = 0; class < CONFIG_KMALLOC_CLASSES; class ++) {
		struct kmem_cache *c = ashlar_kmalloc_caches[class];
		unsigned size = kmem_cache_size(c);

		EXPECT_EQ(ashlar_kmalloc_class(size), class);
		p = kmem_cache_alloc(c, GFP_KERNEL);
		REQUIRE(p != NULL);
		EXPECT_GE(ksize(p), size);
		if (class % 2)
			kmem_cache_free(c, p);
		else
			kfree(p);
	}
	p = kmalloc(24, GFP_KERNEL); /* resolved while compiling */
	EXPECT_GE(ksize(p), 24);
	kfree(p);
	kmem_cache_destroy(ashlar_kmalloc_caches[3]);
	EXPECT(says("refused: this cache is Ashlar's own"));
	EXPECT_EQ(pages_taken(), 0);
}

/* ---- create ---------------------------------------------------------------- */

TEST(api_create_says_why_not)
{
	REQUIRE(slob_setup());
	EXPECT_NULL(kmem_cache_create(NULL, 8, 0, 0, NULL));
	EXPECT(says("kmem_cache_create(): refused: a cache needs a name\n"));
	EXPECT_NULL(kmem_cache_create("x", 0, 0, 0, NULL));
	EXPECT(says("(\"x\"): refused: the size is 0\n"));
	EXPECT_NULL(kmem_cache_create("x", 8, 3, 0, NULL));
	EXPECT(says("the alignment is not a power of two up to 4 MiB"));
	EXPECT_NULL(kmem_cache_create("x", (4u << 20) + 1, 0, 0, NULL));
	EXPECT(says("the size is above 4 MiB"));
	EXPECT_NULL(kmem_cache_create("x", 8, 0, 1, NULL));
	EXPECT(says("unknown flags"));
	EXPECT_EQ(pages_taken(), 0);
}

TEST(api_ids_go_round)
{
	struct kmem_cache *kept;

	REQUIRE(slob_setup());
	kept = kmem_cache_create("kept", 8, 0, 0, NULL);
	for (unsigned i = 0; i < 66000; i++) {
		struct kmem_cache *c = kmem_cache_create("round", 8, 0, 0, NULL);

		REQUIRE(c != NULL);
		EXPECT_NE(c->id, kept->id);
		EXPECT_NE(c->id, 0);
		EXPECT_NE(c->id, SLOB_ANY);
		kmem_cache_destroy(c);
	}
}

/* ---- pages ----------------------------------------------------------------- */

static void free_wrong_order(void)
{
	free_pages((unsigned long)(uintptr_t)held[0], 2);
}

static void kfree_block(void)
{
	kfree(held[0]);
}

TEST(api_pages_of_every_order)
{
	REQUIRE(slob_setup());
	for (unsigned order = 0; order < 8; order++) {
		struct page *pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);

		REQUIRE(pg != NULL);
		held[0] = page_address(pg);
		EXPECT_PTR_EQ(virt_to_page(held[0]), pg);
		EXPECT(is_filled(held[0], PAGE_SIZE << order, 0));
		memset(held[0], 1, PAGE_SIZE << order);
		__free_pages(pg, order);
	}
	held[0] = (void *)__get_free_pages(GFP_KERNEL, 3);
	EXPECT(help_aborts(free_wrong_order));
	EXPECT(help_aborts(kfree_block));
	free_pages((unsigned long)(uintptr_t)held[0], 3);
	EXPECT_EQ(pages_taken(), 0);
	EXPECT_NULL(alloc_pages(GFP_KERNEL | __GFP_DMA, 0));
}

static void get_kmallocs(void)
{
	get_page(virt_to_page(held[1]));
}

static void free_kmallocs(void)
{
	free_pages((uintptr_t)held[1] & ~(uintptr_t)(PAGE_SIZE - 1), 0);
}

/* Who takes it for pages is told whose it is, whatever lies at the page's beginning. */
TEST(api_MM1_what_is_kmallocs_is_no_block_of_pages)
{
	static const size_t sizes[] = { 40, 2000, 5000 };

	REQUIRE(slob_setup());
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		held[1] = ashlar_kmalloc(sizes[i], GFP_KERNEL);
		EXPECT(help_aborts(get_kmallocs));
		EXPECT(says("): invalid pointer: this memory is kmalloc's or a cache's, "
			    "not a block of pages"));
		EXPECT(help_aborts(free_kmallocs));
		EXPECT(says("): invalid free: this memory is kmalloc's or a cache's, "
			    "not a block of pages"));
		kfree(held[1]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- zones: BL1 ------------------------------------------------------------ */

static _Alignas(4096) char fast[8 * 4096];
static _Alignas(4096) char battery[8 * 4096];

static bool in(const void *p, const char *region)
{
	return (const char *)p >= region && (const char *)p < region + 8 * 4096;
}

TEST(api_BL1_who_asks_gets_it_or_nothing)
{
	unsigned n = 0;

	REQUIRE(slob_setup());
	EXPECT_NULL(ashlar_kmalloc(10, GFP_KERNEL | __GFP_DMA));
	EXPECT(says("refused: this home has no such memory"));
	EXPECT_EQ(ashlar_heap_add(fast, sizeof(fast), ASHLAR_HEAP_FAST | ASHLAR_HEAP_DMA),
		  7 * 4096);
	ashlar_heap_add(battery, sizeof(battery), ASHLAR_HEAP_BATTERY | ASHLAR_HEAP_ASKED);
	EXPECT(in(ashlar_kmalloc(10, GFP_KERNEL | __GFP_DMA), fast));
	EXPECT(in(ashlar_kmalloc(10, GFP_KERNEL | ASHLAR_GFP_FAST), fast));
	EXPECT(in(ashlar_kmalloc(5000, GFP_KERNEL | ASHLAR_GFP_BATTERY), battery));
	EXPECT_NULL(ashlar_kmalloc(10, GFP_KERNEL | ASHLAR_GFP_BATTERY | ASHLAR_GFP_FAST));
	while (ashlar_kmalloc(3000, GFP_KERNEL | ASHLAR_GFP_FAST))
		n++;
	EXPECT_EQ(n, 7); /* and beside the first two */
	held[0] = ashlar_kmalloc(10, GFP_KERNEL);
	EXPECT(!in(held[0], fast) && !in(held[0], battery));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(api_BL1_plain_requests_spill_into_what_is_not_kept)
{
	unsigned in_fast = 0, in_battery = 0;

	sim_reset();
	sim.arena_bytes = (size_t)2 << 20;
	REQUIRE(init_ready());
	ashlar_heap_add(fast, sizeof(fast), ASHLAR_HEAP_FAST);
	ashlar_heap_add(battery, sizeof(battery), ASHLAR_HEAP_BATTERY | ASHLAR_HEAP_ASKED);
	for (;;) {
		void *p = ashlar_kmalloc(3000, GFP_KERNEL);

		if (!p)
			break;
		in_fast += in(p, fast);
		in_battery += in(p, battery);
	}
	EXPECT_EQ(in_fast, 7);
	EXPECT_EQ(in_battery, 0);
}

TEST(api_add_refuses_what_is_too_small)
{
	REQUIRE(slob_setup());
	EXPECT_EQ(ashlar_heap_add(fast, 100, 0), 0);
	EXPECT_EQ(ashlar_heap_add(fast, 4096, 0), 0);
	EXPECT_EQ(ashlar_heap_add(fast + 1, 8190, 0), 0); /* the page is not whole */
	EXPECT_EQ(ashlar_heap_add(fast + 1, 3 * 4096 - 1, 0), 2 * 4096);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(api_add_refuses_what_it_has)
{
	void *p;

	REQUIRE(slob_setup());
	EXPECT_EQ(ashlar_heap_add(fast + 4096, 3 * 4096, ASHLAR_HEAP_FAST), 2 * 4096);
	EXPECT_EQ(ashlar_heap_add(fast + 4096, 3 * 4096, ASHLAR_HEAP_FAST), 0);
	EXPECT_EQ(ashlar_heap_add(fast, 2 * 4096, 0), 0);            /* its table */
	EXPECT_EQ(ashlar_heap_add(fast + 3 * 4096, 2 * 4096, 0), 0); /* its last page */
	p = ashlar_kmalloc(5000, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_EQ(ashlar_heap_add(p, 5000, 0), 0);
	kfree(p);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- what the heap says ---------------------------------------------------- */

TEST(api_stat_adds_up)
{
	struct ashlar_heap_stat s;
	size_t total;

	REQUIRE(slob_setup());
	ashlar_heap_stat(&s);
	total = s.total_bytes;
	EXPECT_EQ(s.used_bytes, 0);
	EXPECT_EQ(s.fragmented, 0);
	EXPECT_EQ(s.largest_bytes, total);
	held[0] = ashlar_kmalloc(30, GFP_KERNEL);
	held[1] = ashlar_kmalloc(5000, GFP_KERNEL);
	ashlar_heap_stat(&s);
	EXPECT_EQ(s.total_bytes, total);
	EXPECT_EQ(s.used_bytes, 32 + 8192);
	EXPECT_EQ(s.used_bytes + s.free_bytes, total);
	EXPECT_EQ(s.page_bytes, total - 3 * 4096);
	EXPECT_EQ(s.blocks, 2); /* before the block, and behind it */
	EXPECT_GT(s.fragmented, 0);
	kfree(held[0]);
	kfree(held[1]);
	ashlar_heap_stat(&s);
	EXPECT_EQ(s.used_bytes, 0);
	EXPECT_EQ(s.least_bytes, total - 3 * 4096);
}

/* Without growing: one kmalloc may have this, no byte more; with leave to grow there is more. */
TEST(api_largest_block_can_be_had_and_no_more)
{
	struct ashlar_heap_stat s;
	unsigned in_pages = 0, in_blocks = 0, grown = 0;

	sim_reset();
	sim.arena_bytes = (size_t)2 << 20;
	REQUIRE(init_ready());
	for (unsigned i = 0; i < 3000; i++) {
		void *p;

		held[i] = ashlar_kmalloc(100 + i % 7 * 500, GFP_KERNEL);
		if (i % 4 == 3) {
			kfree(held[i - 2]);
			held[i - 2] = NULL;
		}
		ashlar_heap_stat(&s);
		if (s.page_bytes)
			in_pages++;
		else
			in_blocks++;
		EXPECT_LE(s.largest_bytes, s.free_bytes);
		EXPECT_NULL(ashlar_kmalloc(s.largest_bytes + 1, GFP_NOWAIT));
		p = s.largest_bytes ? ashlar_kmalloc(s.largest_bytes, GFP_NOWAIT) : NULL;
		EXPECT_EQ(p != NULL, s.largest_bytes != 0);
		kfree(p);
		if (i % 100 == 0 && (p = ashlar_kmalloc(s.largest_bytes + 1, GFP_KERNEL))) {
			grown++;
			kfree(p);
		}
	}
	EXPECT_GT(in_pages, 100);
	EXPECT_GT(in_blocks, 100);
	EXPECT_GT(grown, 2);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* What is free at the end of what is online counts as a whole: no block has its length. */
TEST(api_largest_at_the_end)
{
	struct ashlar_heap_stat s;
	unsigned odd = 0;

	REQUIRE(slob_setup());
	for (unsigned i = 0; i < 60; i++) {
		held[i] = ashlar_kmalloc(PAGE_SIZE * (1 + i % 3), GFP_KERNEL);
		ashlar_heap_stat(&s);
		odd += (s.largest_bytes & (s.largest_bytes - 1)) != 0;
		if (s.largest_bytes) {
			void *p = ashlar_kmalloc(s.largest_bytes, GFP_NOWAIT);

			EXPECT_NOT_NULL(p);
			kfree(p);
		}
	}
	EXPECT_GT(odd, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(api_attributes_that_mean_nothing)
{
	static const uint32_t wrong[] = { 0x20, 0x80 | ASHLAR_HEAP_DMA, ASHLAR_HEAP_ASKED,
					  ASHLAR_HEAP_NODE(PORT_MAX_NODES), UINT32_MAX };

	REQUIRE(slob_setup());
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		help_clear();
		EXPECT_EQ(ashlar_heap_add(fast, sizeof(fast), wrong[i]), 0);
		EXPECT_TEXT_EQ(sim.text, "ashlar: ashlar_heap_add(\"memory\"): refused: "
					 "unknown attributes\n");
	}
	EXPECT_GT(ashlar_heap_add(fast, sizeof(fast), ASHLAR_HEAP_DMA32 | ASHLAR_HEAP_ASKED), 0);
	EXPECT_GT(ashlar_heap_add(battery, sizeof(battery), ASHLAR_HEAP_NODE(PORT_MAX_NODES - 1)),
		  0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(api_minimum_of_a_trace)
{
	static struct ashlar_heap_event trace[400];
	static void *slots[50];
	static _Alignas(4096) char scratch[64 * 4096];
	size_t bytes, before;

	REQUIRE(slob_setup());
	held[0] = ashlar_kmalloc(100, GFP_KERNEL);
	before = pages_taken();
	for (unsigned i = 0; i < 400; i++)
		trace[i] = (struct ashlar_heap_event){ i * 7 % 50, i % 3 ? 500 + i : 0 };
	bytes = ashlar_heap_minimum(trace, 400, slots, scratch, sizeof(scratch));
	tap_note_number("bytes for at most 50 blocks of 500 to 900:", bytes);
	EXPECT_GT(bytes, 10000);
	EXPECT_LT(bytes, 60000);
	EXPECT_EQ(pages_taken(), before); /* the heap in use was left alone */
	EXPECT_EQ(ashlar_heap_minimum(trace, 400, slots, scratch, bytes / 2), 0);
	EXPECT_GT(ashlar_heap_minimum(trace, 400, slots, scratch, bytes), 0);
	kfree(held[0]);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- memory goes back ------------------------------------------------------ */

TEST(api_R1_free_memory_is_bounded)
{
	REQUIRE(slob_setup());
	for (unsigned i = 0; i < 24; i++) {
		held[i] = ashlar_kmalloc((size_t)256 << 10, GFP_KERNEL);
		memset(held[i], 1, (size_t)256 << 10);
	}
	for (unsigned i = 0; i < 24; i++)
		kfree(held[i]);
	EXPECT_LE(pages_zones->dirty_pages << PAGE_SHIFT, (size_t)CONFIG_KEEP_BYTES);
	EXPECT_GE(sim.discarded, (size_t)1 << 20);
	EXPECT_GT(ashlar_purge(), 0);
	EXPECT_EQ(pages_zones->dirty_pages, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	held[0] = kzalloc((size_t)4 << 20, GFP_KERNEL);
	EXPECT(is_filled(held[0], (size_t)4 << 20, 0));
}

static unsigned shrunk;

static size_t count_one(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	return held[0] ? 1 : 0;
}

static size_t scan_one(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)gfp;
	(void)n;
	kfree(held[0]);
	held[0] = NULL;
	shrunk++;
	return 1;
}

TEST(api_R3_shrinkers_help_where_they_may)
{
	struct shrinker s = { .count = count_one, .scan = scan_one };

	sim_reset();
	sim.arena_bytes = (size_t)4 << 20;
	REQUIRE(init_ready());
	register_shrinker(&s);
	held[0] = ashlar_kmalloc((size_t)1 << 20, GFP_KERNEL);
	while (ashlar_kmalloc((size_t)64 << 10, GFP_NOFS))
		;
	EXPECT_EQ(shrunk, 0);
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 20, GFP_ATOMIC));
	EXPECT_NOT_NULL(ashlar_kmalloc((size_t)1 << 20, GFP_KERNEL));
	EXPECT_EQ(shrunk, 1);
	unregister_shrinker(&s);
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 20, GFP_KERNEL));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* As if another thread's had freed it between this one's look and its turn. */
static size_t count_freed(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	kfree(held[0]);
	held[0] = NULL;
	return 0;
}

TEST(api_R3_what_another_thread_freed_is_looked_at)
{
	struct shrinker s = { .count = count_freed };

	sim_reset();
	sim.arena_bytes = (size_t)4 << 20;
	REQUIRE(init_ready());
	register_shrinker(&s);
	held[0] = ashlar_kmalloc((size_t)1 << 20, GFP_KERNEL);
	while (ashlar_kmalloc((size_t)64 << 10, GFP_NOFS))
		;
	EXPECT_NOT_NULL(ashlar_kmalloc((size_t)1 << 20, GFP_KERNEL | __GFP_NORETRY));
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 20, GFP_KERNEL));
	unregister_shrinker(&s);
	EXPECT_EQ(ashlar_audit(), 0);
}

static struct kmem_cache *counted;
static size_t counted_live;

static size_t count_live(struct shrinker *sh, gfp_t gfp)
{
	(void)sh;
	(void)gfp;
	counted_live = counted->live;
	return 0;
}

/* BL3: an object is counted before it is there, so a proof beside other threads finds no more than
 * are counted; one that cannot be had is not. */
TEST(api_BL3_counted_before_it_is_there)
{
	struct shrinker s = { .count = count_live };

	REQUIRE(slob_setup());
	counted = kmem_cache_create("counted", 100000, 0, 0, NULL);
	REQUIRE(counted != NULL);
	register_shrinker(&s);
	sim.fail_at = 1;
	sim.fail_on = true;
	while (kmem_cache_alloc(counted, GFP_KERNEL))
		continue;
	EXPECT_GE(counted_live, 1);
	EXPECT_EQ(counted->live, counted_live - 1);
	EXPECT_EQ(ashlar_audit(), 0);
	counted->live--;
	EXPECT_NE(ashlar_audit(), 0);
	unregister_shrinker(&s);
}

/* ---- exhaustion at each step ----------------------------------------------- */

static bool some_work(void)
{
	struct kmem_cache *c = kmem_cache_create("oom", 300, 0, 0, NULL);
	bool all = c != NULL;
	void *big[4];

	for (unsigned i = 0; i < 600; i++) {
		held[i] = i % 2 && c ? kmem_cache_alloc(c, GFP_KERNEL) :
				       ashlar_kmalloc(1 + i * 5, GFP_KERNEL);
		all &= held[i] != NULL;
	}
	for (unsigned i = 0; i < 4; i++) {
		big[i] = kmalloc_aligned((size_t)30000 << i, (size_t)65536, GFP_KERNEL);
		all &= big[i] != NULL;
	}
	for (unsigned i = 0; i < 4; i++) {
		void *p = big[i] ? krealloc(big[i], (size_t)70000 << i, GFP_KERNEL) : NULL;

		all &= p != NULL;
		kfree(p ? p : big[i]);
	}
	for (unsigned i = 0; i < 600; i++)
		kfree(held[i]);
	kmem_cache_destroy(c);
	return all;
}

TEST(api_oom_at_each_request)
{
	unsigned n = 0;
	bool done = false;

	while (!done && n < 200) {
		sim_reset();
		pages_zones = NULL;
		if (init_begun()) /* the home keeps what was started: a new zone will do */
			REQUIRE(pages_reserve((size_t)64 << 20, PAGE_SIZE));
		REQUIRE(init_ready());
		sim.fail_at = ++n;
		sim.fail_on = n % 2;
		some_work();
		done = sim.fail_at != 0 && !(sim.fail_on && sim.fail_at == 1);
		sim.fail_at = 0;
		REQUIRE(ashlar_audit() == 0);
		EXPECT_EQ(pages_taken(), 0);
		REQUIRE(some_work()); /* and everything works again */
		EXPECT_EQ(sim.waits, 0);
	}
	EXPECT(done);
	tap_note_number("requests refused, one after the other:", n);
	EXPECT_GT(n, 3);
}

TEST(api_without_any_memory)
{
	sim_reset();
	sim.fail_at = 1;
	EXPECT_NULL(ashlar_kmalloc(8, GFP_KERNEL));
	EXPECT_NULL(kmem_cache_create("x", 8, 0, 0, NULL));
	EXPECT(says("there is no memory at all"));
	EXPECT_EQ(ashlar_purge(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(api_atomic_asks_the_system_for_nothing)
{
	uint64_t requests;

	REQUIRE(slob_setup());
	requests = sim.requests;
	for (unsigned i = 0; i < 3000; i++)
		held[i] = ashlar_kmalloc(1000, GFP_ATOMIC);
	EXPECT_EQ(sim.requests, requests);
	EXPECT_NULL(held[2999]); /* what is online is not so much */
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(api_fork_stops_everything)
{
	REQUIRE(slob_setup());
	held[0] = ashlar_kmalloc(100, GFP_KERNEL);
	init_stop();
	init_resume_child();
	kfree(held[0]);
	EXPECT_EQ(pages_taken(), 0);
	EXPECT_EQ(sim.waits, 0);
}

static unsigned depth, deepest;

/* The child of a fork in a scan goes on in it, as another thread. */
static size_t scan_forks(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)n;
	depth++;
	deepest = depth > deepest ? depth : deepest;
	if (depth < 10) {
		init_stop();
		sim.thread++;
		init_resume_child();
		EXPECT_NULL(ashlar_kmalloc(SIZE_MAX / 4, gfp));
	}
	depth--;
	return 0;
}

TEST(api_shrinkers_do_not_nest_in_a_child_that_was_forked_there)
{
	static struct shrinker s = { .count = count_one, .scan = scan_forks };

	REQUIRE(slob_setup());
	held[0] = ashlar_kmalloc(8, GFP_KERNEL); /* for count_one */
	register_shrinker(&s);
	EXPECT_NULL(ashlar_kmalloc(SIZE_MAX / 4, GFP_KERNEL));
	EXPECT_EQ(deepest, 1);
	unregister_shrinker(&s);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- runs, and the end of what is online --------------------------------------------- */

TEST(api_a_run_grows_where_it_is)
{
	char *p, *q;

	REQUIRE(slob_setup());
	p = kzalloc(5 * PAGE_SIZE, GFP_KERNEL);
	REQUIRE(p != NULL);
	memset(p, 1, 5 * PAGE_SIZE);
	q = krealloc(p, 7 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	EXPECT_PTR_EQ(q, p);
	EXPECT(is_filled(q + 5 * PAGE_SIZE, 2 * PAGE_SIZE, 0));
	EXPECT_EQ(ksize(q), 7 * PAGE_SIZE);
	EXPECT_EQ(ashlar_audit(), 0);
	REQUIRE(alloc_pages(GFP_KERNEL, 0) != NULL);
	while (pages_zones->pages[pages_number(pages_zones, q) + 7].kind != PAGE_RUN)
		REQUIRE(alloc_pages(GFP_KERNEL, 0) != NULL);
	p = krealloc(q, 9 * PAGE_SIZE, GFP_KERNEL); /* somebody is behind it */
	EXPECT_PTR_NE(p, q);
	EXPECT(is_filled(p, 5 * PAGE_SIZE, 1));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(api_purge_takes_the_end_offline)
{
	size_t before;
	char *p;

	REQUIRE(slob_setup());
	before = pages_zones->nr_pages;
	for (unsigned round = 0; round < 3; round++) {
		p = ashlar_kmalloc(3 << 20, GFP_KERNEL);
		REQUIRE(p != NULL);
		memset(p, 1, 3 << 20);
		EXPECT_GT(pages_zones->nr_pages, before);
		kfree(p);
		EXPECT_GT(ashlar_purge(), 0);
		EXPECT_LE(pages_zones->nr_pages, before);
		EXPECT_EQ(ashlar_audit(), 0);
	}
	p = kzalloc(3 << 20, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT(is_filled(p, 3 << 20, 0));
}

TEST(api_large_runs_need_no_buddy)
{
	size_t before;

	REQUIRE(slob_setup());
	before = pages_zones->nr_pages;
	for (unsigned i = 0; i < 3; i++)
		REQUIRE(ashlar_kmalloc(5 * (PAGE_SIZE << 6), GFP_KERNEL) != NULL);
	/* 320 pages each: as buddies they would take 512 */
	EXPECT_LT(pages_zones->nr_pages, before + 3 * 320 + 320);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- letters while the program runs ----------------------------------------- */

TEST(api_slab_debug_has_F_and_A)
{
	struct kmem_cache *cats;

	REQUIRE(slob_setup());
	cats = kmem_cache_create("cats", 40, 0, 0, NULL);
	REQUIRE(cats);
	EXPECT_EQ(ashlar_slab_debug("FZ,cats"), -22);
	EXPECT(says("ashlar_slab_debug(\"FZ,cats\"): refused: slob has no room beside objects "
		    "for Z P U T\n"));
	EXPECT_EQ(ashlar_slab_debug("Q"), -22);
	EXPECT_EQ(ashlar_slab_debug("F;A,cats"), 0);
	EXPECT_EQ(ashlar_failslab("1,100,0,-1"), 0);
	EXPECT_NULL(kmem_cache_alloc(cats, GFP_KERNEL));
	EXPECT(kmalloc(40, GFP_KERNEL) != NULL);
	EXPECT_EQ(ashlar_slab_debug(NULL), 0);
	EXPECT_NULL(kmalloc(40, GFP_KERNEL));
	EXPECT_EQ(ashlar_failslab(NULL), 0);
	EXPECT(kmem_cache_alloc(cats, GFP_KERNEL) != NULL);
}
