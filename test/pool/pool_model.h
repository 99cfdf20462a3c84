/* SPDX-License-Identifier: MIT */
/*
 * pool_model.h - bytes as work on pools, against a table of who owns which bytes
 *
 * What    Each pair of bytes is a step: take, give, give what is not ours, shrink, make and
 *         destroy, visit. The table knows every live object; objects never overlap, contents
 *         stay, figures agree, wrong pointers change nothing. Used by pool_model_test.c with
 *         random bytes and by test/fuzz/pool_fuzz.c with a fuzzer's.
 * Use     MODEL_CHECK is what a check is called there.
 */
#ifndef ASHLAR_TEST_POOL_MODEL_H
#define ASHLAR_TEST_POOL_MODEL_H

#include "cache/cache.h"
#include "cache/init.h"
#include "pool/pool.h"
#include "sim_help.h"

#define WORK_POOLS 6u
#define WORK_BLOCKS 4000u
#define WORK_GROUP WORK_POOLS /* in struct work_block: the group's */

struct work_block {
	unsigned char *start;
	size_t bytes;
	u32 pool;
	u32 stamp;
};

static const size_t work_sizes[WORK_POOLS] = { 1, 24, 96, 5000, 300000, 2 << 20 };

static struct {
	struct slab *pools[WORK_POOLS];
	struct work_block blocks[WORK_BLOCKS];
	size_t live;
	size_t of_pool[WORK_POOLS];
	size_t in_callback; /* constructor runs minus destructor runs, of pool 2 */
	u32 stamps;
	struct slab *wrong_pool;
	void *wrong;
	int result;
} work;

static inline void *work_ctor(void *p, unsigned long arg)
{
	if (arg == 13)
		return NULL;
	work.in_callback++;
	return p;
}

static inline void *work_dtor(void *p, unsigned long arg)
{
	(void)arg;
	work.in_callback--;
	return p;
}

static inline void work_make(unsigned i)
{
	struct pool_args args = {
		.size = work_sizes[i],
		.flags = i % 3,
		.ctor = i == 2 ? work_ctor : NULL,
		.dtor = i == 2 ? work_dtor : NULL,
		.arg = 7,
	};

	if (!work.pools[i])
		work.pools[i] = pool_create(&args, NULL);
}

/* First and last bytes, and one a page. */
static inline bool work_stamp(const struct work_block *b, bool write)
{
	bool same = true;

	for (size_t i = 0;; i = size_min(i + PAGE_SIZE, b->bytes - 1)) {
		unsigned char want = (unsigned char)(b->stamp * 31 + i / PAGE_SIZE);

		if (write)
			b->start[i] = want;
		same &= b->start[i] == want;
		if (i == b->bytes - 1)
			return same;
	}
}

static inline bool work_is_apart(const unsigned char *p, size_t bytes)
{
	for (size_t i = 0; i < work.live; i++)
		if (p < work.blocks[i].start + work.blocks[i].bytes &&
		    work.blocks[i].start < p + bytes)
			return false;
	return true;
}

static inline void work_enter(unsigned char *p, size_t bytes, u32 pool)
{
	struct work_block *b = &work.blocks[work.live];

	*b = (struct work_block){ p, bytes, pool, ++work.stamps };
	MODEL_CHECK(work_is_apart(p, bytes));
	MODEL_CHECK((uintptr_t)p % 8 == 0);
	work.live++;
	if (pool < WORK_POOLS)
		work.of_pool[pool]++;
	work_stamp(b, true);
}

static inline void work_take(unsigned i, unsigned char what)
{
	gfp_t gfp = what & 1 ? GFP_KERNEL : what & 2 ? GFP_NOWAIT : GFP_KERNEL | __GFP_ZERO;
	unsigned char *p;

	if (!work.pools[i] || work.live == WORK_BLOCKS)
		return;
	p = slab_malloc_gfp(work.pools[i], what & 15, gfp);
	if (!p)
		return;
	MODEL_CHECK(!(gfp & __GFP_ZERO) || (p[0] | p[work_sizes[i] - 1]) == 0);
	work_enter(p, work_sizes[i], i);
}

static inline void work_group(unsigned char what)
{
	size_t size = (size_t)1 << what % 22;
	unsigned char *p;

	size += size * (what / 22) / 12;
	if (work.live == WORK_BLOCKS)
		return;
	p = pool_kmalloc(size, what & 1 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO);
	if (!p)
		return;
	MODEL_CHECK(what & 1 || (p[0] | p[size - 1]) == 0);
	MODEL_CHECK(pool_ksize(p) >= size);
	work_enter(p, pool_ksize(p), WORK_GROUP);
}

