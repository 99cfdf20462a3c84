/* SPDX-License-Identifier: MIT */
/*
 * model_test.c - random work on every door against a table of who owns which bytes
 *
 * What    Each step allocates, frees, resizes, shrinks, purges or changes the CPU, and the model
 *         knows every live block: its place, size, alignment and stamp. Blocks never overlap,
 *         contents stay, usable sizes hold what was asked, and the audit finds nothing.
 * Seed    ASHLAR_SEED, printed; the same seed does the same on every machine.
 */
#include "base/bits.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "sim_help.h"

#define BLOCKS 3000u
#define CACHES 6u

struct block {
	unsigned char *start;
	size_t bytes; /* that may be used */
	u32 cache;    /* index + 1; 0: kmalloc's */
	u32 stamp;
};

static struct block blocks[BLOCKS];
static u16 by_address[BLOCKS]; /* indices of the blocks, sorted by start */
static size_t live;
static size_t live_bytes;
static struct kmem_cache *caches[CACHES];
static uint64_t seed;
static u32 stamps;

static uint64_t draw(uint64_t below)
{
	return help_random(&seed) % below;
}

/* ---- the model -------------------------------------------------------------------- */

/* The first and last bytes, and one in a page: cheap, and every page is touched. */
static void stamp(const struct block *b)
{
	for (size_t i = 0; i < b->bytes; i += PAGE_SIZE / 2)
		b->start[i] = (unsigned char)(b->stamp + i / PAGE_SIZE);
	for (size_t i = 0; i < size_min(b->bytes, 16); i++)
		b->start[b->bytes - 1 - i] = (unsigned char)(b->stamp * 7);
}

/* Only the @bytes first were kept by a resize. */
static bool is_stamped(const struct block *b, size_t bytes)
{
	size_t tail = size_min(b->bytes, 16);

	for (size_t i = 0; i < size_min(bytes, b->bytes - tail); i += PAGE_SIZE / 2)
		if (b->start[i] != (unsigned char)(b->stamp + i / PAGE_SIZE))
			return false;
	for (size_t i = 0; bytes == b->bytes && i < tail; i++)
		if (b->start[b->bytes - 1 - i] != (unsigned char)(b->stamp * 7))
			return false;
	return true;
}

