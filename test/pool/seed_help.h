/* SPDX-License-Identifier: MIT */
/*
 * seed_help.h - two makers of pools: the model of the first seed, and ours
 *
 * What    compare(x) runs a function that looks for a fault twice: on the model, where it has to
 *         find it, and on the pools, where it must not.
 */
#ifndef ASHLAR_TEST_POOL_SEED_HELP_H
#define ASHLAR_TEST_POOL_SEED_HELP_H

#include "cache/cache.h"
#include "cache/init.h"
#include "pool/pool.h"
#include "seed_model.h"

#define MIB ((size_t)1 << 20)

/* A pool of either make. */
struct maker {
	bool (*create)(size_t size, pool_callback ctor, pool_callback dtor);
	void *(*alloc)(unsigned long arg);
	int (*free)(void *p, unsigned long arg);
	size_t (*using)(void);
	size_t (*idle)(void);
};

static struct slab *pool;
static unsigned destroyed;

static inline bool ours_create(size_t size, pool_callback ctor, pool_callback dtor)
{
	pool = slab_create(size, ctor, dtor, 0);
	return pool != NULL;
}

static inline void *ours_malloc(unsigned long arg)
{
	return slab_malloc(pool, arg);
}

static void *freed;
static unsigned long freed_arg;
static int freed_result;

static inline void ours_free_now(void)
{
	freed_result = slab_free(pool, freed, freed_arg);
}

/* What ends the program is a refusal, too. */
static inline int ours_free(void *p, unsigned long arg)
{
	freed = p;
	freed_arg = arg;
	return help_aborts(ours_free_now) ? -1 : freed_result;
}

static inline struct pool_info info(void)
{
	struct pool_info i;

	pool_info(pool, &i);
	return i;
}

static inline size_t ours_using(void)
{
	return info().objects_using;
}

static inline size_t ours_idle(void)
{
	return info().objects_free;
}

static inline size_t model_using(void)
{
	return model.using;
}

static inline size_t model_idle(void)
{
	return model.free;
}

static const struct maker ours = { ours_create, ours_malloc, ours_free, ours_using, ours_idle };
static const struct maker seed = { model_create, model_malloc, model_free, model_using,
				   model_idle };

static inline bool setup(void)
{
	sim_reset();
	return init_ready();
}

/* @holds is what a right pool keeps. */
static void compare(bool (*holds)(const struct maker *m))
{
	REQUIRE(setup());
	destroyed = 0;
	EXPECT_FALSE(holds(&seed));
	destroyed = 0;
	EXPECT(holds(&ours));
	EXPECT_EQ(ashlar_audit(), 0);
}

static inline void *note_dtor(void *p, unsigned long arg)
{
	(void)arg;
	destroyed++;
	return p;
}

#endif