static inline void work_give(size_t index)
{
	struct work_block b;

	if (!work.live)
		return;
	index %= work.live;
	b = work.blocks[index];
	MODEL_CHECK(work_stamp(&b, false));
	work.live--;
	work.blocks[index] = work.blocks[work.live];
	if (b.pool == WORK_GROUP) {
		MODEL_CHECK(pool_kfree(b.start) == 0);
		return;
	}
	work.of_pool[b.pool]--;
	if (b.pool != 2 && index % 8 == 0)
		MODEL_CHECK(slab_free_try(work.pools[b.pool], b.start) == 0);
	else
		MODEL_CHECK(slab_free(work.pools[b.pool], b.start, 0) == 0);
}

static inline void work_give_wrong_now(void)
{
	if (work.wrong_pool)
		work.result = slab_free(work.wrong_pool, work.wrong, 0);
	else
		work.result = pool_kfree(work.wrong);
}

/* A pointer somewhere near an object, which is none; to its pool, another, or the group. */
static inline void work_give_wrong(size_t index, unsigned char what)
{
	static const ptrdiff_t shift[] = { 1, 8, 16, -8, 2 << 20, -(2 << 20), 4096, 0 };
	struct work_block b;
	bool ended;

	if (!work.live)
		return;
	b = work.blocks[index % work.live];
	work.wrong = b.start + shift[what % 8];
	work.wrong_pool = what & 8 ? NULL : work.pools[(b.pool + 1 + (what >> 4)) % WORK_POOLS];
	if (!work.wrong_pool && !(what & 8))
		return;
	for (size_t i = 0; i < work.live; i++) /* right after all */
		if (work.blocks[i].start == work.wrong)
			if (work.blocks[i].pool == WORK_GROUP ||
			    work.pools[work.blocks[i].pool] == work.wrong_pool)
				return;
	work.result = 0;
	ended = help_aborts(work_give_wrong_now);
	MODEL_CHECK(ended || work.result == -ENOT_IN_SLAB || work.result == -ECANNOT_FREE_MEM);
}

static inline int work_visit(void *object, void *data)
{
	(void)object;
	++*(size_t *)data;
	return false;
}

static inline void work_compare(unsigned i)
{
	struct pool_info info;
	size_t visited = 0;

	if (!work.pools[i])
		return;
	pool_info(work.pools[i], &info);
	MODEL_CHECK(info.objects_using == work.of_pool[i]);
	MODEL_CHECK(info.objects_using + info.objects_free == info.blocks * info.block_objects);
	MODEL_CHECK(info.blocks_grown - info.blocks_given == info.blocks);
	pool_for_each(work.pools[i], work_visit, &visited);
	MODEL_CHECK(visited == info.objects_using);
	if (i == 2)
		MODEL_CHECK(work.in_callback == info.objects_using);
}

static inline void work_rare(unsigned char what)
{
	unsigned i = what % WORK_POOLS;

	switch (what / WORK_POOLS % 6) {
	case 0:
		if (work.pools[i])
			pool_shrink(work.pools[i]);
		break;
	case 1:
		ashlar_purge();
		break;
	case 2:
		if (!work.pools[i])
			break;
		work.result = slab_destroy(work.pools[i]);
		MODEL_CHECK(work.result == (work.of_pool[i] ? -ESLAB_NOTNULL : 0));
		if (work.result == 0)
			work.pools[i] = NULL;
		break;
	case 3:
		sim.fail_at = 1 + what % 3;
		break;
	case 4:
		sim.fail_at = 0;
		init_stop();
		init_resume();
		break;
	default:
		work_make(i);
		work_compare(i);
	}
}

static inline void work_step(unsigned char kind, unsigned char what)
{
	sim.cpu = what % 4;
	if (kind < 90)
		work_take(kind % WORK_POOLS, what);
	else if (kind < 120)
		work_group(what);
	else if (kind < 235)
		work_give((size_t)kind * 256 + what);
	else if (kind < 245)
		work_give_wrong(what, (unsigned char)(kind * 7 + what));
	else
		work_rare(what);
}

static inline void work_begin(void)
{
	for (unsigned i = 0; i < WORK_POOLS; i++)
		work_make(i);
}

/* All is given back, and nothing is left. */
static inline void work_end(void)
{
	sim.fail_at = 0;
	while (work.live)
		work_give(work.live - 1);
	for (unsigned i = 0; i < WORK_POOLS; i++) {
		work_compare(i);
		MODEL_CHECK(!work.pools[i] || slab_destroy(work.pools[i]) == 0);
		work.pools[i] = NULL;
	}
	MODEL_CHECK(ashlar_audit() == 0);
	MODEL_CHECK(sim.waits == 0);
}

#endif
