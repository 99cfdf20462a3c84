/* SPDX-License-Identifier: MIT */
/*
 * seed_more_test.c - faults of the first seed, each looked for here: X12 to X25
 *
 * What    Cases are named after the faults' numbers in docs/lineage.md. A fault that can be seen
 *         through the interface is looked for by a function that is run twice: on the model of
 *         the seed, where it has to find the fault, and on the pools, where it must not.
 */
#include "seed_help.h"

/* ---- X12 .. X16: memory that is not there, callbacks, sizes ---------------------------- */

/* A machine whose @n'th request fails: 0 where none was, 1 where all was well, 2. */
static unsigned x12(const void *argument)
{
	void *p;
	bool failed;

	sim_reset();
	sim.fail_at = *(const unsigned *)argument;
	p = pool_kmalloc(1024, GFP_KERNEL);
	failed = sim.fail_at == 0;
	sim.fail_at = 0;
	EXPECT(p || failed);
	EXPECT_EQ(ashlar_audit(), 0);
	if (init_ready()) {
		EXPECT_EQ(pool_kfree(p), 0);
		EXPECT_EQ(pool_kfree(pool_kmalloc(1024, GFP_KERNEL)), 0);
		EXPECT_EQ(ashlar_audit(), 0);
	}
	return tap_has_failed() ? 2 : failed;
}

TEST(seed_X12_each_request_may_fail)
{
	unsigned n = 1;

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	while (n < 100 && tap_apart(x12, &n) == 1)
		n++;
	EXPECT_EQ(tap_apart(x12, &n), 0);
	EXPECT_GE(n, 5);
}

/* Growth fails, again and again; then there is memory. */
TEST(seed_X13_counts_do_not_drift_when_growth_fails)
{
	struct pool_info before;

	REQUIRE(setup());
	REQUIRE(ours_create(MIB, NULL, NULL));
	while (slab_malloc(pool, 0))
		continue;
	before = info();
	EXPECT_GT(before.objects_using, 10);
	for (unsigned i = 0; i < 5; i++)
		EXPECT_NULL(slab_malloc(pool, 0));
	EXPECT_EQ(info().objects_using, before.objects_using);
	EXPECT_EQ(info().objects_free, before.objects_free);
	EXPECT_EQ(info().blocks * 2, before.objects_using + before.objects_free);
	EXPECT_EQ(ashlar_audit(), 0);
}

static void *refuse_odd(void *p, unsigned long arg)
{
	return arg % 2 ? NULL : p;
}

static size_t using_in_dtor;
static size_t (*using_now)(void);

static void *look_at_count(void *p, unsigned long arg)
{
	(void)arg;
	using_in_dtor = using_now();
	return p;
}

static bool x14(const struct maker *m)
{
	void *p;

	if (!m->create(64, refuse_odd, look_at_count))
		return false;
	using_now = m->using;
	if (m->alloc(1) || m->using() != 0) /* the object went back */
		return false;
	p = m->alloc(2);
	m->free(p, 0);
	return using_in_dtor == 1; /* nobody can get it while the destructor runs */
}

static void *again_in_dtor;

static void *dtor_allocates(void *p, unsigned long arg)
{
	(void)arg;
	again_in_dtor = slab_malloc(pool, 0);
	return p;
}

TEST(seed_X14_a_refused_object_goes_back_and_a_dying_one_is_nobodys)
{
	void *p;

	compare(x14);
	REQUIRE(ours_create(64, NULL, dtor_allocates));
	p = slab_malloc(pool, 0);
	EXPECT_EQ(slab_free(pool, p, 0), 0);
	EXPECT(again_in_dtor && again_in_dtor != p);
}

