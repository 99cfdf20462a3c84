/* SPDX-License-Identifier: MIT */
/*
 * reclaim_test.c - the bound on what is kept, shrinkers, what each flag permits
 */
#include "base/bits.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/large.h"
#include "cache/reclaim.h"
#include "cache/stat.h"
#include "start_help.h"

#define MIB ((size_t)1 << 20)

static void *held[4096];

/* Runs of a mebibyte until there are no more in the arena. */
static unsigned fill(void)
{
	unsigned n = 0;

	sim.mapping_bytes = sim.mapped_bytes;
	while (n < ARRAY_SIZE(held) && (held[n] = ashlar_kmalloc(MIB, GFP_KERNEL)))
		memset(held[n++], 1, MIB);
	return n;
}

static struct page_stat pages(void)
{
	struct page_stat s;

	page_stat(&s);
	return s;
}

TEST(reclaim_R1_free_memory_is_bounded)
{
	unsigned n;

	REQUIRE(setup());
	n = fill();
	EXPECT_GT(n, 40);
	while (n--) {
		kfree(held[n]);
		EXPECT_LE(pages().dirty_pages << PAGE_SHIFT, reclaim_bound());
	}
	EXPECT_GE(reclaim_bound(), 4 * MIB);
	EXPECT_GT(sim.discarded, 30 * MIB);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(reclaim_R1_small_objects_too)
{
	struct kmem_cache *c;
	unsigned n = 0;

	REQUIRE(setup());
	c = kmem_cache_create("small", 8000, 0, 0, NULL);
	while (n < ARRAY_SIZE(held) && (held[n] = kmem_cache_alloc(c, GFP_KERNEL)))
		n++;
	while (n--)
		kmem_cache_free(c, held[n]);
	EXPECT_LE(pages().dirty_pages << PAGE_SHIFT, reclaim_bound());
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(reclaim_R2_bound_learns_from_what_comes_back)
{
	size_t before;

	REQUIRE(setup());
	before = reclaim_bound();
	for (unsigned wave = 0; wave < 6; wave++) {
		unsigned n = fill();

		while (n--)
			kfree(held[n]);
	}
	EXPECT_GT(reclaim_bound(), before + MIB);
	EXPECT_EQ(ashlar_audit(), 0);
}

static size_t asked;

static size_t shrinker_count(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	return 1;
}

/* Frees one of the runs that fill() got. */
static size_t shrinker_scan(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	EXPECT(gfp & __GFP_FS);
	EXPECT_GT(n, 0);
	kfree(held[asked++]);
	return 1;
}

static struct shrinker shrinker = { .count = shrinker_count, .scan = shrinker_scan };

TEST(reclaim_shrinkers_help)
{
	unsigned n;

	REQUIRE(setup());
	n = fill();
	REQUIRE(n > 10);
	register_shrinker(&shrinker);
	EXPECT_NULL(ashlar_kmalloc(MIB, GFP_NOFS));
	EXPECT_NULL(ashlar_kmalloc(MIB, GFP_NOWAIT));
	EXPECT_EQ(asked, 0);
	EXPECT_NOT_NULL(ashlar_kmalloc(MIB, GFP_KERNEL));
	EXPECT_EQ(asked, 1);
	unregister_shrinker(&shrinker);
	EXPECT_NULL(ashlar_kmalloc(MIB, GFP_KERNEL));
	EXPECT_EQ(asked, 1);
	EXPECT_EQ(ashlar_audit(), 0);
}

static size_t counted;

static size_t counting_scan(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)gfp;
	(void)n;
	counted++;
	return 1; /* says so, but nothing is free */
}

static struct shrinker counting = { .count = shrinker_count, .scan = counting_scan };

TEST(reclaim_rounds_of_each_flag)
{
	static const struct {
		gfp_t gfp;
		size_t rounds;
	} cases[] = {
		{ GFP_KERNEL | __GFP_NORETRY, 1 },
		{ GFP_KERNEL, 4 },
		{ GFP_KERNEL | __GFP_RETRY_MAYFAIL, 16 },
		{ GFP_NOIO, 0 },
		{ GFP_NOWAIT, 0 },
	};

	REQUIRE(setup());
	fill();
	register_shrinker(&counting);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct page_stat before = pages();
		void *big = NULL;

		counted = 0;
		big = ashlar_kmalloc(4 * MIB, cases[i].gfp); /* a run, then a mapping */
		EXPECT_NULL(big);
		EXPECT_EQ(pages().free_pages, before.free_pages);
		EXPECT_EQ(counted, 2 * cases[i].rounds);
	}
	unregister_shrinker(&counting);
}

static unsigned many;

