/* SPDX-License-Identifier: MIT */
/*
 * linux_test.c - Ashlar inside Linux: one machine, two allocators
 *
 * Rules   LN1 every size is served, and an object's contents are its owner's
 *         LN2 CPUs that allocate, free each other's objects, make and destroy caches, shrink and
 *             purge: an object has one owner, and every rule holds
 *         LN3 interrupts use the same arrays meanwhile; behind these are locks that the
 *             interrupted code may hold
 *         LN4 memory comes from Linux when it is needed, and goes back
 *         LN5 a stopped CPU stands still, and goes on
 *         LN6 what Linux needs and Ashlar has free it gets, also where Ashlar's own allocation from
 *             Linux is what finds too little
 *         LN7 what nobody uses goes back by itself
 *         LN8 so do pages between objects in use (E9), and their objects come again
 */
#include "ashlar/mm.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/object.h"
#include "cache/option.h"
#include "cache/reclaim.h"
#include "cache/squeeze.h"
#include "engine/engine.h"
#include "host.h"
#include "linux_kernel.h"
#include "page/page.h"
#include "port/port.h"
#include "tap.h"

#define LINUX_HELD 64u
#define LINUX_BOX 256u
#define LINUX_TURNS 30000u
#define LINUX_BYTES 96u
#define LINUX_WORK 3000u
#define LINUX_ROUNDS 40u

static uint64_t faults;    /* atomic: what did not hold, in threads and interrupts */
static uint64_t had_holes; /* atomic: there was something to fill */
static struct kmem_cache *cache;
static void *box[LINUX_BOX]; /* atomic: objects on their way to another thread */

unsigned tests_run(const char *filter)
{
	return tap_run(filter);
}

static void fault_unless(bool held)
{
	if (!held)
		__atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED);
}

/* ---- marks ---------------------------------------------------------------------- */

static void mark(void *p, size_t bytes, uint64_t owner)
{
	volatile uint64_t *words = p;

	for (size_t i = 0; i < bytes / 8; i++)
		words[i] = owner * 0x9e3779b97f4a7c15u + i;
}

