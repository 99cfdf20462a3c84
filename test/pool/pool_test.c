/* SPDX-License-Identifier: MIT */
/*
 * pool_test.c - the rules of pools and sheets, and what is said of wrong pointers
 */
#include "account_help.h"
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "pool/pool.h"
#include "sim_help.h"

#define MIB ((size_t)1 << 20)

static struct slab *pool;
static struct help_text text;

static bool setup(size_t size, pool_callback ctor, pool_callback dtor)
{
	sim_reset();
	pool = slab_create(size, ctor, dtor, 0);
	return pool != NULL;
}

static size_t blocks(void)
{
	struct pool_info info;

	pool_info(pool, &info);
	return info.blocks;
}

static size_t length(const struct list *list)
{
	const struct list *node;
	size_t n = 0;

	list_for_each(node, list)
		n++;
	return n;
}

/* ---- sheets -------------------------------------------------------------------------- */

TEST(sheet_SH1_SH2_summaries_and_counts_for_every_stride)
{
	struct cut cut;
	struct page *head;

	REQUIRE(setup(64, NULL, NULL));
	head = sheet_head(slab_malloc(pool, 0));
	for (size_t stride = 16; stride <= 2 * MIB; stride += 8 + stride / 9 / 8 * 8) {
		size_t step;
		u32 n = 0;

		cut_choose(&cut, stride, stride >= 32);
		EXPECT_EQ(cut.objects, 2 * MIB / stride);
		sheet_prepare(head, &cut, pool);
		EXPECT_EQ(sheet_audit(head, &cut), 0);
		step = cut.objects / 5 + 1;
		for (; n < cut.objects; n++) {
			REQUIRE(sheet_take(head, &cut) == sheet_object(head, &cut, n));
			if (n % step == 0)
				REQUIRE(sheet_audit(head, &cut) == 0);
		}
		EXPECT_EQ(head[1].pages, 0);
		for (n = 0; n < cut.objects; n += (u32)size_max(step / 7, 1)) {
			sheet_put(head, &cut, sheet_object(head, &cut, n));
			REQUIRE(sheet_look(head, &cut, pool, sheet_object(head, &cut, n)) ==
				SHEET_FREE);
		}
		EXPECT_EQ(sheet_audit(head, &cut), 0);
		EXPECT_PTR_EQ(sheet_take(head, &cut), map_page_address(head));
	}
}

TEST(sheet_index_is_exact_for_every_byte_near_a_border)
{
	struct cut cut;
	const struct page *head;

	REQUIRE(setup(64, NULL, NULL));
	head = sheet_head(slab_malloc(pool, 0));
	for (size_t stride = 16; stride <= 2 * MIB; stride += 8 + stride / 40 / 8 * 8) {
		cut_choose(&cut, stride, stride >= 32);
		for (u32 n = 1; n <= cut.objects; n += n / 9 + 1) {
			const char *start = sheet_object(head, &cut, n);

			REQUIRE(sheet_index(head, &cut, start - 1) == n - 1);
			if (n < cut.objects)
				REQUIRE(sheet_index(head, &cut, start) == n);
		}
	}
}

/* ---- pools ---------------------------------------------------------------------------- */

