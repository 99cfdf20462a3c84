/* SPDX-License-Identifier: MIT */
/*
 * cache_test.c - a cache's life, its objects one by one and in bulk
 */
/* lint: long - one file mirrors cache.c and life.c */
#include "base/bits.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "made_help.h"

#define MANY 4096u

static void *held[MANY];

/* ---- create ------------------------------------------------------------------- */

static void panic(void)
{
	kmem_cache_create("x", 0, 0, SLAB_PANIC, NULL);
}

TEST(cache_create_panic_ends_the_program)
{
	REQUIRE(setup());
	EXPECT(help_aborts(panic));
	EXPECT(help_contains(sim.text, "(\"x\"): refused: the size is 0\n"));
	EXPECT(help_contains(sim.text, "SLAB_PANIC: the cache could not be created"));
}

TEST(cache_alignment_as_asked)
{
	REQUIRE(setup());
	for (unsigned align = 1; align <= 4u << 20; align *= 2) {
		struct kmem_cache *c = kmem_cache_create("aligned", 40, align, 0, NULL);
		unsigned n = align > 1u << 16 ? 2 : 50;

		if (align > map.align) {
			EXPECT_NULL(c);
			continue;
		}
		REQUIRE(c != NULL);
		for (unsigned i = 0; i < n; i++) {
			held[i] = kmem_cache_alloc(c, GFP_KERNEL);
			REQUIRE(held[i] != NULL);
			REQUIRE((uintptr_t)held[i] % size_max(align, 16) == 0);
		}
		kmem_cache_free_bulk(c, n, held);
		kmem_cache_destroy(c);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Above what the arena is aligned to there is no such object, whatever the shape says. */
TEST(cache_alignment_beyond_the_arena_is_refused)
{
	PAGES_ARE_MANY();
	REQUIRE(setup());
	REQUIRE(map.align == 2u << 20);
	refused("x", 8, 4u << 20, 0, "this memory cannot be aligned so far");
}

TEST(cache_line_alignment_halves_for_small_objects)
{
	static const struct {
		unsigned size;
		unsigned align;
	} cases[] = { { 8, 16 },  { 16, 16 }, { 17, 32 }, { 32, 32 },
		      { 33, 64 }, { 64, 64 }, { 65, 64 }, { 200, 64 } };

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kmem_cache *c =
			kmem_cache_create("lines", cases[i].size, 0, SLAB_HWCACHE_ALIGN, NULL);

		REQUIRE(c != NULL);
		EXPECT_EQ(c->align, cases[i].align);
		EXPECT_EQ(c->shape.stride, size_align(cases[i].size, cases[i].align));
		kmem_cache_destroy(c);
	}
}

static bool is_listed(const struct kmem_cache *c)
{
	struct list *node;
	bool found = false;

	list_for_each(node, &cache_list)
		found |= container_of(node, struct kmem_cache, link) == c;
	return found;
}

TEST(cache_K1_id_is_free_only_when_its_arrays_are)
{
	struct kmem_cache *c;
	u32 offset;

	REQUIRE(setup());
	c = make(64);
	offset = c->header_offset;
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		sim.cpu = cpu;
		kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
		EXPECT_GT(array_count(c), 0);
	}
	EXPECT_PTR_EQ(cache_node_at(offset), c->node);
	kmem_cache_destroy(c);
	EXPECT_NULL(cache_node_at(offset));
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		const struct array_cache *a = sim.region[cpu];

		EXPECT_EQ(a[offset / 16].limit, 0);
		EXPECT_EQ(a[offset / 16].avail, 0);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_K1_all_ids_taken)
{
	static struct kmem_cache *all[CONFIG_MAX_IDS];
	unsigned n = 0;

	REQUIRE(setup());
	while (n < CONFIG_MAX_IDS && (all[n] = cache_make("one of many", 64, 16, 0, NULL)))
		n++;
	EXPECT_LT(n, CONFIG_MAX_IDS);
	EXPECT_GT(n, CONFIG_MAX_IDS - CONFIG_KMALLOC_CLASSES - 20);
	EXPECT_NULL(kmem_cache_create("too many", 64, 0, 0, NULL));
	kmem_cache_destroy(all[n / 2]);
	all[n / 2] = kmem_cache_create("again", 64, 0, 0, NULL);
	EXPECT_NOT_NULL(all[n / 2]);
	held[0] = kmem_cache_alloc(all[n / 2], GFP_KERNEL);
	EXPECT_NOT_NULL(held[0]);
	kmem_cache_free(all[n / 2], held[0]);
	while (n)
		kmem_cache_destroy(all[--n]);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_K2_listed_from_create_to_destroy)
{
	struct kmem_cache *c;
	struct kmem_cache *d;

	REQUIRE(setup());
	c = make(64);
	d = make(64);
	EXPECT(is_listed(c));
	EXPECT_PTR_EQ(container_of(cache_list.prev, struct kmem_cache, link), d); /* oldest first */
	kmem_cache_destroy(c);
	EXPECT_FALSE(is_listed(c));
	EXPECT(is_listed(d));
	kmem_cache_destroy(d);
	EXPECT_FALSE(is_listed(d));
}

/* ---- objects ----------------------------------------------------------------------- */

TEST(cache_alloc_last_freed_first)
{
	struct kmem_cache *c;

	REQUIRE(setup());
	c = make(100);
	for (unsigned i = 0; i < 10; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned i = 0; i < 10; i++) {
		EXPECT_EQ(*map_state(held[i]), map_state_in_use(held[i]));
		kmem_cache_free(c, held[i]);
		EXPECT_EQ(*map_state(held[i]), STATE_FREE);
	}
	for (unsigned i = 10; i-- > 0;)
		EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), held[i]);
	kmem_cache_free(c, NULL);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_first_objects_by_address)
{
	struct kmem_cache *c;
	char *first;

	REQUIRE(setup());
	c = make(64);
	first = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned i = 1; i < c->shape.objects; i++)
		REQUIRE(kmem_cache_alloc(c, GFP_KERNEL) == first + 64 * (size_t)i);
	EXPECT_EQ(c->node->slabs, 1);
	kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(c->node->slabs, 2);
	EXPECT_EQ(ashlar_audit(), 0);
}

