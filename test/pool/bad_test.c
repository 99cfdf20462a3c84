/* SPDX-License-Identifier: MIT */
/*
 * bad_test.c - every door of pool.h with what it cannot take
 */
#include <limits.h>

#include "ashlar/slab.h"
#include "cache/cache.h"
#include "cache/guard_slot.h"
#include "pool/pool.h"
#include "sim_help.h"

static struct slab *pool;
static struct slab *made;
static struct help_text text;
static int result;

static bool setup(void)
{
	sim_reset();
	pool = slab_create(64, NULL, NULL, 0);
	return pool != NULL;
}

/* ---- what is no pool ---------------------------------------------------------------- */

static struct slab *no_pool;

static const char *said_no_pool(const char *function, const void *p)
{
	return help_format(&text,
			   "ashlar: %s(%p): no pool: this is not a pool, or it was destroyed\n"
			   "  hint     a pool is what slab_create or pool_create gave, until "
			   "slab_destroy\n",
			   function, p);
}

static void no_malloc(void)
{
	slab_malloc(no_pool, 0);
}

static void no_malloc_gfp(void)
{
	slab_malloc_gfp(no_pool, 0, GFP_NOWAIT);
}

static void no_free(void)
{
	result = slab_free(no_pool, NULL, 0);
}

static void no_free_try(void)
{
	result = slab_free_try(no_pool, NULL);
}

static void no_shrink(void)
{
	pool_shrink(no_pool);
}

static void no_info(void)
{
	struct pool_info info;

	pool_info(no_pool, &info);
}

static int never(void *object, void *data)
{
	(void)object, (void)data;
	return 0;
}

static void no_for_each(void)
{
	pool_for_each(no_pool, never, NULL);
}

static void no_destroy(void)
{
	result = slab_destroy(no_pool);
}

/* Every door, with each thing that is no pool. */
TEST(pool_doors_know_what_is_no_pool)
{
	static const struct {
		const char *name;
		void (*call)(void);
	} doors[] = {
		{ "slab_malloc", no_malloc },     { "slab_malloc_gfp", no_malloc_gfp },
		{ "slab_free", no_free },         { "slab_free_try", no_free_try },
		{ "pool_shrink", no_shrink },     { "pool_info", no_info },
		{ "pool_for_each", no_for_each }, { "slab_destroy", no_destroy },
	};
	void *not_pools[4] = { NULL }; /* that, outside, another object, a pool of before */

	REQUIRE(setup());
	not_pools[1] = not_pools;
	not_pools[2] = ashlar_kmalloc(sizeof(struct slab), GFP_KERNEL);
	not_pools[3] = slab_create(128, NULL, NULL, 0);
	EXPECT_EQ(slab_destroy(not_pools[3]), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(doors); i++) {
		for (unsigned k = 0; k < ARRAY_SIZE(not_pools); k++) {
			no_pool = not_pools[k];
			if (doors[i].call == no_destroy && !no_pool)
				continue;
			EXPECT(help_aborts(doors[i].call));
			EXPECT_TEXT_EQ(sim.text, said_no_pool(doors[i].name, no_pool));
		}
		no_pool = (struct slab *)((char *)pool + 16); /* inside one */
		EXPECT(help_aborts(doors[i].call));
	}
	EXPECT_EQ(slab_destroy(NULL), 0); /* ignored, as free's is */
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- a pool where none is wanted: PO5 ------------------------------------------------- */

static void *wrong;

static void free_wrong(void)
{
	kfree(wrong);
}

/* slab_destroy alone ends a pool. */
static void is_held(const char *letters)
{
	sim_reset();
	sim.options = letters;
	pool = slab_create(64, NULL, NULL, 0);
	REQUIRE(pool != NULL);
	wrong = pool;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "): double free: this object of pool is held\n"));
	help_clear();
	EXPECT(pool_is_pool(pool));
	for (unsigned k = 16; k < sizeof(struct slab); k += 16)
		EXPECT_FALSE(pool_is_pool((char *)pool + k));
	slab_free(pool, slab_malloc(pool, 0), 0);
	EXPECT_EQ(slab_destroy(pool), 0);
	EXPECT_FALSE(pool_is_pool(pool));
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "is already free\n"));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(pool_PO5_a_pool_is_held)
{
	is_held(NULL);
}

TEST(pool_PO5_a_pool_between_guard_pages_is_held)
{
	is_held("guard=1");
	EXPECT(guard_find(wrong));
}

/* ---- other arguments ---------------------------------------------------------------- */

static void create_without(void)
{
	int error = 1;

	made = pool_create(NULL, &error);
	result = error;
}

static void create_without_both(void)
{
	made = pool_create(NULL, NULL);
}

static void info_nowhere(void)
{
	pool_info(pool, NULL);
}

static void visit_nobody(void)
{
	result = pool_for_each(pool, NULL, NULL);
}