TEST(pool_PO1_sheets_change_lists_with_their_objects)
{
	void *p[6];

	REQUIRE(setup(MIB, NULL, NULL)); /* two to a sheet */
	p[0] = slab_malloc(pool, 0);
	EXPECT_EQ(length(&pool->partial), 1);
	p[1] = slab_malloc(pool, 0);
	EXPECT_EQ(length(&pool->full), 1);
	for (unsigned i = 2; i < 6; i++)
		p[i] = slab_malloc(pool, 0);
	EXPECT_EQ(length(&pool->full), 3);
	slab_free(pool, p[2], 0);
	EXPECT_EQ(length(&pool->partial), 1);
	slab_free(pool, p[3], 0);
	EXPECT_EQ(length(&pool->empty), 1);
	EXPECT_EQ(length(&pool->partial), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(pool_PO3_an_emptied_sheet_goes_when_two_are_free)
{
	void *p[8];

	REQUIRE(setup(MIB, NULL, NULL));
	for (unsigned i = 0; i < 8; i++)
		p[i] = slab_malloc(pool, 0);
	EXPECT_EQ(blocks(), 4);
	slab_free(pool, p[0], 0);
	slab_free(pool, p[2], 0);
	slab_free(pool, p[1], 0);
	EXPECT_EQ(blocks(), 4); /* 3 free, 2 to a sheet */
	slab_free(pool, p[3], 0);
	EXPECT_EQ(blocks(), 3); /* 4 free: the seed's rule */
	for (unsigned i = 4; i < 8; i++)
		slab_free(pool, p[i], 0);
	EXPECT_EQ(blocks(), 1);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(pool_PO5_what_is_no_pool_is_known)
{
	REQUIRE(setup(64, NULL, NULL));
	EXPECT(pool_is_pool(pool));
	EXPECT_FALSE(pool_is_pool(NULL));
	EXPECT_FALSE(pool_is_pool(&pool));
	EXPECT_FALSE(pool_is_pool((char *)pool + 16));
	EXPECT_FALSE(pool_is_pool(slab_malloc(pool, 0)));
	EXPECT_FALSE(pool_is_pool(ashlar_kmalloc(sizeof(struct slab), GFP_KERNEL)));
	EXPECT_EQ(slab_destroy(pool_owner(slab_malloc(pool, 0)) == pool ? NULL : pool), 0);
}

static void *arg_to_object(void *p, unsigned long arg)
{
	*(unsigned long *)p = arg;
	return p;
}

static unsigned long last_arg;

static void *arg_to_variable(void *p, unsigned long arg)
{
	last_arg = arg;
	return p;
}

TEST(pool_callbacks_get_the_argument_of_the_call_or_the_pools)
{
	struct pool_args args = {
		.size = 64, .arg = 5, .ctor = arg_to_object, .dtor = arg_to_variable
	};
	unsigned long *p;
	unsigned long *q;

	REQUIRE(setup(64, NULL, NULL));
	pool = pool_create(&args, NULL);
	p = slab_malloc(pool, 77);
	q = slab_malloc(pool, 0);
	EXPECT_EQ(*p, 77);
	EXPECT_EQ(*q, 5);
	slab_free(pool, p, 88);
	EXPECT_EQ(last_arg, 88);
	slab_free(pool, q, 0);
	EXPECT_EQ(last_arg, 5);
}

/* A constructor may give the caller something else than the object. */
static void *behind_header(void *p, unsigned long arg)
{
	(void)arg;
	return (char *)p + 16;
}

TEST(pool_the_caller_gets_what_the_constructor_returns)
{
	char *p;

	REQUIRE(setup(64, behind_header, NULL));
	p = slab_malloc(pool, 0);
	EXPECT_EQ((uintptr_t)p % 64, 16);
	EXPECT_EQ(slab_free(pool, p - 16, 0), 0);
}

TEST(pool_large_pages_from_the_second_block_on)
{
	struct pool_args args = { .size = MIB, .flags = POOL_PAGES_HUGE };
	void *p[6];

	REQUIRE(setup(MIB, NULL, NULL));
	p[0] = slab_malloc(pool, 0);
	p[1] = slab_malloc(pool, 0);
	EXPECT_EQ(sim.huge_bytes, 0); /* a small pool stays small */
	p[2] = slab_malloc(pool, 0);
	EXPECT_EQ(sim.huge_bytes, 4 * MIB); /* and the first, too */
	p[3] = slab_malloc(pool, 0);
	p[4] = slab_malloc(pool, 0);
	EXPECT_EQ(sim.huge_bytes, 6 * MIB);
	for (unsigned i = 0; i < 5; i++)
		slab_free(pool, p[i], 0);
	EXPECT_EQ(slab_destroy(pool), 0);
	EXPECT_EQ(sim.huge_bytes, 0);
	pool = pool_create(&args, NULL);
	p[0] = slab_malloc(pool, 0);
	EXPECT_EQ(sim.huge_bytes, 2 * MIB);
	slab_free(pool, p[0], 0);
	slab_destroy(pool);
	args.flags = POOL_PAGES_SMALL;
	pool = pool_create(&args, NULL);
	for (unsigned i = 0; i < 6; i++)
		p[i] = slab_malloc(pool, 0);
	EXPECT_EQ(sim.huge_bytes, 0);
	sim.huge_refused = true; /* a system without: no difference but speed */
	args.flags = POOL_PAGES_HUGE;
	pool = pool_create(&args, NULL);
	EXPECT_NOT_NULL(slab_malloc(pool, 0));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(pool_stops_and_goes_on)
{
	void *p;

	REQUIRE(setup(64, NULL, NULL));
	p = slab_malloc(pool, 0);
	init_stop();
	EXPECT_NE(pool->lock.word, LOCK_FREE);
	EXPECT_NULL(slab_malloc_gfp(pool, 0, GFP_ATOMIC));
	init_resume_child();
	EXPECT_EQ(slab_free(pool, p, 0), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(pool_audit_finds_what_was_broken)
{
	struct page *head;
	u64 *top;

	REQUIRE(setup(64, NULL, NULL));
	head = sheet_head(slab_malloc(pool, 0));
	head->used++;
	EXPECT_GT(ashlar_audit(), 0);
	head->used--;
	top = SHEET_SPREADS ? (u64 *)(void *)&head[1].pages : &head->bits[PAGE_WORDS];
	*top ^= 1;
	EXPECT_GT(ashlar_audit(), 0);
	*top ^= 1;
	head->bits[0] ^= 1;
	EXPECT_GT(ashlar_audit(), 0);
	head->bits[0] ^= 1;
	EXPECT_EQ(ashlar_audit(), 0);
	pool->used++;
	EXPECT_GT(ashlar_audit(), 0);
}

static int stop_at_third(void *object, void *data)
{
	(void)object;
	return ++*(unsigned *)data == 3;
}

TEST(pool_for_each_visits_all_and_stops)
{
	unsigned n = 0;
	void *p[10];

	REQUIRE(setup(MIB / 2, NULL, NULL));
	for (unsigned i = 0; i < 10; i++)
		p[i] = slab_malloc(pool, 0);
	EXPECT(pool_for_each(pool, stop_at_third, &n));
	EXPECT_EQ(n, 3);
	slab_free(pool, p[4], 0);
	n = 100;
	EXPECT_FALSE(pool_for_each(pool, stop_at_third, &n));
	EXPECT_EQ(n, 109);
}

/* ---- misuse ------------------------------------------------------------------------------ */

static void *wrong;
static struct slab *wrong_pool;
static int result;

static void give(void)
{
	result = slab_free(wrong_pool, wrong, 0);
}

static bool ends(struct slab *to, void *p)
{
	wrong = p;
	wrong_pool = to;
	return help_aborts(give);
}

TEST(pool_reports_a_second_free)
{
	char *p;

	REQUIRE(setup(50, NULL, NULL));
	slab_malloc(pool, 0);
	p = slab_malloc(pool, 0);
	slab_free(pool, p, 0);
	EXPECT(ends(pool, p));
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&text,
				   "ashlar: slab_free(%p): double free: this object of pool-50 is "
				   "already free\n  object   pool-50 [%p - %p), number 1 of its "
				   "block\n",
				   p, p, p + 56));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(pool_reports_the_middle_and_the_end)
{
	char *p;

	REQUIRE(setup(96, NULL, NULL));
	p = slab_malloc(pool, 0);
	EXPECT(ends(pool, p + 40));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&text,
			    "ashlar: slab_free(%p): invalid free: 40 bytes inside an object of "
			    "pool-96 that starts at %p\n  object   pool-96 [%p - %p), number 0 "
			    "of its block\n",
			    p + 40, p, p, p + 96));
	EXPECT(ends(pool, p + 2 * MIB - 32));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&text,
			    "ashlar: slab_free(%p): invalid free: behind the last object in a "
			    "block of pool-96\n  block    %p, 21845 objects of 96 bytes\n",
			    p + 2 * MIB - 32, p));
}

static void *free_in_callback(void *p, unsigned long arg)
{
	(void)arg;
	slab_free(pool, p, 0);
	return p;
}

static void allocate(void)
{
	slab_malloc(pool, 0);
}

TEST(pool_reports_a_free_while_a_callback_runs)
{
	REQUIRE(setup(64, free_in_callback, NULL));
	EXPECT(help_aborts(allocate));
	EXPECT(help_contains(sim.text,
			     "double free: a constructor or destructor runs on this object "
			     "of pool-64\n"));
	REQUIRE((pool = slab_create(64, NULL, free_in_callback, 0)) != NULL);
	EXPECT(ends(pool, slab_malloc(pool, 0)));
	EXPECT(help_contains(sim.text, "a constructor or destructor runs"));
}

TEST(pool_refuses_what_is_another_pools)
{
	struct slab *other;
	char *p;

	REQUIRE(setup(64, NULL, NULL));
	other = slab_create(128, NULL, NULL, 0);
	p = slab_malloc(other, 0);
	EXPECT_FALSE(ends(pool, p));
	EXPECT_EQ(result, -ENOT_IN_SLAB);
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&text,
				   "ashlar: slab_free(%p): not in pool-64, but in a block "
				   "of pool-128: ENOT_IN_SLAB\n",
				   p));
	EXPECT_FALSE(ends(pool, &other));
	EXPECT_TEXT_EQ(sim.text, help_format(&text,
					     "ashlar: slab_free(%p): not in pool-64, nor Ashlar's "
					     "memory: ENOT_IN_SLAB\n",
					     &other));
	p = ashlar_kmalloc(64, GFP_KERNEL);
	EXPECT_FALSE(ends(pool, p));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&text, "ashlar: slab_free(%p): not in pool-64: ENOT_IN_SLAB\n", p));
	kfree(p);
}