/* Position in by_address of the first block that starts at @p or above. */
static size_t position(const unsigned char *p)
{
	size_t low = 0;
	size_t high = live;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (blocks[by_address[middle]].start < p)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_apart(const unsigned char *p, size_t bytes)
{
	size_t at = position(p);

	if (at < live && p + bytes > blocks[by_address[at]].start)
		return false;
	if (at > 0) {
		const struct block *before = &blocks[by_address[at - 1]];

		return before->start + before->bytes <= p;
	}
	return true;
}

/* Enter blocks[live]. */
static void enter(void *p, size_t bytes, u32 cache)
{
	size_t at = position(p);
	struct block *b = &blocks[live];

	*b = (struct block){ p, bytes, cache, ++stamps };
	memmove(&by_address[at + 1], &by_address[at], (live - at) * sizeof(by_address[0]));
	by_address[at] = (u16)live;
	live++;
	live_bytes += bytes;
	stamp(b);
}

static struct block leave(size_t index)
{
	struct block b = blocks[index];
	size_t at = position(b.start);

	memmove(&by_address[at], &by_address[at + 1], (live - at - 1) * sizeof(by_address[0]));
	live--;
	live_bytes -= b.bytes;
	if (index != live) {
		by_address[position(blocks[live].start)] = (u16)index;
		blocks[index] = blocks[live];
	}
	return b;
}

/* ---- steps --------------------------------------------------------------------------- */

/* Mostly small; now and then around the borders of classes, runs and mappings. */
static size_t draw_size(void)
{
	switch (draw(16)) {
	case 0:
		return ((size_t)1 << draw(17)) + draw(3);
	case 1:
		return 1 + draw(200000);
	case 2:
		return draw(8) ? 1 + draw(40000) : 1 + draw((size_t)10 << 20);
	case 3:
		return 1 + draw(4096);
	default:
		return 1 + draw(300);
	}
}

static gfp_t draw_gfp(void)
{
	static const gfp_t flags[] = { GFP_KERNEL, GFP_KERNEL, GFP_KERNEL,
				       GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL | __GFP_NORETRY,
				       GFP_NOFS,   GFP_NOIO };

	return flags[draw(ARRAY_SIZE(flags))] | (draw(8) ? 0 : __GFP_ZERO);
}

static bool is_zero(const unsigned char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (p[i])
			return false;
	return true;
}

static void check_new(unsigned char *p, size_t size, size_t usable, size_t align, gfp_t gfp)
{
	EXPECT_GE(usable, size);
	EXPECT_EQ((uintptr_t)p % align, 0);
	EXPECT(is_apart(p, usable));
	if (gfp & __GFP_ZERO)
		EXPECT(is_zero(p, size));
}

static void step_kmalloc(void)
{
	size_t size = draw_size();
	gfp_t gfp = draw_gfp();
	size_t align = draw(8) ? 1 : (size_t)1 << draw(14);
	unsigned char *p =
		align > 1 ? kmalloc_aligned(size, align, gfp) : ashlar_kmalloc(size, gfp);
	size_t natural = bits_is_power_of_two(size) && size <= PAGE_SIZE ? size : 1;

	if (!p)
		return;
	if (align > 1)
		gfp &= ~__GFP_ZERO; /* not of a door */
	check_new(p, size, ksize(p), size_max(size_max(align, natural), 16), gfp);
	enter(p, ksize(p), 0);
}

static void step_cache(void)
{
	u32 which = (u32)draw(CACHES);
	gfp_t gfp = draw_gfp();
	struct kmem_cache *c = caches[which];
	unsigned char *p = kmem_cache_alloc(c, gfp);

	if (!p)
		return;
	check_new(p, c->object_size, ksize(p), c->align, gfp);
	enter(p, c->object_size, which + 1);
}

static void step_bulk(void)
{
	void *objects[200];
	u32 which = (u32)draw(CACHES);
	size_t count = 1 + draw(ARRAY_SIZE(objects));
	int got;

	if (live + count > BLOCKS)
		return;
	got = kmem_cache_alloc_bulk(caches[which], draw_gfp() & ~__GFP_ZERO, count, objects);
	EXPECT(got == 0 || got == (int)count);
	for (int i = 0; i < got; i++) {
		EXPECT(is_apart(objects[i], caches[which]->object_size));
		enter(objects[i], caches[which]->object_size, which + 1);
	}
}

static void step_free_bulk(void)
{
	void *objects[200];
	u32 which = (u32)draw(CACHES) + 1;
	size_t count = 0;

	for (size_t i = live; i-- > 0 && count < ARRAY_SIZE(objects);) {
		if (blocks[i].cache == which && draw(2)) {
			EXPECT(is_stamped(&blocks[i], blocks[i].bytes));
			objects[count++] = leave(i).start;
		}
	}
	kmem_cache_free_bulk(draw(2) ? caches[which - 1] : NULL, count, objects);
}

static void step_free(void)
{
	struct block b;

	if (live == 0)
		return;
	b = leave(draw(live));
	EXPECT(is_stamped(&b, b.bytes));
	if (b.cache && draw(4))
		kmem_cache_free(caches[b.cache - 1], b.start);
	else if (draw(16))
		kfree(b.start);
	else
		kfree_sensitive(b.start);
}

static void step_resize(void)
{
	size_t index;
	struct block b;
	struct block old;
	unsigned char *p;
	size_t size = draw_size();

	if (live == 0)
		return;
	index = draw(live);
	if (blocks[index].cache)
		return;
	b = leave(index);
	EXPECT(is_stamped(&b, b.bytes));
	p = krealloc(b.start, size, draw_gfp() & ~__GFP_ZERO);
	if (!p) { /* the old block stays */
		EXPECT(is_stamped(&b, b.bytes));
		enter(b.start, b.bytes, 0);
		return;
	}
	EXPECT_GE(ksize(p), size);
	EXPECT(is_apart(p, ksize(p)));
	old = b;
	old.start = p;
	EXPECT(is_stamped(&old, size_min(size, b.bytes)));
	enter(p, ksize(p), 0);
}

/* A cache that comes and goes. */
static void step_passing(void)
{
	struct kmem_cache *c = kmem_cache_create("passing", 1 + (unsigned)draw(3000), 0, 0, NULL);

	if (!c)
		return;
	kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
	kmem_cache_destroy(c);
}

static void step_rare(void)
{
	switch (draw(8)) {
	case 0:
		kmem_cache_shrink(caches[draw(CACHES)]);
		break;
	case 1:
		ashlar_purge();
		break;
	case 2:
		step_passing();
		break;
	case 3:
		init_stop();
		init_resume();
		break;
	case 4:
		sim.fail_at = 1 + draw(4); /* one request of the next will be refused */
		break;
	default:
		sim.fence_refused = draw(4) == 0;
	}
}

static void step(void)
{
	uint64_t kind = draw(1000);
	bool full = live + 1 >= BLOCKS || live_bytes > ((size_t)40 << 20);

	sim.cpu = (unsigned)draw(sim.cpus);
	if (kind < 4)
		step_rare();
	else if (kind < 20)
		step_free_bulk();
	else if (kind < 100)
		step_resize();
	else if (kind < 500 || full)
		step_free();
	else if (kind < 510)
		step_bulk();
	else if (kind < 700)
		step_cache();
	else
		step_kmalloc();
}

/* ---- whole runs ------------------------------------------------------------------------ */

static bool make_caches(void)
{
	static const unsigned sizes[CACHES] = { 8, 40, 192, 1000, 6000, 70000 };

	for (unsigned i = 0; i < CACHES; i++) {
		caches[i] = kmem_cache_create("model", sizes[i], i == 2 ? 64 : 0,
					      i == 3 ? SLAB_HWCACHE_ALIGN : 0, NULL);
		if (!caches[i])
			return false;
	}
	return true;
}

/* Everything is freed and given back: what stays is the core's own. */
static void finish(void)
{
	struct page_stat s;

	sim.fail_at = 0;
	sim.fence_refused = false;
	for (size_t i = 0; i < live; i++)
		EXPECT(is_stamped(&blocks[i], blocks[i].bytes));
	while (live)
		step_free();
	help_clear();
	for (unsigned i = 0; i < CACHES; i++)
		kmem_cache_destroy(caches[i]);
	EXPECT_TEXT_EQ(sim.text, "");
	ashlar_purge();
	page_stat(&s);
	EXPECT_LE(s.online_pages - s.free_pages, 400);
	EXPECT_EQ(s.dirty_pages, 0);
	EXPECT_EQ(s.pcp_pages, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(sim.waits, 0);
}

static void run(bool lock_mode, unsigned nodes, size_t arena_bytes, unsigned steps)
{
	size_t faults = 0;

	sim_reset();
	sim.lock_mode = lock_mode;
	sim.nodes = nodes;
	for (unsigned cpu = 0; cpu < sim.cpus; cpu++)
		sim.cpu_node[cpu] = cpu % nodes;
	sim.arena_bytes = arena_bytes;
	seed = help_setting("ASHLAR_SEED", 20240229);
	tap_note_number("ASHLAR_SEED", seed);
	REQUIRE(init_ready() && make_caches());
	steps *= help_effort();
	for (unsigned i = 0; i < steps && !faults; i++) {
		step();
		if (i % 64 == 0)
			faults = ashlar_audit();
		if (!EXPECT_EQ(faults, 0))
			tap_note_number("at step", i);
	}
	finish();
}

TEST(model_sequences)
{
	run(false, 1, (size_t)96 << 20, 60000);
}

TEST(model_locks)
{
	run(true, 1, (size_t)96 << 20, 40000);
}

TEST(model_two_nodes)
{
	run(false, 2, (size_t)96 << 20, 30000);
}

TEST(model_little_memory)
{
	run(false, 1, (size_t)16 << 20, 40000);
}