TEST(pool_arguments_that_must_be_given)
{
	REQUIRE(setup());
	slab_malloc(pool, 0);
	EXPECT_FALSE(help_aborts(create_without));
	EXPECT_NULL(made);
	EXPECT_EQ(result, -ESLAB_ARGS);
	EXPECT_TEXT_EQ(pool_error(result), "ESLAB_ARGS");
	EXPECT_TEXT_EQ(sim.text, "ashlar: pool_create(): refused: args is NULL\n");
	EXPECT_FALSE(help_aborts(create_without_both));
	EXPECT_TEXT_EQ(sim.text, "ashlar: pool_create(): refused: args is NULL\n");
	EXPECT(help_aborts(info_nowhere));
	EXPECT(help_contains(sim.text, "ashlar: broken rule: pool_info has nowhere to write to ("));
	EXPECT(help_aborts(visit_nobody));
	EXPECT(help_contains(sim.text, "ashlar: broken rule: pool_for_each has nobody to call ("));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* What is refused with its reason, and what is answered though it makes no sense. */
TEST(pool_numbers_that_cannot_be)
{
	struct pool_args args = { .size = 64, .flags = 3 };
	int error = 0;

	REQUIRE(setup());
	help_clear();
	EXPECT_NULL(pool_create(&args, &error));
	EXPECT_EQ(error, -ESLAB_FLAGS);
	args.flags = 0x80000000u; /* the group's own mark */
	EXPECT_NULL(pool_create(&args, &error));
	EXPECT_EQ(error, -ESLAB_FLAGS);
	args = (struct pool_args){ .name = "n", .size = 64, .align = SIZE_MAX };
	EXPECT_NULL(pool_create(&args, &error));
	EXPECT_EQ(error, -ESLAB_ALIGN);
	args = (struct pool_args){ .size = SIZE_MAX };
	EXPECT_NULL(pool_create(&args, &error));
	EXPECT_EQ(error, -ESLAB_SIZE);
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: pool_create(): refused: unknown flags\n"
		       "ashlar: pool_create(): refused: unknown flags\n"
		       "ashlar: pool_create(\"n\"): refused: the alignment is not a power of two "
		       "up to 2 MiB\n"
		       "ashlar: pool_create(): refused: an object does not fit a block of 2 MiB\n");
	EXPECT_NULL(pool_kmalloc(SIZE_MAX, GFP_KERNEL));
	EXPECT_NULL(pool_kmalloc(SIZE_MAX / 2 + 2, GFP_KERNEL));
	EXPECT_EQ(pool_kfree(NULL), 0);
	EXPECT_EQ(pool_kfree(ZERO_SIZE_PTR), 0);
	EXPECT_EQ(pool_kfree((void *)UINTPTR_MAX), -ECANNOT_FREE_MEM);
	EXPECT_EQ(pool_kfree(pool), -ECANNOT_FREE_MEM);
	EXPECT_EQ(pool_ksize(NULL), 0);
	EXPECT_EQ(pool_ksize(ZERO_SIZE_PTR), 0);
	EXPECT_EQ(pool_ksize((void *)UINTPTR_MAX), 0);
	EXPECT_EQ(pool_ksize(pool), 0);
	EXPECT_TEXT_EQ(pool_error(INT_MIN), "?");
	EXPECT_TEXT_EQ(pool_error(INT_MAX), "?");
	EXPECT_TEXT_EQ(pool_error(ESLAB_NOTNULL - 1), "?");
	EXPECT_TEXT_EQ(pool_error(ESLAB_ARGS + 1), "?");
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- a pool that is destroyed too soon ---------------------------------------------- */

static void *destroys(void *object, unsigned long arg)
{
	(void)arg;
	help_clear();
	result = slab_destroy(made);
	return object;
}

/* What is in a callback is told apart from what somebody has: nobody could free it now. */
TEST(pool_destroyed_inside_its_callbacks)
{
	void *p, *q;

	sim_reset();
	made = slab_create(64, destroys, destroys, 0);
	p = slab_malloc(made, 0);
	REQUIRE(p != NULL);
	EXPECT_EQ(result, -ESLAB_NOTNULL);
	EXPECT_TEXT_EQ(sim.text,
		       "ashlar: slab_destroy(\"pool-64\"): 1 object is still in use; the pool "
		       "stays: ESLAB_NOTNULL\n"
		       "  callback 1 object: a constructor or destructor runs on it\n");
	q = slab_malloc(made, 0);
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&text,
				   "ashlar: slab_destroy(\"pool-64\"): 2 objects are still in use; "
				   "the pool stays: ESLAB_NOTNULL\n"
				   "  in use   %p\n"
				   "  callback 1 object: a constructor or destructor runs on it\n",
				   p));
	EXPECT_EQ(slab_free(made, p, 0), 0);
	EXPECT(help_contains(sim.text, "  callback 1 object:"));
	EXPECT_EQ(slab_free(made, q, 0), 0);
	help_clear();
	EXPECT_EQ(slab_destroy(made), 0);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Of many the first few are named. */
TEST(pool_destroyed_with_many_objects)
{
	void *p[6];

	REQUIRE(setup());
	for (unsigned i = 0; i < 6; i++)
		p[i] = slab_malloc(pool, 0);
	help_clear();
	EXPECT_EQ(slab_destroy(pool), -ESLAB_NOTNULL);
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&text,
				   "ashlar: slab_destroy(\"pool-64\"): 6 objects are still "
				   "in use; the pool stays: ESLAB_NOTNULL\n"
				   "  first    %p %p %p %p\n",
				   p[0], p[1], p[2], p[3]));
	for (unsigned i = 4; i < 6; i++)
		slab_free(pool, p[i], 0);
	help_clear();
	EXPECT_EQ(slab_destroy(pool), -ESLAB_NOTNULL);
	EXPECT(help_contains(sim.text, "\n  in use   0x"));
}
