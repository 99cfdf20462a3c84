/* SPDX-License-Identifier: MIT */
/*
 * populate_test.c - Z6, R7: a machine where no fault brings memory
 *
 * What    What has no memory really faults here: each test writes to all that it was given.
 */
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/option.h"
#include "cache/reclaim.h"
#include "page/page_help.h"
#include "page/populate.h"
#include "page/zone.h"
#include "page/zones.h"
#include "sim_help.h"

#define MIB ((size_t)1 << 20)
#define BLOCKS 400u

static struct page *block[BLOCKS];
static void *object[20000];

static void fill(struct page *p, size_t pages)
{
	memset(map_page_address(p), 0x5a, pages << PAGE_SHIFT);
}

TEST(populate_Z6_what_is_handed_out_has_memory)
{
	size_t online;
	bool zero;

	REQUIRE(setup(1));
	EXPECT_EQ(stat().dirty_pages, 0);
	for (unsigned i = 0; i < BLOCKS; i++) {
		block[i] = page_alloc(i % 5, GFP_KERNEL, 0, &zero);
		REQUIRE(block[i] != NULL);
		fill(block[i], (size_t)1 << i % 5);
	}
	online = stat().online_pages;
	for (unsigned i = 0; i < BLOCKS; i++)
		page_free(block[i], i % 5);
	page_drain();
	EXPECT_GT(page_discard(0), 0);
	EXPECT_EQ(stat().dirty_pages, 0);
	for (unsigned i = 0; i < BLOCKS; i++) {
		block[i] = page_alloc(i % 5, GFP_KERNEL, 0, &zero);
		REQUIRE(block[i] != NULL);
		fill(block[i], (size_t)1 << i % 5);
	}
	EXPECT_EQ(stat().online_pages, online);
	for (unsigned i = 0; i < BLOCKS; i++)
		page_free(block[i], i % 5);
	EXPECT(all_free());
}

/* Runs, single pages, and what a run grows into. */
TEST(populate_Z6_every_door)
{
	struct page *run;
	size_t got;
	bool zero;

	REQUIRE(setup(1));
	run = page_alloc_exact(37, 1, GFP_KERNEL, 0, &zero);
	REQUIRE(run != NULL);
	fill(run, 37);
	REQUIRE(page_extend(run, 37, 50, &zero));
	fill(run, 87);
	got = page_alloc_bulk(block, BLOCKS, GFP_KERNEL | __GFP_ZERO, 0);
	EXPECT_EQ(got, BLOCKS);
	for (size_t i = 0; i < got; i++) {
		const char *p = map_page_address(block[i]);

		EXPECT(p[0] == 0 && p[PAGE_SIZE - 1] == 0);
		fill(block[i], 1);
	}
	for (size_t i = 0; i < got; i++)
		page_free(block[i], 0);
	page_free_exact(run, 87);
	EXPECT(all_free());
}

/* The n'th request for memory is refused: NULL or fewer, and nothing is lost. */
TEST(populate_Z6_memory_that_is_refused)
{
	for (unsigned n = 1;; n++) {
		struct page *run;
		size_t got;
		bool zero;

		REQUIRE(setup(1));
		sim.fail_at = n;
		run = page_alloc_exact(37, 1, GFP_KERNEL, 0, &zero);
		if (run)
			fill(run, 37);
		if (run && page_extend(run, 37, 50, &zero)) {
			fill(run, 87);
			page_free_exact(run, 87);
		} else if (run) {
			page_free_exact(run, 37);
		}
		got = page_alloc_bulk(block, BLOCKS, GFP_KERNEL, 0);
		for (size_t i = 0; i < got; i++)
			fill(block[i], 1);
		for (size_t i = 0; i < got; i++)
			page_free(block[i], 0);
		EXPECT(all_free());
		if (sim.fail_at) {
			EXPECT_EQ(got, BLOCKS);
			break;
		}
		REQUIRE(n < 1000);
	}
}

