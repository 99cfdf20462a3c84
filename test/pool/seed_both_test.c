/* SPDX-License-Identifier: MIT */
/*
 * seed_both_test.c - faults of the first seed, found in its model and not in the pools: X7 to X25
 *
 * What    X1 to X6, X14 and X16 are compared in seed_test.c and seed_more_test.c, where the others
 *         are looked at in the pools more closely.
 */
#include "seed_help.h"

/* What these faults need of a maker, beside struct maker. */
struct more {
	void (*lock)(bool hold); /* of the pool, or of the class */
	bool (*is_locked)(void);
	void *(*try)(void); /* an object, for those who may not wait */
	void *(*kmalloc)(size_t size, gfp_t gfp);
	int (*kfree)(void *p);
	bool (*kfree_walks)(void *p);  /* does it look at other slabs or pools? */
	size_t (*searched)(void);      /* slabs that an allocation may look at */
	size_t (*blocks)(void);        /* that the pool has */
	size_t (*shrink)(void);        /* bytes */
	size_t (*start)(void);         /* pages that it takes */
	size_t (*unclean)(void *last); /* blocks left as they were, of which @last was one */
	void (*no_memory)(bool on);
	void (*watch)(void (*look)(void)); /* while memory is got */
	const char *(*name)(void);
};

/* ---- ours -------------------------------------------------------------------------- */

static void ours_lock(bool hold)
{
	if (hold)
		lock_acquire(&pool->lock);
	else
		lock_release(&pool->lock);
}

static bool ours_is_locked(void)
{
	return pool && pool->lock.word != LOCK_FREE;
}

static void *ours_try(void)
{
	return slab_malloc_gfp(pool, 0, GFP_ATOMIC);
}

static void *ours_kmalloc(size_t size, gfp_t gfp)
{
	void *p = pool_kmalloc(size, gfp);
	struct slab *owner = p && !ZERO_OR_NULL_PTR(p) ? pool_owner(p) : NULL;

	pool = owner ? owner : pool;
	return p;
}

static int ours_kfree(void *p)
{
	return pool_kfree(p);
}

/* Whoever looks at another pool finds it locked, and waits. */
static bool ours_kfree_walks(void *p)
{
	pool = pool_owner(p);
	for (struct list *node = pool->link.next; node != &pool->link; node = node->next) {
		struct slab *other = container_of(node, struct slab, link);

		if (pool_is_pool(other))
			lock_acquire_more(&other->lock);
	}
	sim.task_word = 0;
	return pool_kfree(p) != 0 || sim.waits != 0;
}

static size_t ours_searched(void)
{
	size_t n = 0;

	for (const struct list *l = pool->partial.next; l != &pool->partial; l = l->next)
		n++;
	for (const struct list *l = pool->empty.next; l != &pool->empty; l = l->next)
		n++;
	return n;
}

static size_t ours_blocks(void)
{
	return info().blocks;
}

static size_t ours_shrink(void)
{
	return pool_shrink(pool);
}

static size_t pages_in_use(void)
{
	struct page_stat s;

	page_stat(&s);
	return s.online_pages - s.free_pages - s.pcp_pages;
}

static size_t ours_start(void)
{
	size_t before;

	kfree(ashlar_kmalloc(64, GFP_KERNEL));
	before = pages_in_use();
	slab_init();
	return pages_in_use() - before;
}

static size_t ours_unclean(void *last)
{
	pool_shrink(pool);
	return sheet_head(last)->kind == PAGE_POOL || sim.huge_bytes != 0;
}

static void ours_no_memory(bool on)
{
	sim.fail_at = on ? 1 : 0;
	sim.fail_on = on;
}

static void ours_watch(void (*look)(void))
{
	sim.watch = look;
}

static const char *ours_name(void)
{
	static struct pool_info i;

	pool_info(pool, &i);
	return i.name;
}

static const struct more ours_more = {
	.lock = ours_lock,
	.is_locked = ours_is_locked,
	.try = ours_try,
	.kmalloc = ours_kmalloc,
	.kfree = ours_kfree,
	.kfree_walks = ours_kfree_walks,
	.searched = ours_searched,
	.blocks = ours_blocks,
	.shrink = ours_shrink,
	.start = ours_start,
	.unclean = ours_unclean,
	.no_memory = ours_no_memory,
	.watch = ours_watch,
	.name = ours_name,
};

/* ---- the seed's model ---------------------------------------------------------------- */

static void seed_lock(bool hold)
{
	model.locked = hold;
}