/* Gives in after a while. */
static size_t late_scan(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)gfp;
	(void)n;
	if (++many == 50)
		kfree(held[0]);
	return 0;
}

static struct shrinker late = { .count = shrinker_count, .scan = late_scan };

TEST(reclaim_nofail_waits_for_memory)
{
	REQUIRE(setup());
	fill();
	register_shrinker(&late);
	EXPECT_NULL(ashlar_kmalloc(MIB, GFP_KERNEL));
	EXPECT_NOT_NULL(ashlar_kmalloc(MIB, GFP_KERNEL | __GFP_NOFAIL));
	EXPECT_GE(many, 50);
	unregister_shrinker(&late);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(reclaim_unregister_any_of_several)
{
	REQUIRE(setup());
	register_shrinker(&shrinker);
	register_shrinker(&counting);
	register_shrinker(&late);
	unregister_shrinker(&counting);
	unregister_shrinker(&counting); /* not there: nothing happens */
	EXPECT_PTR_EQ(late.next, &shrinker);
	unregister_shrinker(&late);
	unregister_shrinker(&shrinker);
	EXPECT_NULL(shrinker.next);
}

TEST(reclaim_purge_gives_everything_back)
{
	unsigned n;
	struct stat_sum sum;

	REQUIRE(setup());
	n = fill();
	for (unsigned i = 0; i < n; i += 2)
		kfree(held[i]);
	EXPECT_GT(ashlar_purge(), 0);
	EXPECT_EQ(pages().dirty_pages, 0);
	for (unsigned i = 1; i < n; i += 2)
		kfree(held[i]);
	ashlar_purge();
	EXPECT_EQ(pages().dirty_pages + pages().pcp_pages, 0);
	stat_sum(&sum);
	EXPECT_EQ(sum.dirty_bytes, 0);
	EXPECT_LT(sum.used_bytes, MIB);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(ashlar_purge(), 0); /* there is nothing more to give */
}

TEST(reclaim_stat_sums_agree)
{
	struct stat_sum before;
	struct stat_sum after;
	void *p;

	REQUIRE(setup());
	kfree(ashlar_kmalloc(MIB, GFP_KERNEL));
	stat_sum(&before);
	p = ashlar_kmalloc(MIB, GFP_KERNEL);
	stat_sum(&after);
	EXPECT_EQ(after.used_bytes, before.used_bytes + MIB);
	EXPECT_EQ(after.dirty_bytes, before.dirty_bytes - MIB);
	EXPECT_EQ(after.online_bytes, before.online_bytes);
	kfree(p);
	p = ashlar_kmalloc(12 * MIB, GFP_KERNEL);
	stat_sum(&after);
	EXPECT_EQ(after.mapping_bytes, 12 * MIB);
	kfree(p);
	stat_sum(&after);
	EXPECT_EQ(after.mapping_bytes, 0);
}

/* ---- the soft limit --------------------------------------------------------- */

static void *cached[64]; /* what a program could do without */
static unsigned cached_count;
static unsigned calls;

static size_t cached_number(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	return cached_count;
}

static size_t cached_scan(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)gfp;
	(void)n;
	calls++;
	if (cached_count)
		kfree(cached[--cached_count]);
	return 1;
}

static struct shrinker cached_shrinker = { .count = cached_number, .scan = cached_scan };