static size_t constructed;

static void construct(void *p)
{
	constructed++;
	memset(p, 0x5c, 80);
}

TEST(cache_ctor_once_for_each_object_of_a_slab)
{
	struct kmem_cache *c;
	size_t objects;

	REQUIRE(setup());
	c = kmem_cache_create("made", 80, 0, 0, construct);
	REQUIRE(c != NULL);
	EXPECT_EQ(constructed, 0);
	objects = c->shape.objects;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < objects; i++) {
			held[i] = kmem_cache_alloc(c, GFP_KERNEL);
			REQUIRE(held[i] && is_filled(held[i], 80, 0x5c));
		}
		EXPECT_EQ(constructed, objects); /* objects come back constructed */
		kmem_cache_free_bulk(c, objects, held);
	}
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(constructed, 2 * objects);
	EXPECT(is_filled(held[0], 80, 0x5c));
	ashlar_purge(); /* gives pages back, but not from under constructed objects */
	for (unsigned i = 1; i < objects; i++) {
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
		REQUIRE(held[i] && is_filled(held[i], 80, 0x5c));
	}
}

/* ---- bulk ---------------------------------------------------------------------------- */

static bool all_different(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (*map_state(held[i]) != map_state_in_use(held[i]))
			return false;
		*(size_t *)held[i] = i;
	}
	for (size_t i = 0; i < n; i++)
		if (*(size_t *)held[i] != i)
			return false;
	return true;
}

TEST(cache_bulk_of_every_length)
{
	static const size_t counts[] = { 1, 2, 59, 60, 61, 119, 120, 121, 500, 1024, 3000, 4096 };
	struct kmem_cache *c;

	REQUIRE(setup());
	c = make(64);
	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, counts[i], held) == (int)counts[i]);
		EXPECT(all_different(counts[i]));
		EXPECT_EQ(ashlar_audit(), 0);
		kmem_cache_free_bulk(c, counts[i], held);
		EXPECT_EQ(ashlar_audit(), 0);
	}
	EXPECT_EQ(kmem_cache_shrink(c), 0);
}

/* ---- shrink and destroy -------------------------------------------------------------- */

TEST(cache_shrink_tells_whether_slabs_are_left)
{
	struct kmem_cache *c;

	REQUIRE(setup());
	c = make(64);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, 3000, held) == 3000);
	EXPECT_EQ(kmem_cache_shrink(c), 1);
	kmem_cache_free_bulk(c, 2999, held);
	EXPECT_EQ(kmem_cache_shrink(c), 1);
	EXPECT_EQ(c->node->slabs, 1);
	EXPECT_EQ(array_count(c), 0);
	kmem_cache_free(c, held[2999]);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	EXPECT_EQ(c->node->slabs, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_destroy_refuses_with_objects_in_use)
{
	struct kmem_cache *c;

	REQUIRE(setup());
	kmem_cache_destroy(NULL);
	c = make(64);
	REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, 300, held) == 300);
	kmem_cache_free_bulk(c, 298, held);
	help_clear();
	kmem_cache_destroy(c);
	EXPECT(help_contains(sim.text, "ashlar: kmem_cache_destroy(\"things\"): 2 objects are "
				       "still in use; the cache stays\n"));
	EXPECT(is_listed(c));
	kmem_cache_free(c, held[298]);
	help_clear();
	kmem_cache_destroy(c);
	EXPECT(help_contains(sim.text, "ashlar: kmem_cache_destroy(\"things\"): 1 object is "
				       "still in use; the cache stays\n"));
	kmem_cache_free(c, held[299]); /* it still works */
	help_clear();
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_FALSE(is_listed(c));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(cache_destroy_gives_all_pages_back)
{
	struct page_stat before;
	struct page_stat after;
	struct kmem_cache *c;

	REQUIRE(setup());
	c = make(512); /* so that boot caches and arrays have what they need */
	kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
	kmem_cache_destroy(c);
	page_drain();
	page_stat(&before);
	c = make(512);
	REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, 4000, held) == 4000);
	kmem_cache_free_bulk(c, 4000, held);
	EXPECT_NOT_NULL(c->node->shared);
	kmem_cache_destroy(c);
	page_drain();
	page_stat(&after);
	EXPECT_EQ(after.online_pages - after.free_pages, before.online_pages - before.free_pages);
}

TEST(cache_limits_follow_the_stride)
{
	static const struct {
		unsigned size;
		unsigned limit;
		unsigned batch;
		unsigned factor;
	} cases[] = {
		{ 16, 120, 60, 8 },  { 256, 120, 60, 8 }, { 257, 54, 27, 8 },
		{ 1024, 54, 27, 8 }, { 1025, 24, 12, 8 }, { 4096, 24, 12, 8 },
		{ 4097, 8, 4, 2 },   { 131072, 8, 4, 2 }, { 131073, 1, 1, 2 },
	};

	REQUIRE(setup());
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kmem_cache *c = make(cases[i].size);

		REQUIRE(c != NULL);
		EXPECT_EQ(c->limit, cases[i].limit);
		EXPECT_EQ(c->batchcount, cases[i].batch);
		EXPECT_EQ(c->shared_factor, cases[i].factor);
		kmem_cache_destroy(c);
	}
}