static bool seed_is_locked(void)
{
	return model.locked;
}

static void *seed_try(void)
{
	return model_malloc(0);
}

static void *seed_kmalloc(size_t size, gfp_t gfp)
{
	(void)gfp;
	return model_kmalloc(size);
}

static bool seed_kfree_walks(void *p)
{
	return model_kfree(p) != 0 || model.looked > 1;
}

static size_t seed_searched(void)
{
	return model.slabs;
}

static size_t seed_shrink(void)
{
	return 0; /* there is no such thing */
}

static size_t seed_start(void)
{
	model_init();
	return model.pinned;
}

static size_t seed_unclean(void *last)
{
	(void)last;
	return model.unclean;
}

static void seed_no_memory(bool on)
{
	model.no_memory = on;
}

static void seed_watch(void (*look)(void))
{
	model.watch = look;
}

static const char *seed_name(void)
{
	return NULL;
}

static const struct more seed_more = {
	.lock = seed_lock,
	.is_locked = seed_is_locked,
	.try = seed_try,
	.kmalloc = seed_kmalloc,
	.kfree = model_kfree,
	.kfree_walks = seed_kfree_walks,
	.searched = seed_searched,
	.blocks = seed_searched,
	.shrink = seed_shrink,
	.start = seed_start,
	.unclean = seed_unclean,
	.no_memory = seed_no_memory,
	.watch = seed_watch,
	.name = seed_name,
};

static const struct more *more(const struct maker *m)
{
	return m == &seed ? &seed_more : &ours_more;
}

/* ---- the faults ------------------------------------------------------------------------- */