TEST(reclaim_R4_soft_limit)
{
	unsigned n = 0;

	sim_reset();
	sim.options = "soft_limit=16m";
	REQUIRE(init_ready());
	register_shrinker(&cached_shrinker);
	while (cached_count < 12)
		cached[cached_count++] = ashlar_kmalloc(MIB, GFP_KERNEL);
	EXPECT_EQ(calls, 0);
	for (; n < 30; n++) /* more than the limit, and nothing fails */
		REQUIRE((held[n] = ashlar_kmalloc(MIB, n & 1 ? GFP_KERNEL : GFP_ATOMIC)) != NULL);
	EXPECT_EQ(cached_count, 0);
	EXPECT_LE(calls, 15);
	while (n-- > 15) {
		memset(held[n], 1, MIB);
		kfree(held[n]);
		EXPECT_LE(pages().dirty_pages << PAGE_SHIFT, reclaim_bound());
	}
	EXPECT_LE(reclaim_bound(), MIB);
	kfree(held[14]);
	kfree(held[13]);
	EXPECT_LE(reclaim_bound(), 3 * MIB);
	unregister_shrinker(&cached_shrinker);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* New slabs press as large blocks do. */
TEST(reclaim_R4_small_objects)
{
	struct kmem_cache *c;

	sim_reset();
	sim.options = "soft_limit=4m";
	REQUIRE(init_ready());
	register_shrinker(&cached_shrinker);
	cached[cached_count++] = ashlar_kmalloc(MIB, GFP_KERNEL);
	c = kmem_cache_create("r", 4096, 0, 0, NULL);
	for (unsigned i = 0; i < 500; i++)
		kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(cached_count, 1);
	for (unsigned i = 0; i < 500; i++)
		kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(cached_count, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

static unsigned char constructed;

static void construct(void *p)
{
	constructed = 7;
	memset(p, constructed, 64);
}

TEST(reclaim_zero_leaves_constructed_objects_alone)
{
	struct kmem_cache *c;
	unsigned char *p;

	REQUIRE(setup());
	c = kmem_cache_create("constructed", 64, 0, 0, construct);
	REQUIRE(c != NULL);
	p = kmem_cache_zalloc(c, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_EQ(p[0], 7);
	EXPECT_EQ(p[63], 7);
	kmem_cache_free(c, p);
	EXPECT_NULL(kmem_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE, 1));
}

/* @count blocks of 48 KiB, every second of which is free again. Returns the pages with memory. */
static size_t fragments(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		held[i] = ashlar_kmalloc(48 << 10, GFP_KERNEL);
	for (unsigned i = 0; i < count; i += 2)
		kfree(held[i]);
	return pages().online_pages - pages().free_pages + pages().dirty_pages;
}

TEST(reclaim_R5_a_new_peak_is_paid_with_what_is_free)
{
	size_t most;

	REQUIRE(setup());
	most = fragments(128);
	EXPECT_GT(pages().dirty_pages, 2 * MIB >> PAGE_SHIFT);
	EXPECT_EQ(sim.discarded, 0);
	REQUIRE(ashlar_kmalloc(2 * MIB, GFP_KERNEL));
	EXPECT_LE(pages().online_pages - pages().free_pages + pages().dirty_pages, most);
	EXPECT_GE(sim.discarded, 2 * MIB);
	EXPECT_LE(sim.discarded, 2 * MIB + (64 << PAGE_SHIFT));
	REQUIRE(ashlar_kmalloc(6 * MIB, GFP_KERNEL)); /* more than all that is kept */
	EXPECT_EQ(pages().dirty_pages, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(reclaim_R5_what_the_user_asked_for_is_kept)
{
	size_t dirty;

	sim_reset();
	sim.options = "keep=16m";
	REQUIRE(init_ready());
	fragments(128);
	dirty = pages().dirty_pages;
	REQUIRE(ashlar_kmalloc(6 * MIB, GFP_KERNEL));
	EXPECT_EQ(pages().dirty_pages, dirty);
	EXPECT_EQ(sim.discarded, 0);
}

TEST(reclaim_R5_below_the_peak_nothing_goes)
{
	REQUIRE(setup());
	for (unsigned turn = 0; turn < 10; turn++) {
		fragments(64);
		for (unsigned i = 1; i < 64; i += 2)
			kfree(held[i]);
	}
	EXPECT_EQ(sim.discarded, 0);
}

/* Objects that lie in a CPU's array, and the slab that they keep, make room for others. */
TEST(reclaim_R6_a_new_peak_takes_from_idle_caches)
{
	struct kmem_cache *c;
	size_t n = 0;

	REQUIRE(setup());
	c = kmem_cache_create("idle", 512, 0, SLAB_NO_MERGE, NULL);
	REQUIRE(c);
	held[0] = kmem_cache_alloc(c, GFP_KERNEL);
	REQUIRE(held[0]);
	kmem_cache_free(c, held[0]);
	EXPECT_GT(array_count(c), 0);
	EXPECT_EQ(c->node[0].slabs, 1);
	while (n < 64 && c->node[0].slabs && ashlar_kmalloc(64 * PAGE_SIZE, GFP_KERNEL))
		n++;
	EXPECT_LT(n, 8u << (PAGE_SHIFT - 12)); /* the step is in pages */
	EXPECT_EQ(array_count(c), 0);
	EXPECT_EQ(c->node[0].slabs, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(reclaim_R6_what_is_in_use_stays)
{
	struct kmem_cache *c;

	REQUIRE(setup());
	c = kmem_cache_create("busy", 512, 0, SLAB_NO_MERGE, NULL);
	REQUIRE(c);
	for (unsigned n = 0; n < 32; n++) {
		held[0] = kmem_cache_alloc(c, GFP_KERNEL);
		REQUIRE(held[0]);
		REQUIRE(ashlar_kmalloc(MIB / 8, GFP_KERNEL));
		kmem_cache_free(c, held[0]);
	}
	EXPECT_GT(array_count(c), 0);
	EXPECT_EQ(c->node[0].grown, 1);
}