/* Each object once, in order of address: no bit is passed over, whatever the words look like. */
TEST(seed_X15_the_lowest_free_object_is_found)
{
	static char *p[2 * 4096];
	uint64_t state = 7;

	REQUIRE(setup());
	REQUIRE(ours_create(512, NULL, NULL));
	for (size_t i = 0; i < 4096; i++)
		REQUIRE((p[i] = slab_malloc(pool, 0)) == (i ? p[i - 1] + 512 : p[0]));
	for (unsigned turn = 0; turn < 3000; turn++) {
		size_t a = help_random(&state) % 4096;
		size_t b = help_random(&state) % 4096;

		EXPECT_EQ(slab_free(pool, p[a], 0), 0);
		if (a != b)
			EXPECT_EQ(slab_free(pool, p[b], 0), 0);
		EXPECT_PTR_EQ(slab_malloc(pool, 0), p[size_min(a, b)]);
		if (a != b)
			EXPECT_PTR_EQ(slab_malloc(pool, 0), p[size_max(a, b)]);
	}
}

static bool x16(const struct maker *m)
{
	return !m->create(0, NULL, NULL);
}

TEST(seed_X16_sizes_that_cannot_be_are_refused)
{
	struct pool_args args = { .size = 2 * MIB + 1 };
	int error = 0;

	compare(x16);
	EXPECT_NULL(pool_create(&args, &error));
	EXPECT_EQ(error, -ESLAB_SIZE);
	args.size = SIZE_MAX - 3;
	EXPECT_NULL(pool_create(&args, &error));
	EXPECT_EQ(error, -ESLAB_SIZE);
	args.size = 2 * MIB;
	EXPECT_NOT_NULL(pool_create(&args, &error));
	EXPECT_EQ(error, 0);
}

/* ---- X17 .. X25: start, flags, sizes of the group, figures ------------------------------- */

static size_t pages_in_use(void)
{
	struct page_stat s;

	page_stat(&s);
	return s.online_pages - s.free_pages - s.pcp_pages;
}