/* Was the mark there? It is nobody's from now on. */
static bool unmark(void *p, size_t bytes, uint64_t owner)
{
	volatile uint64_t *words = p;
	bool held = true;

	for (size_t i = 0; i < bytes / 8; i++)
		held &= words[i] == owner * 0x9e3779b97f4a7c15u + i;
	mark(p, bytes, ~owner);
	return held;
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Nobody uses @c any more: all objects are back, and every rule holds. */
static void close_cache(struct kmem_cache *c)
{
	EXPECT_EQ(faults, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- one thread ------------------------------------------------------------------- */

TEST(linux_LN1_every_size)
{
	REQUIRE(init_ready());
	for (size_t size = 8; size <= (size_t)12 << 20; size += size < 4096 ? 24 : size / 3) {
		void *p = ashlar_kmalloc(size, GFP_KERNEL);
		void *q = ashlar_kmalloc(size, GFP_KERNEL | __GFP_ZERO);

		REQUIRE(p && q);
		mark(p, size & ~(size_t)7, size);
		for (size_t i = 0; i < size; i += 61)
			REQUIRE(((char *)q)[i] == 0);
		q = krealloc(q, 2 * size, GFP_KERNEL);
		REQUIRE(q);
		EXPECT(unmark(p, size & ~(size_t)7, size));
		EXPECT_GE(ksize(p), size);
		kfree(p);
		kfree(q);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

static unsigned constructed;

static void construct(void *object)
{
	*(uint64_t *)object = 0xc0de;
	constructed++;
}

TEST(linux_LN1_caches_and_batches)
{
	static void *objects[2000];
	struct kmem_cache *c = kmem_cache_create("linux", 200, 64, 0, construct);

	REQUIRE(c);
	REQUIRE(kmem_cache_alloc_bulk(c, GFP_KERNEL, 2000, objects) == 2000);
	for (unsigned i = 0; i < 2000; i++) {
		EXPECT_EQ(*(uint64_t *)objects[i], 0xc0de);
		EXPECT_EQ((uintptr_t)objects[i] % 64, 0);
	}
	kmem_cache_free_bulk(c, 2000, objects);
	EXPECT_GE(constructed, 2000);
	close_cache(c);
}

/* LN4: half of what may be used at most, in blocks of Linux's pages, and back. */
TEST(linux_LN4_memory_comes_and_goes)
{
	static void *blocks[64];
	size_t before;
	size_t most;

	REQUIRE(init_ready());
	ashlar_purge();
	before = linux_kernel_pages();
	for (unsigned i = 0; i < 64; i++) {
		blocks[i] = ashlar_kmalloc((size_t)1 << 20, GFP_KERNEL);
		REQUIRE(blocks[i]);
		mark(blocks[i], (size_t)1 << 20, i + 1);
	}
	most = linux_kernel_pages();
	EXPECT_GE(most, before + (48u << 20) / PAGE_SIZE);
	for (unsigned i = 0; i < 64; i++) {
		EXPECT(unmark(blocks[i], (size_t)1 << 20, i + 1));
		kfree(blocks[i]);
	}
	ashlar_purge();
	tap_note_number("pages of Linux at most", most);
	tap_note_number("pages of Linux afterwards", linux_kernel_pages());
	EXPECT_EQ(ashlar_audit(), 0);
}

/* More than there is: NULL, and everything goes on. */
TEST(linux_LN4_no_memory)
{
	static void *blocks[512];
	unsigned n = 0;

	REQUIRE(init_ready());
	while (n < 512 && (blocks[n] = ashlar_kmalloc((size_t)4 << 20, GFP_KERNEL | __GFP_NOWARN)))
		n++;
	EXPECT_LT(n, 512);
	EXPECT_GT(n, 10);
	for (unsigned i = 0; i < n; i++)
		kfree(blocks[i]);
	EXPECT_EQ(ashlar_audit(), 0);
	ashlar_purge();
}

/* ---- all CPUs --------------------------------------------------------------------- */

struct parcel {
	uint64_t mark;
	uint64_t size;
	uint64_t body[]; /* to size */
};

static struct parcel *parcel_alloc(uint64_t *random)
{
	uint64_t m = next_random(random);
	size_t size = m & 1 ? LINUX_BYTES : 16 + (m >> 8) % 2048 / 8 * 8;
	struct parcel *p =
		m & 1 ? kmem_cache_alloc(cache, GFP_KERNEL) : ashlar_kmalloc(size, GFP_KERNEL);

	if (!p)
		return NULL;
	p->mark = m;
	p->size = size;
	mark(p->body, size - sizeof(*p), m);
	return p;
}

static void parcel_free(struct parcel *p)
{
	if (!p)
		return;
	fault_unless(unmark(p->body, p->size - sizeof(*p), p->mark));
	if (p->mark & 1)
		kmem_cache_free(cache, p);
	else
		kfree(p);
}

static void brief_cache(uint64_t *random)
{
	struct kmem_cache *c =
		kmem_cache_create("brief", 32u << next_random(random) % 7, 0, 0, NULL);
	void *objects[20];

	fault_unless(c && kmem_cache_alloc_bulk(c, GFP_KERNEL, 20, objects) == 20);
	if (!c)
		return;
	kmem_cache_free_bulk(c, 20, objects);
	kmem_cache_destroy(c);
}

static void exchange(unsigned number)
{
	uint64_t random = number + 1;

	for (unsigned i = 0; i < LINUX_TURNS; i++) {
		uint64_t r = next_random(&random);

		parcel_free(__atomic_exchange_n(&box[r % LINUX_BOX], parcel_alloc(&random),
						__ATOMIC_ACQ_REL));
		if (r >> 32 & 0x1ff)
			continue;
		if (number % 4 == 0)
			kmem_cache_shrink(cache);
		if (number % 4 == 1)
			brief_cache(&random);
		if (number % 4 == 2 && (r >> 41) % 8 == 0)
			ashlar_purge();
		host_yield();
	}
}

static void box_close(void)
{
	for (unsigned i = 0; i < LINUX_BOX; i++)
		parcel_free(__atomic_exchange_n(&box[i], NULL, __ATOMIC_ACQ_REL));
}

TEST(linux_LN2_cpus_exchange_objects)
{
	faults = 0;
	cache = kmem_cache_create("exchange", LINUX_BYTES, 0, 0, NULL);
	REQUIRE(cache);
	EXPECT(host_threads(host_cpus() * 2, exchange));
	box_close();
	close_cache(cache);
}

/* ---- interrupts -------------------------------------------------------------------- */

static void
	*stash[PORT_MAX_CPUS]; /* of interrupts: what could not go back, its CPU being stopped */
static uint64_t interrupts;    /* atomic */
static uint64_t owners;        /* atomic: interrupts that had an object */

/* LN3: take one, own it for a while, give it back. */
static void interrupted(unsigned cpu)
{
	uint64_t owner = ((uint64_t)1 << 40) + cpu;
	void *p = stash[cpu];

	__atomic_fetch_add(&interrupts, 1, __ATOMIC_RELAXED);
	if (!p && !percpu_pop(cache->header_offset, &p))
		return;
	object_claim(map_id(map.ids[map_pfn(p)])->states, p);
	mark(p, LINUX_BYTES, owner);
	fault_unless(unmark(p, LINUX_BYTES, owner));
	*map_state(p) = STATE_FREE;
	stash[cpu] = percpu_push(cache->header_offset, p) ? NULL : p;
	__atomic_fetch_add(&owners, 1, __ATOMIC_RELAXED);
}

static void hold_and_free(unsigned number)
{
	void *held[LINUX_HELD] = { NULL };
	uint64_t random = number + 77;

	for (unsigned i = 0; i < LINUX_WORK * LINUX_HELD; i++) {
		unsigned at = (unsigned)(next_random(&random) % LINUX_HELD);

		if (held[at]) {
			fault_unless(unmark(held[at], LINUX_BYTES, number));
			kmem_cache_free(cache, held[at]);
		}
		held[at] = kmem_cache_alloc(cache, GFP_KERNEL);
		if (held[at])
			mark(held[at], LINUX_BYTES, number);
		if (i % 1024 == 0)
			host_yield();
		if (number == 0 && i % 256 == 0)
			kmem_cache_shrink(cache);
	}
	for (unsigned i = 0; i < LINUX_HELD; i++) {
		if (held[i])
			fault_unless(unmark(held[i], LINUX_BYTES, number));
		kmem_cache_free(cache, held[i]);
	}
}

TEST(linux_LN3_timers_use_the_arrays)
{
	faults = 0;
	interrupts = 0;
	owners = 0;
	cache = kmem_cache_create("timers", LINUX_BYTES, 0, 0, NULL);
	REQUIRE(cache);
	EXPECT(host_timers(150, interrupted, hold_and_free));
	EXPECT_GT(owners, 0);
	tap_note_number("interrupts", interrupts);
	tap_note_number("with an object", owners);
	for (unsigned cpu = 0; cpu < host_cpus(); cpu++)
		if (stash[cpu])
			cache_put(cache->node, &stash[cpu], 1);
	close_cache(cache);
}

static void fill_array(unsigned number)
{
	(void)number;
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
}

static void *taken[PORT_MAX_CPUS][LINUX_HELD];

/* What the arrays have, and then nothing: each lock behind them is held. */
static void take_atomic(void *argument)
{
	unsigned *without = argument;
	void **mine = taken[percpu_cpu()];
	unsigned n = 0;

	while (n < LINUX_HELD && (mine[n] = kmem_cache_alloc(cache, GFP_ATOMIC)))
		n++;
	if (!__get_free_pages(GFP_ATOMIC, 4) && n < LINUX_HELD)
		__atomic_fetch_add(without, 1, __ATOMIC_RELAXED);
}

TEST(linux_LN3_interrupts_wait_for_no_lock)
{
	unsigned without = 0;

	cache = kmem_cache_create("interrupted", LINUX_BYTES * 32, 0, 0, NULL);
	REQUIRE(cache && host_threads(host_cpus(), fill_array));
	slab_lock_more(cache->node);
	page_lock_all();
	host_interrupt_all(take_atomic, &without);
	page_unlock_all();
	lock_release(&cache->node->lock);
	EXPECT_EQ(without, host_cpus());
	for (unsigned cpu = 0; cpu < host_cpus(); cpu++)
		for (unsigned i = 0; i < LINUX_HELD; i++)
			kmem_cache_free(cache, taken[cpu][i]);
	close_cache(cache);
}

/* ---- stopping ----------------------------------------------------------------------- */

/* LN5: with its region away a CPU goes the slow way; what was in its array is not touched. */
static void see_dummy(void *argument)
{
	unsigned *seen = argument;
	void *p;

	if (percpu_pop(cache->header_offset, &p))
		__atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(seen, 1, __ATOMIC_RELAXED);
}

TEST(linux_LN5_stopped_cpus)
{
	static void *region[PORT_MAX_CPUS];
	static void *alloc[PORT_MAX_CPUS];
	unsigned stopped = 0;
	unsigned seen = 0;

	faults = 0;
	cache = kmem_cache_create("stopped", LINUX_BYTES, 0, 0, NULL);
	REQUIRE(cache && host_threads(host_cpus(), fill_array));
	EXPECT_EQ(array_cpus(), host_cpus());
	for (unsigned cpu = 0; cpu < host_cpus(); cpu++) {
		alloc[cpu] = percpu_alloc_region(cpu);
		region[cpu] = port_percpu_own(cpu);
		stopped += region[cpu] != NULL;
		EXPECT_NULL(port_percpu_own(cpu));
	}
	EXPECT(port_percpu_fence(-1));
	host_interrupt_all(see_dummy, &seen);
	for (unsigned cpu = 0; cpu < host_cpus(); cpu++)
		if (region[cpu])
			port_percpu_publish(cpu, region[cpu], alloc[cpu]);
	EXPECT_EQ(stopped, host_cpus());
	EXPECT_EQ(seen, host_cpus());
	close_cache(cache);
}

/* ---- Linux needs memory ------------------------------------------------------------- */

#define LINUX_BLOCK ((size_t)64 << 10)
#define LINUX_BLOCKS 1600u /* 100 MiB */
#define LINUX_OBJECTS 40000u
#define LINUX_MORE 6000u /* pages that Linux needs and has not */

static void *blocks[LINUX_BLOCKS];
static u64 kept_before;

/* A hundred MiB of Linux's, half of them free again; the bound is out of the way. */
static bool hold_half(void)
{
	kept_before = options.keep;
	options.keep = (u64)1 << 30;
	for (unsigned i = 0; i < LINUX_BLOCKS; i++) {
		blocks[i] = ashlar_kmalloc(LINUX_BLOCK, GFP_KERNEL);
		if (!blocks[i])
			return false;
		mark(blocks[i], LINUX_BLOCK, i);
	}
	for (unsigned i = 0; i < LINUX_BLOCKS; i += 2) {
		kfree(blocks[i]);
		blocks[i] = NULL;
	}
	return true;
}

static void drop_half(void)
{
	for (unsigned i = 1; i < LINUX_BLOCKS; i += 2) {
		EXPECT(unmark(blocks[i], LINUX_BLOCK, i));
		kfree(blocks[i]);
	}
	options.keep = kept_before;
	ashlar_purge();
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(linux_LN6_linux_gets_what_it_needs)
{
	size_t shrunk = linux_kernel_shrunk();
	size_t held;
	size_t want;

	REQUIRE(init_ready() && hold_half());
	held = linux_kernel_pages();
	EXPECT_GE(reclaim_spare(), 2 * LINUX_MORE);
	want = host_free_bytes() / PAGE_SIZE + LINUX_MORE;
	EXPECT_EQ(host_take(want), want);
	EXPECT_GT(linux_kernel_shrunk(), shrunk);
	EXPECT_LE(linux_kernel_pages() + LINUX_MORE, held);
	tap_note_number("pages of Linux before", held);
	tap_note_number("and when it has taken more than there were", linux_kernel_pages());
	host_release();
	drop_half();
}

/* Waves of objects on half of the threads, while the others take all that Linux has: Ashlar asks
 * Linux for pages, which asks Ashlar, in the same task. */
static uint64_t waves; /* atomic: threads that still have some */

static void hunger(unsigned number)
{
	(void)number;
	while (__atomic_load_n(&waves, __ATOMIC_RELAXED)) {
		host_take(1u << 20);
		host_yield();
	}
}

static void wave(unsigned number)
{
	static void *held[8][4000];
	void **mine = held[number % 8];

	if (number % 2) {
		hunger(number);
		return;
	}
	for (unsigned turn = 0; turn < 30; turn++) {
		size_t bytes = (size_t)256 << (number + turn) % 4;
		unsigned n = 0;

		for (; n < 4000 && (mine[n] = ashlar_kmalloc(bytes, GFP_KERNEL)); n++)
			mark(mine[n], bytes, number + n);
		for (unsigned step = 0; step < 7; step++) /* in another order */
			for (unsigned i = step; i < n; i += 7) {
				fault_unless(unmark(mine[i], bytes, number + i));
				kfree(mine[i]);
			}
		host_yield();
	}
	__atomic_fetch_sub(&waves, 1, __ATOMIC_RELAXED);
}

static void *objects[LINUX_OBJECTS];

TEST(linux_LN6_ashlar_asks_linux_asks_ashlar)
{
	size_t nested = linux_kernel_nested();
	unsigned n = 0;

	faults = 0;
	REQUIRE(init_ready() && hold_half());
	for (unsigned i = 0; i < LINUX_OBJECTS; i++)
		REQUIRE((objects[i] = ashlar_kmalloc(1000, GFP_KERNEL)));
	for (unsigned i = 0; i < LINUX_OBJECTS; i += 2) /* free, and their slabs are not */
		kfree(objects[i]);
	waves = host_cpus();
	EXPECT(host_threads(host_cpus() * 2, wave));
	host_take(1u << 20);
	while (n < LINUX_BLOCKS / 2 && (blocks[2 * n] = ashlar_kmalloc(LINUX_BLOCK, GFP_KERNEL)))
		n++;
	EXPECT_LT(n, LINUX_BLOCKS / 2);
	EXPECT_GT(linux_kernel_nested(), nested);
	tap_note_number("calls for pages inside calls for pages", linux_kernel_nested() - nested);
	host_release();
	while (n)
		kfree(blocks[2 * --n]);
	for (unsigned i = 1; i < LINUX_OBJECTS; i += 2)
		kfree(objects[i]);
	EXPECT_EQ(faults, 0);
	drop_half();
}

/* Within seconds; a machine that has other work gets two minutes. */
TEST(linux_LN7_what_nobody_uses_goes_back)
{
	unsigned seconds = 0;
	size_t most;

	REQUIRE(init_ready());
	for (unsigned i = 0; i < LINUX_OBJECTS; i++)
		REQUIRE((objects[i] = ashlar_kmalloc(1000, GFP_KERNEL)));
	most = linux_kernel_pages();
	for (unsigned i = 0; i < LINUX_OBJECTS; i++)
		kfree(objects[i * 7919 % LINUX_OBJECTS]);
	tap_note_number("pages of Linux at most", most);
	tap_note_number("all freed", linux_kernel_pages());
	while (linux_kernel_pages() >= most / 16 && seconds++ < 120)
		host_rest(1);
	tap_note_number("seconds later", seconds);
	tap_note_number("pages of Linux then", linux_kernel_pages());
	EXPECT_LT(linux_kernel_pages(), most / 16);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Objects that are in use bear their numbers; all of those between them are somebody's again. */
TEST(linux_LN8_pages_between_used_objects_go_back)
{
	unsigned seconds = 0;
	size_t most;

	REQUIRE(init_ready());
	for (unsigned i = 0; i < LINUX_OBJECTS; i++) {
		REQUIRE((objects[i] = ashlar_kmalloc(1000, GFP_KERNEL)));
		mark(objects[i], 1000, i);
	}
	most = linux_kernel_pages();
	for (unsigned i = 0; i < LINUX_OBJECTS; i++)
		if (i % 32) {
			kfree(objects[i]);
			objects[i] = NULL;
		}
	while (linux_kernel_pages() >= most / 2 && seconds++ < 120)
		host_rest(1);
	tap_note_number("pages of Linux at most", most);
	tap_note_number("seconds later", seconds);
	tap_note_number("pages of Linux then", linux_kernel_pages());
	EXPECT_LT(linux_kernel_pages(), most / 2);
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 0; i < LINUX_OBJECTS; i++)
		if (!objects[i]) {
			REQUIRE((objects[i] = ashlar_kmalloc(1000, GFP_KERNEL)));
			mark(objects[i], 1000, i);
		}
	EXPECT_LT(linux_kernel_pages(), most + most / 8);
	for (unsigned i = 0; i < LINUX_OBJECTS; i++) {
		EXPECT(unmark(objects[i], 1000, i));
		kfree(objects[i]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

static unsigned holes_bytes;
static unsigned holes_count;

/* Each has its part of the objects, and those of a slab are many threads': all of them make holes
 * and fill them, in slabs where others do the same. */
static void holes(unsigned number)
{
	const unsigned step = host_cpus() * 2;
	uint64_t random = number + 1;

	for (unsigned round = 0; round < LINUX_ROUNDS; round++) {
		for (unsigned i = number; i < holes_count; i += step) {
			if (!objects[i] || next_random(&random) % 32 == 0)
				continue;
			fault_unless(unmark(objects[i], holes_bytes, i));
			kmem_cache_free(cache, objects[i]);
			objects[i] = NULL;
		}
		squeeze_discard(true);
		for (unsigned i = number; i < holes_count; i += step) {
			if (objects[i])
				continue;
			objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
			if (objects[i])
				mark(objects[i], holes_bytes, i);
			fault_unless(objects[i] != NULL);
			if (cache->node[0].withheld)
				__atomic_store_n(&had_holes, 1, __ATOMIC_RELAXED);
		}
	}
}

static void make_and_fill(unsigned bytes, unsigned count)
{
	faults = 0;
	holes_bytes = bytes;
	holes_count = count;
	had_holes = 0;
	cache = kmem_cache_create("holes", holes_bytes, 0, 0, NULL);
	REQUIRE(cache);
	for (unsigned i = 0; i < holes_count; i++)
		objects[i] = NULL;
	EXPECT(host_threads(host_cpus() * 2, holes));
	for (unsigned i = 0; i < holes_count; i++) {
		fault_unless(objects[i] && unmark(objects[i], holes_bytes, i));
		kmem_cache_free(cache, objects[i]);
	}
	EXPECT_EQ(had_holes, 1);
	close_cache(cache);
}

TEST(linux_LN8_holes_that_all_cpus_make_and_fill)
{
	make_and_fill(LINUX_BYTES, 16000);
}

/* The last pages of each slab serve no object. */
TEST(linux_LN8_slabs_that_waste_pages)
{
	make_and_fill(7296, 1600);
}