/* What a request may do is asked of the port; who may not wait gets memory, too. */
TEST(populate_Z6_the_request_s_flags)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	p = page_alloc(5, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(sim.asked, PORT_ASK_WAIT | PORT_ASK_IO | PORT_ASK_FS);
	fill(p, 32);
	page_free(p, 5);
	page_discard(0);
	p = page_alloc(5, GFP_NOFS, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(sim.asked, PORT_ASK_WAIT | PORT_ASK_IO);
	page_free(p, 5);
	page_discard(0);
	p = page_alloc(5, GFP_ATOMIC, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(sim.asked, PORT_ASK_URGENT);
	fill(p, 32);
	page_free(p, 5);
	EXPECT(all_free());
}

/* Tables are asked for under locks; where they are refused, relief is asked for without. */
static void refuse_until_relief(void)
{
	if (sim.relieved)
		sim.fail_at = 0;
	else if (sim.relieving)
		EXPECT(lock_try(&zone_growth) && (lock_release(&zone_growth), true));
}

TEST(populate_tables_wait_for_relief)
{
	struct page *p;
	bool zero;

	REQUIRE(setup(1));
	sim.watch = refuse_until_relief;
	sim.fail_at = 1;
	sim.fail_on = true;
	p = page_alloc(MAX_ORDER, GFP_KERNEL, 0, &zero);
	REQUIRE(p != NULL);
	EXPECT_EQ(sim.relieved, 1);
	fill(p, LARGEST);
	page_free(p, MAX_ORDER);
	EXPECT(all_free());
}

/* A block that went offline has no tables; with the memory they come back. */
TEST(populate_offline_and_online_again)
{
	struct page *p;
	bool zero;

	for (unsigned fail = 0; fail < 8; fail++) {
		REQUIRE(setup(1));
		p = page_alloc(MAX_ORDER, GFP_KERNEL, 0, &zero);
		REQUIRE(p != NULL);
		fill(p, LARGEST);
		page_free(p, MAX_ORDER);
		EXPECT_GE(page_offline(), LARGEST);
		EXPECT_EQ(page_audit(), 0);
		sim.fail_at = fail;
		sim.fail_on = fail % 2 != 0;
		sim.relief_refused = fail % 2 != 0;
		p = page_alloc(MAX_ORDER, GFP_KERNEL, 0, &zero);
		EXPECT(p || fail);
		EXPECT_EQ(page_audit(), 0);
		sim.fail_at = 0;
		sim.fail_on = false;
		if (!p)
			p = page_alloc(MAX_ORDER, GFP_KERNEL, 0, &zero);
		REQUIRE(p != NULL);
		fill(p, LARGEST);
		page_free(p, MAX_ORDER);
		EXPECT(all_free());
	}
}

/* ---- reclaim_give and reclaim_tick ------------------------------------------------- */

static size_t spread(size_t count, size_t bytes)
{
	for (size_t i = 0; i < count; i++) {
		object[i] = ashlar_kmalloc(bytes, GFP_KERNEL);
		if (!EXPECT(object[i]))
			return i;
		memset(object[i], 0x77, bytes);
	}
	return count;
}

static void drop(size_t count, size_t step)
{
	for (size_t i = 0; i < count; i++)
		kfree(object[i * step % count]);
}

TEST(reclaim_give_gives_what_is_asked_for)
{
	size_t spare;
	size_t given;

	sim_reset();
	REQUIRE(init_ready());
	options.keep = 64 * MIB; /* nothing goes back by itself */
	REQUIRE(spread(20000, 1000) == 20000);
	drop(20000, 7919);
	spare = reclaim_spare();
	EXPECT_GE(spare, 18 * MIB >> PAGE_SHIFT);
	given = reclaim_give(100);
	EXPECT_GE(given, 100);
	EXPECT_LT(given, 100 + ((size_t)1 << MAX_ORDER));
	EXPECT_GE(reclaim_give(spare), spare / 2);
	EXPECT_LT(reclaim_spare(), 200);
	EXPECT_EQ(ashlar_audit(), 0);
	REQUIRE(spread(20000, 1000) == 20000);
	drop(20000, 1);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Somebody else is at it: what is free goes, and nobody waits. */
static size_t nested;

static void give_again(void)
{
	nested += reclaim_give(1000);
	nested++;
}

TEST(reclaim_give_inside_itself_and_inside_allocations)
{
	sim_reset();
	REQUIRE(init_ready());
	options.keep = 64 * MIB;
	REQUIRE(spread(20000, 1000) == 20000);
	drop(20000, 7919);
	sim.watch = give_again; /* within each discard, and each request for memory */
	reclaim_give(2000);
	EXPECT_GT(nested, 0);
	REQUIRE(spread(20000, 500) == 20000);
	drop(20000, 7919);
	ashlar_purge();
	sim.watch = NULL;
	EXPECT_EQ(sim.waits, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(reclaim_R7_ticks_take_what_nobody_uses)
{
	struct page_stat s;

	sim_reset();
	REQUIRE(init_ready());
	REQUIRE(spread(20000, 1000) == 20000);
	drop(20000, 7919);
	page_stat(&s);
	EXPECT_GT((s.online_pages - s.free_pages) << PAGE_SHIFT, 10 * MIB);
	for (unsigned i = 0; i < 4; i++)
		reclaim_tick();
	page_stat(&s);
	EXPECT_LT((s.online_pages - s.free_pages) << PAGE_SHIFT, MIB);
	EXPECT_LT(s.online_pages << PAGE_SHIFT, 8 * MIB);
	EXPECT_EQ(ashlar_audit(), 0);
	REQUIRE(spread(20000, 1000) == 20000);
	drop(20000, 1);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* What came and went in waves taught the bound to keep it. When they end, that is forgotten. */
TEST(reclaim_R7_ticks_forget_what_was_learned)
{
	size_t learned;

	sim_reset();
	REQUIRE(init_ready());
	for (unsigned i = 0; i < 20; i++) {
		REQUIRE(spread(20000, 1000) == 20000);
		drop(20000, 7919);
		for (unsigned tick = 0; tick < 3; tick++)
			reclaim_tick();
	}
	learned = reclaim_bound();
	EXPECT_GT(learned, options.keep + 4 * MIB);
	for (unsigned tick = 0; tick < 30; tick++)
		reclaim_tick();
	EXPECT_LT(reclaim_bound(), options.keep + MIB / 4);
	EXPECT_LT(stat().dirty_pages << PAGE_SHIFT, options.keep + MIB / 4);
	EXPECT_EQ(ashlar_audit(), 0);
}