TEST(seed_X17_the_start_pins_nothing)
{
	size_t before;

	REQUIRE(setup());
	kfree(ashlar_kmalloc(64, GFP_KERNEL));
	before = pages_in_use();
	EXPECT_EQ(slab_init(), 0);
	EXPECT_LT(pages_in_use() - before, 64); /* the seed: 16 blocks of 512 */
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(seed_X18_flags_are_honoured_or_refused)
{
	char *p;

	REQUIRE(setup());
	EXPECT_NULL(pool_kmalloc(64, GFP_KERNEL | GFP_DMA));
	EXPECT_TEXT_EQ(sim.text, "ashlar: pool_kmalloc(\"group\"): refused: this home has no DMA "
				 "memory\n");
	p = pool_kmalloc(100, GFP_KERNEL);
	REQUIRE(p != NULL);
	memset(p, 0x5a, 128);
	EXPECT_EQ(pool_kfree(p), 0);
	p = pool_kmalloc(100, GFP_KERNEL | __GFP_ZERO);
	for (unsigned i = 0; i < 128; i++) /* all that may be used */
		EXPECT_EQ(p[i], 0);
	sim.fail_at = 1;
	sim.fail_on = true;
	sim.requests = 0;
	while (pool_kmalloc(MIB, GFP_NOWAIT))
		continue;
	EXPECT_EQ(sim.requests, 0); /* no system call without leave */
}

TEST(seed_X18_of_a_pool_too_also_where_an_object_is_free)
{
	struct slab *own;
	void *p;

	REQUIRE(setup());
	own = slab_create(64, NULL, NULL, 0);
	REQUIRE(own != NULL);
	p = slab_malloc(own, 0);
	REQUIRE(p != NULL);
	sim.text_bytes = 0;
	EXPECT_NULL(slab_malloc_gfp(own, 0, GFP_KERNEL | GFP_DMA));
	EXPECT_TEXT_EQ(sim.text, "ashlar: slab_malloc_gfp(\"pool-64\"): refused: this home has no "
				 "DMA memory\n");
	EXPECT_EQ(slab_free(own, p, 0), 0);
	EXPECT_EQ(slab_destroy(own), 0);
}

TEST(seed_X19_what_is_larger_than_a_pool_comes_from_pages)
{
	char *p;

	REQUIRE(setup());
	p = pool_kmalloc(MIB + 1, GFP_KERNEL);
	REQUIRE(p != NULL);
	p[MIB] = 1;
	EXPECT_GE(pool_ksize(p), MIB + 1);
	EXPECT_EQ(pool_kfree(p), 0);
	p = pool_kmalloc(20 * MIB, GFP_KERNEL);
	REQUIRE(p != NULL);
	EXPECT_EQ(pool_kfree(p), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(seed_X20_nothing_for_zero_and_classes_between)
{
	static const size_t sizes[] = { 1, 8, 16, 17, 33, 65, 96, 97, 129, 192, 193, 3000, 40000 };
	static const size_t gives[] = {
		16, 16, 16, 32, 48, 96, 96, 128, 192, 192, 256, 3072, 49152
	};
	void *p;

	REQUIRE(setup());
	EXPECT_PTR_EQ(pool_kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	EXPECT_EQ(pool_kfree(ZERO_SIZE_PTR), 0);
	EXPECT_EQ(pool_ksize(ZERO_SIZE_PTR), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = pool_kmalloc(sizes[i], GFP_KERNEL);
		EXPECT_EQ(pool_ksize(p), gives[i]);
		EXPECT_EQ(pool_kfree(p), 0);
	}
	for (size_t size = 1; size <= MIB / 2; size += size / 7 + 1) { /* a third at most */
		p = pool_kmalloc(size, GFP_KERNEL);
		REQUIRE(p != NULL);
		EXPECT(size <= 16 || pool_ksize(p) - size <= size_max(pool_ksize(p) / 3, 15));
		EXPECT_EQ(pool_kfree(p), 0);
		ashlar_purge();
	}
}

TEST(seed_X21_an_empty_pool_costs_no_block_and_shrinks)
{
	size_t before;
	void *p;

	REQUIRE(setup());
	REQUIRE(ours_create(64, NULL, NULL));
	before = pages_in_use();
	EXPECT_EQ(info().blocks, 0); /* none at create */
	p = slab_malloc(pool, 0);
	EXPECT_EQ(info().blocks, 1);
	EXPECT_EQ(slab_free(pool, p, 0), 0);
	EXPECT_EQ(info().blocks, 1);
	EXPECT_EQ(pool_shrink(pool), 2 * MIB); /* the first is like any other */
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(slab_free(pool, slab_malloc(pool, 0), 0), 0);
	EXPECT_EQ(info().blocks, 1);
	while (ashlar_kmalloc(4 * MIB, GFP_KERNEL))
		continue;
	EXPECT_EQ(info().blocks, 0); /* a request that found nothing took it */
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(seed_X22_errors_are_negative_and_have_names)
{
	int error = 0;

	REQUIRE(setup());
	REQUIRE(ours_create(4096, NULL, NULL));
	error = slab_free(pool, &error, 0);
	EXPECT_EQ(error, -ENOT_IN_SLAB);
	EXPECT_TEXT_EQ(pool_error(error), "ENOT_IN_SLAB");
	EXPECT_TEXT_EQ(pool_error(ECANNOT_FREE_MEM), "ECANNOT_FREE_MEM");
	EXPECT_TEXT_EQ(pool_error(-ESLAB_NOTNULL), "ESLAB_NOTNULL");
	EXPECT_TEXT_EQ(pool_error(-ESLAB_BUSY), "ESLAB_BUSY");
	EXPECT_TEXT_EQ(pool_error(0), "0");
	EXPECT_TEXT_EQ(pool_error(-1), "?");
	help_clear();
	for (unsigned i = 0; i < 100; i++) /* the report does not flood the log */
		slab_free(pool, &error, 0);
	EXPECT_LT(sim.text_bytes, 2000);
	help_clear();
	while (slab_malloc(pool, 0)) /* exhaustion is no report */
		continue;
	EXPECT_TEXT_EQ(sim.text, "");
}

/* The first block of a pool and a later one, of the group and of a program: one way of cutting. */
TEST(seed_X23_one_geometry)
{
	static const size_t sizes[] = { 16, 24, 32, 64, 96, 1000, 4096, 100000, MIB, 2 * MIB };

	sim_reset();
	sim.arena_bytes = 128 * MIB;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t objects;
		char *first;

		REQUIRE(ours_create(sizes[i], NULL, NULL));
		first = slab_malloc(pool, 0);
		REQUIRE(first != NULL);
		objects = info().block_objects;
		EXPECT_EQ(objects, 2 * MIB / info().stride);
		EXPECT_PTR_EQ(first, map_page_address(sheet_head(first)));
		for (size_t k = 1; k < objects; k++)
			REQUIRE(slab_malloc(pool, 0) == first + k * info().stride);
		EXPECT_EQ(info().objects_free, 0);
		first = slab_malloc(pool, 0); /* of the second block */
		EXPECT_PTR_EQ(first, map_page_address(sheet_head(first)));
		EXPECT_EQ(info().objects_free, objects - 1);
		EXPECT_EQ(ashlar_audit(), 0);
	}
}

/* Whichever way a block leaves its pool, what it leaves behind is the same: pages. */
TEST(seed_X24_one_way_out_for_a_block)
{
	size_t before;
	void *p[4];

	REQUIRE(setup());
	REQUIRE(ours_create(MIB, NULL, NULL));
	before = pages_in_use();
	for (unsigned way = 0; way < 3; way++) {
		for (unsigned i = 0; i < 4; i++)
			REQUIRE((p[i] = slab_malloc(pool, 0)) != NULL);
		for (unsigned i = 0; i < 4; i++) /* the second goes back by itself */
			EXPECT_EQ(slab_free(pool, p[i], 0), 0);
		EXPECT_EQ(info().blocks, 1);
		if (way == 0)
			pool_shrink(pool);
		else if (way == 1)
			ashlar_purge();
		else
			EXPECT_EQ(slab_destroy(pool), 0);
		EXPECT_LE(pages_in_use(), before);
		EXPECT_EQ(sheet_head(p[0])->kind == PAGE_POOL, false);
		EXPECT_EQ(sheet_head(p[2])->kind == PAGE_POOL, false);
		EXPECT_EQ(sim.huge_bytes, 0);
		EXPECT_EQ(ashlar_audit(), 0);
	}
}

static int count_visit(void *object, void *data)
{
	(void)object;
	++*(unsigned *)data;
	return false;
}

TEST(seed_X25_names_figures_alignment_visits_and_leaks)
{
	struct pool_args args = { .name = "inodes", .size = 200, .align = 64 };
	struct help_text t;
	unsigned visited = 0;
	void *p;
	void *q;

	REQUIRE(setup());
	pool = pool_create(&args, NULL);
	REQUIRE(pool != NULL);
	p = slab_malloc(pool, 0);
	q = slab_malloc(pool, 0);
	EXPECT_EQ((uintptr_t)p % 64 | (uintptr_t)q % 64, 0);
	EXPECT_TEXT_EQ(info().name, "inodes");
	EXPECT_EQ(info().size, 200);
	EXPECT_EQ(info().stride, 256);
	EXPECT_EQ(info().objects_using, 2);
	EXPECT_EQ(info().objects_peak, 2);
	EXPECT_EQ(pool_for_each(pool, count_visit, &visited), 0);
	EXPECT_EQ(visited, 2);
	EXPECT_EQ(slab_destroy(pool), -ESLAB_NOTNULL);
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&t,
			    "ashlar: slab_destroy(\"inodes\"): 2 objects are still in use; the "
			    "pool stays: ESLAB_NOTNULL\n  in use   %p %p\n",
			    p, q));
	EXPECT_EQ(slab_free(pool, p, 0) | slab_free(pool, q, 0), 0);
	EXPECT_EQ(slab_destroy(pool), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}
