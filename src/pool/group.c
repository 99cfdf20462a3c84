/* SPDX-License-Identifier: MIT */
/*
 * group.c - the group of pools for any size: pool_kmalloc, pool_kfree
 *
 * What    Seed 001's sixteen pools of 32 bytes to 1 MiB, with a pool between each two up to 512 KiB
 *         and two at the lower end, so that at most a third of an object is idle from 16
 *         bytes to 512 KiB. A pool is made when the first of its size is asked for.
 * State   group: by class
 * Rules   GR1  a class that is a power of two is aligned to it, as far as the arena is
 *         GR2  what is above 1 MiB is a block of pages (cache/large.h)
 */
#include "base/bits.h"
#include "base/memory.h"
#include "base/text.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/large.h"
#include "cache/report.h"
#include "pool/pool.h"

#define GROUP_CLASSES 32u

static struct slab *group[GROUP_CLASSES];

/* 16, 32, 48, 64, then 96, 128, 192, 256 ... 393216, 524288, and 1048576 as the last. */
static unsigned group_class(size_t size)
{
	unsigned top;

	if (size <= 64)
		return (unsigned)((size + 15) / 16) - 1;
	if (size > POOL_KMALLOC_MAX / 2)
		return GROUP_CLASSES - 1;
	top = bits_highest(size - 1);
	return 4 + (top - 6) * 2 + (unsigned)((size - 1) >> (top - 1) & 1);
}

static size_t group_class_size(unsigned class)
{
	if (class < 4)
		return (size_t)16 * (class + 1);
	if (class == GROUP_CLASSES - 1)
		return POOL_KMALLOC_MAX;
	return (size_t)(class % 2 ? 4 : 3) << (5 + (class - 4) / 2);
}

/* "pool-kmalloc-64", "pool-kmalloc-1k" */
static struct slab *group_make(unsigned class)
{
	size_t size = group_class_size(class);
	struct pool_args args = { .size = size, .flags = POOL_FLAG_GROUP };
	struct slab *seen = NULL;
	struct slab *pool;
	struct text name;

	text_init(&name);
	text_str(&name, "pool-kmalloc-");
	text_dec(&name, size % 1024 ? size : size / 1024);
	text_str(&name, size % 1024 ? "" : "k");
	text_char(&name, '\0');
	args.name = name.bytes;
	pool = pool_make(&args);
	if (!pool)
		return NULL;
	if (__atomic_compare_exchange_n(&group[class], &seen, pool, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return pool;
	slab_destroy(pool);
	return seen;
}

static struct slab *group_pool(unsigned class)
{
	struct slab *pool = LOAD_ACQUIRE(group[class]);

	return pool ? pool : group_make(class);
}

int slab_init(void)
{
	for (unsigned class = 0; class < GROUP_CLASSES; class ++)
		if (class != GROUP_CLASSES - 2 && !group_pool(class))
			return -ESLAB_NOMEM;
	return 0;
}

void *pool_kmalloc(size_t size, gfp_t gfp)
{
	struct slab *pool;
	void *p;

	if (size == 0)
		return ZERO_SIZE_PTR;
	if (!pool_serves(gfp, "pool_kmalloc", "group"))
		return NULL;
	if (size > POOL_KMALLOC_MAX)
		return init_ready() ? large_alloc(size, PAGE_SIZE, gfp) : NULL; /* GR2 */
	pool = group_pool(group_class(size));
	p = pool ? pool_take(pool, gfp) : NULL;
	if (p && (gfp & __GFP_ZERO))
		memset(p, 0, pool->cut.stride);
	return p;
}

void *pool_kzalloc(size_t size, gfp_t gfp)
{
	return pool_kmalloc(size, gfp | __GFP_ZERO);
}

/* The pool of the group that has @p, or NULL. */
static struct slab *group_owner(const void *p)
{
	struct slab *pool = pool_owner(p);

	return pool && pool_is_pool(pool) && (pool->flags & POOL_FLAG_GROUP) ? pool : NULL;
}

/* Is @p a block of pages in use? */
static bool group_is_large(const void *p)
{
	return kmalloc_owns(p) && !(map_contains(p) && map.ids[map_pfn(p)]);
}

int pool_kfree(const void *p)
{
	void *block = (void *)(uintptr_t)p;
	struct slab *pool;

	if (ZERO_OR_NULL_PTR(p))
		return 0;
	pool = group_owner(p);
	if (pool && pool_give(pool, block, 0, "pool_kfree") == 0)
		return 0;
	if (!pool && group_is_large(p)) {
		kmalloc_free(block, "pool_kfree");
		return 0;
	}
	if (!pool)
		fault_foreign("pool_kfree", NULL, p);
	return -ECANNOT_FREE_MEM;
}

size_t pool_ksize(const void *p)
{
	const struct slab *pool;

	if (ZERO_OR_NULL_PTR(p))
		return 0;
	pool = group_owner(p);
	if (pool)
		return sheet_look(sheet_head(p), &pool->cut, pool, p) == SHEET_FINE ?
			       pool->cut.stride :
			       0;
	return group_is_large(p) ? large_size(p) : 0;
}