TEST(pool_reports_what_is_no_pool)
{
	void *p;

	REQUIRE(setup(64, NULL, NULL));
	p = slab_malloc(pool, 0);
	EXPECT(ends((struct slab *)&p, p));
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&text,
				   "ashlar: slab_free(%p): no pool: this is not a pool, or "
				   "it was destroyed\n  hint     a pool is what "
				   "slab_create or pool_create gave, until "
				   "slab_destroy\n",
				   &p));
	slab_free(pool, p, 0);
	slab_destroy(pool);
	EXPECT(ends(pool, p));
	EXPECT(help_contains(sim.text, "or it was destroyed"));
}

static void free_by_kfree(void)
{
	kfree(wrong);
}

static void free_by_group(void)
{
	result = pool_kfree(wrong);
}

TEST(pool_objects_go_back_where_they_came_from)
{
	REQUIRE(setup(64, NULL, NULL));
	wrong = slab_malloc(pool, 0);
	EXPECT(help_aborts(free_by_kfree));
	EXPECT(help_contains(sim.text, "kfree("));
	EXPECT(help_contains(sim.text, "invalid free: this is in a pool's block: slab_free or "
				       "pool_kfree takes it back\n"));
	EXPECT_FALSE(help_aborts(free_by_group));
	EXPECT_EQ(result, -ECANNOT_FREE_MEM);
	EXPECT_TEXT_EQ(sim.text, help_format(&text,
					     "ashlar: pool_kfree(%p): not of the group, but in a "
					     "block of pool-64: ECANNOT_FREE_MEM\n",
					     wrong));
	EXPECT_EQ(slab_free(pool, wrong, 0), 0);
	wrong = ashlar_kmalloc(64, GFP_KERNEL);
	EXPECT_FALSE(help_aborts(free_by_group));
	EXPECT_EQ(result, -ECANNOT_FREE_MEM);
	kfree(wrong);
	wrong = pool_kmalloc(64, GFP_KERNEL);
	EXPECT(help_aborts(free_by_kfree));
	EXPECT_EQ(pool_kfree(wrong), 0);
	EXPECT(help_aborts(free_by_group));
	EXPECT(help_contains(sim.text, "pool_kfree("));
	EXPECT(help_contains(sim.text, "double free: this object of pool-kmalloc-64"));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* A block is many users': its objects are charged to nobody, and what the group allocates later
 * itself is charged as ever. */
TEST(pool_blocks_are_charged_to_nobody)
{
	struct ashlar_group *g;
	unsigned long block;
	void *p, *q;

	REQUIRE(setup(64, NULL, NULL));
	g = payer("g", NULL, 0);
	ashlar_group_set_default(g);
	p = slab_malloc_gfp(pool, 0, GFP_KERNEL_ACCOUNT);
	q = pool_kmalloc(100, GFP_KERNEL_ACCOUNT);
	EXPECT(p && q);
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_NULL(ashlar_group_of(p));
	EXPECT_EQ(slab_free(pool, p, 0), 0);
	EXPECT_EQ(pool_kfree(q), 0);
	EXPECT_EQ(slab_destroy(pool), 0);
	ashlar_purge();
	block = __get_free_pages(GFP_KERNEL_ACCOUNT, SHEET_ORDER);
	EXPECT_EQ(bytes_of(g), SHEET_BYTES);
	free_pages(block, SHEET_ORDER);
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}