#define BOTH(x)             \
	TEST(seed_both_##x) \
	{                   \
		compare(x); \
	}

/* X7: who may not wait gets nothing while somebody is inside. */
static bool x7_doors_take_the_lock(const struct maker *m)
{
	void *p;

	if (!m->create(64, NULL, NULL))
		return false;
	m->free(m->alloc(0), 0); /* there is a block */
	more(m)->lock(true);
	p = more(m)->try();
	more(m)->lock(false);
	return !p && more(m)->try();
}
BOTH(x7_doors_take_the_lock)

/* X8 */
static bool x8_a_free_walks_no_list(const struct maker *m)
{
	void *p = more(m)->kmalloc(1000, GFP_KERNEL);

	return p && !more(m)->kfree_walks(p);
}
BOTH(x8_a_free_walks_no_list)

/* X9: three slabs are full, and an allocation looks at none of them. */
static bool x9_full_slabs_are_not_searched(const struct maker *m)
{
	if (!m->create(MIB, NULL, NULL))
		return false;
	for (unsigned i = 0; i < 6; i++)
		if (!m->alloc(0))
			return false;
	return more(m)->searched() == 0;
}
BOTH(x9_full_slabs_are_not_searched)

/* X10: an interrupt comes while the class's lock is held by whom it has interrupted. */
static bool x10_an_interrupt_does_not_wait(const struct maker *m)
{
	void *p = more(m)->kmalloc(64, GFP_KERNEL);
	void *inside;

	if (!p)
		return false;
	more(m)->lock(true);
	inside = more(m)->kmalloc(64, GFP_ATOMIC);
	more(m)->lock(false);
	return inside != MODEL_SPINS && sim.waits == 0 && more(m)->kmalloc(64, GFP_ATOMIC);
}
BOTH(x10_an_interrupt_does_not_wait)

static const struct more *looked_at;
static bool locked_meanwhile;

static void look(void)
{
	locked_meanwhile |= looked_at->is_locked();
}

/* X11: slabs are made without the class's lock. */
static bool x11_no_lock_while_growing(const struct maker *m)
{
	looked_at = more(m);
	if (!looked_at->kmalloc(MIB, GFP_KERNEL))
		return false;
	locked_meanwhile = false;
	looked_at->watch(look);
	for (unsigned i = 0; i < 4; i++)
		if (!looked_at->kmalloc(MIB, GFP_KERNEL))
			return false;
	looked_at->watch(NULL);
	return !locked_meanwhile;
}
BOTH(x11_no_lock_while_growing)

/* X12: what describes a slab cannot be had. */
static bool x12_missing_memory_is_noticed(const struct maker *m)
{
	void *p;
	unsigned n = 0;

	while (n++ < 2 && more(m)->kmalloc(MIB, GFP_KERNEL))
		continue;
	more(m)->no_memory(true);
	do
		p = more(m)->kmalloc(MIB, GFP_KERNEL);
	while (p && p != MODEL_CRASH && n++ < 200);
	more(m)->no_memory(false);
	return p != MODEL_CRASH;
}
BOTH(x12_missing_memory_is_noticed)

/* X13: objects in use and free are those of the slabs there are, after failures, too. */
static bool x13_counts_do_not_drift(const struct maker *m)
{
	if (!m->create(MIB, NULL, NULL))
		return false;
	m->alloc(0);
	m->alloc(0);
	if (m == &seed)
		model.scan_fails = true; /* which X3 brings about */
	else
		ours_no_memory(true);
	for (unsigned i = 0; i < 5; i++)
		m->alloc(0);
	ours_no_memory(false);
	return more(m)->blocks() * 2 == m->using() + m->idle();
}
BOTH(x13_counts_do_not_drift)

static void fill_word(uint64_t *word)
{
	*word = UINT64_MAX;
	model.writer = NULL;
}

/* X15: the lowest free object is found, whoever writes meanwhile. */
static bool x15_no_bit_is_passed_over(const struct maker *m)
{
	char *first = NULL;

	if (!m->create(64, NULL, NULL))
		return false;
	for (unsigned i = 0; i < 40; i++) {
		char *p = m->alloc(0);

		first = first ? first : p;
	}
	if (m == &seed)
		model.writer = fill_word; /* another CPU takes the rest of the first word */
	else
		for (unsigned i = 40; i < 64; i++)
			m->alloc(0);
	return m->alloc(0) == first + (size_t)64 * 64;
}
BOTH(x15_no_bit_is_passed_over)

/* X17 */
static bool x17_the_start_pins_nothing(const struct maker *m)
{
	return more(m)->start() < 64;
}
BOTH(x17_the_start_pins_nothing)

/* X18 */
static bool x18_flags_are_honoured_or_refused(const struct maker *m)
{
	return !more(m)->kmalloc(64, GFP_KERNEL | __GFP_DMA);
}
BOTH(x18_flags_are_honoured_or_refused)

/* X19 */
static bool x19_larger_than_a_class(const struct maker *m)
{
	return more(m)->kmalloc(MIB + 1, GFP_KERNEL) != NULL;
}
BOTH(x19_larger_than_a_class)

/* X20 */
static bool x20_nothing_for_zero(const struct maker *m)
{
	return more(m)->kmalloc(0, GFP_KERNEL) == ZERO_SIZE_PTR;
}
BOTH(x20_nothing_for_zero)

/* X21 */
static bool x21_an_empty_pool_costs_no_block(const struct maker *m)
{
	if (!m->create(64, NULL, NULL) || more(m)->blocks() != 0)
		return false;
	m->free(m->alloc(0), 0);
	more(m)->shrink();
	return more(m)->blocks() == 0;
}
BOTH(x21_an_empty_pool_costs_no_block)

/* X22 */
static bool x22_errors_are_negative(const struct maker *m)
{
	return m->create(64, NULL, NULL) && m->free(&looked_at, 0) < 0;
}
BOTH(x22_errors_are_negative)

/* Objects that come before the pool has one block more. */
static size_t count_block(const struct more *m)
{
	size_t blocks = m->blocks();
	size_t n = 0;

	while (m->blocks() == blocks && n < 100000 && m->kmalloc(64, GFP_KERNEL))
		n++;
	return n;
}

/* X23: the first block and a later one have the same objects. */
static bool x23_one_geometry(const struct maker *m)
{
	size_t second;

	if (!more(m)->kmalloc(64, GFP_KERNEL) || count_block(more(m)) != 32768)
		return false;
	second = count_block(more(m));
	return second == 32768;
}
BOTH(x23_one_geometry)

/* X24: a block that leaves is a block like any other. */
static bool x24_one_way_out_for_a_block(const struct maker *m)
{
	void *p;

	if (!m->create(2 * MIB, NULL, NULL))
		return false;
	p = m->alloc(0);
	if (m == &seed)
		model.scan_fails = true;
	else
		m->free(p, 0);
	m->alloc(0);
	if (m != &seed)
		m->free(p, 0);
	return p && more(m)->unclean(p) == 0;
}
BOTH(x24_one_way_out_for_a_block)

/* X25 */
static bool x25_a_pool_has_a_name(const struct maker *m)
{
	return m->create(64, NULL, NULL) && more(m)->name() && *more(m)->name();
}
BOTH(x25_a_pool_has_a_name)
