/* SPDX-License-Identifier: MIT */
/*
 * crowd_test.c - slob with real threads: everybody does everything to the same pages
 *
 * What    Threads allocate, resize, hold and free blocks of all kinds, and each other's: what one
 *         leaves in a shared place another frees. Others prove the heap, give memory back and
 *         look at blocks meanwhile. ThreadSanitizer watches which words they share.
 * Rules   CR1 a block has one owner, whichever thread frees it
 *         CR2 looking at the heap disturbs nobody: proofs, figures, other blocks' sizes
 *         CR3 who may not wait finds memory, or none, and what he frees comes back
 *         CR4 a page has the references that were taken, from any thread
 *         CR5 a child of a program with threads can do all of it
 */
#define _GNU_SOURCE
#include "ashlar/debug.h"
#include "ashlar/heap.h"
#include "ashlar/mm.h"
#include "cache/anchor.h"
#include "cache/block.h"
#include "thread/thread.h"

#define CROWD 6u
#define CROWD_HELD 32u
#define CROWD_PLACES 64u

static struct kmem_cache *cache;
static unsigned turns;

/* What one leaves and another takes. */
static struct place {
	void *block; /* atomic */
} places[CROWD_PLACES];

static size_t crowd_size(uint64_t random)
{
	if (random % 256 == 0)
		return 4096 + random / 256 % 100000; /* a run */
	return 16 + (random / 256 % 16 ? random / 4096 % 200 : random / 4096 % 3000);
}

/* A block that says how long it is, and is marked behind that; from kmalloc or the cache. */
static uint64_t *crowd_make(uint64_t random)
{
	bool plain = random & 1;
	size_t bytes = plain ? crowd_size(random >> 1) & ~(size_t)7 : 160;
	gfp_t gfp = random & 2 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO;
	uint64_t *p = plain ? ashlar_kmalloc(bytes, gfp) : kmem_cache_alloc(cache, gfp);

	if (!p)
		return NULL;
	if ((gfp & __GFP_ZERO))
		thread_fault(p[0] == 0 && p[bytes / 8 - 1] == 0);
	p[0] = bytes;
	stamp(p + 1, bytes - 8, bytes);
	return p;
}

static uint64_t *crowd_resize(uint64_t *p, uint64_t random)
{
	size_t before = p[0];
	size_t bytes = crowd_size(random) & ~(size_t)7;
	uint64_t *q = krealloc(p, bytes, GFP_KERNEL);

	if (!q)
		return p;
	thread_fault(stamp_holds(q + 1, (bytes < before ? bytes : before) - 8, before));
	q[0] = bytes;
	stamp(q + 1, bytes - 8, bytes);
	return q;
}

static void crowd_free(uint64_t *p, uint64_t random)
{
	if (!p)
		return;
	thread_fault(ksize(p) >= p[0]);
	thread_fault(stamp_remove(p + 1, p[0] - 8, p[0]));
	if (random % 16 == 0)
		kfree_nolock(p);
	else
		kfree(p);
}

static void *crowd_thread(void *number)
{
	uint64_t random = thread_seed() * 100 + (uintptr_t)number;
	uint64_t *held[CROWD_HELD] = { NULL };

	for (unsigned i = 0; i < turns; i++) {
		uint64_t r = thread_random(&random);
		uint64_t **mine = &held[r % CROWD_HELD];

		r >>= 8;
		if (*mine && r % 8 == 0)
			*mine = crowd_resize(*mine, r >> 3);
		else if (*mine && r % 4 == 1)
			*mine = __atomic_exchange_n(&places[r / 4 % CROWD_PLACES].block, *mine,
						    __ATOMIC_ACQ_REL);
		else
			crowd_free(*mine, r), *mine = crowd_make(r >> 4);
	}
	for (unsigned i = 0; i < CROWD_HELD; i++)
		crowd_free(held[i], i);
	return NULL;
}

/* CR2 */
static void *crowd_look(void *number)
{
	uint64_t random = thread_seed() + (uintptr_t)number;
	uint64_t *own = crowd_make(7);

	while (!thread_stopping()) {
		struct ashlar_heap_stat stat;
		struct ashlar_pages pages;
		struct ashlar_row row;
		uint64_t r = thread_random(&random);

		if (r % 64 == 0)
			ashlar_purge();
		if (r % 16 == 0)
			ashlar_heap_stat(&stat);
		if (r % 32 == 1)
			thread_fault(ashlar_kmem_cache_validate(cache) == 0);
		if (r % 16 == 2) {
			anchor_pages(&pages);
			thread_fault(pages.online != 0);
			thread_fault(anchor_row(1, &row) && anchor_row(2, &row));
		}
		thread_fault(ksize(own) >= own[0]);
		thread_fault(block_is_used(own));
		check_object_size(own, own[0], true);
		own = crowd_resize(own, r >> 8);
	}
	crowd_free(own, 1);
	return NULL;
}

TEST_MODES(crowd_CR1_one_owner)
{
	pthread_t looking[1];

	turns = thread_turns(5000, 50000, 1000000);
	cache = kmem_cache_create("crowd", 160, 0, 0, NULL);
	REQUIRE(cache != NULL);
	thread_start(looking, 1, crowd_look);
	thread_run(CROWD, crowd_thread);
	thread_stop(true);
	thread_join(looking, 1);
	for (unsigned i = 0; i < CROWD_PLACES; i++)
		crowd_free(places[i].block, 1);
	thread_close(cache);
}

/* ---- CR3 -------------------------------------------------------------------------------- */

static void *nolock_thread(void *number)
{
	uint64_t random = thread_seed() * 7 + (uintptr_t)number;
	uint64_t *held[CROWD_HELD] = { NULL };

	for (unsigned i = 0; i < turns; i++) {
		uint64_t r = thread_random(&random);
		uint64_t **mine = &held[r % CROWD_HELD];

		if (*mine) {
			thread_fault(stamp_remove(*mine, 64, (uintptr_t)*mine));
			kfree_nolock(*mine);
		}
		*mine = r >> 60 ? kmalloc_nolock(64, 0, -1) : ashlar_kmalloc(64, GFP_KERNEL);
		if (*mine)
			stamp(*mine, 64, (uintptr_t)*mine);
	}
	for (unsigned i = 0; i < CROWD_HELD; i++)
		kfree_nolock(held[i]);
	return NULL;
}

TEST_MODES(crowd_CR3_who_may_not_wait)
{
	turns = thread_turns(5000, 50000, 1000000);
	thread_run(CROWD, nolock_thread);
	EXPECT_EQ(thread_faults(), 0);
	kfree(ashlar_kmalloc(64, GFP_KERNEL)); /* what is pending goes back */
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- CR4 -------------------------------------------------------------------------------- */

static struct page *shared_page;

static void *pages_thread(void *number)
{
	uint64_t random = thread_seed() * 11 + (uintptr_t)number;

	for (unsigned i = 0; i < turns; i++) {
		unsigned order = (unsigned)(thread_random(&random) % 4);
		unsigned long address = __get_free_pages(GFP_KERNEL | __GFP_COMP, order);

		get_page(shared_page);
		thread_fault(page_count(shared_page) >= 2);
		if (address) {
			struct page *page = virt_to_page((void *)address);

			*(volatile uint64_t *)address = i;
			get_page(page);
			free_pages(address, order);
			thread_fault(*(volatile uint64_t *)address == i);
			put_page(page);
		}
		put_page(shared_page);
	}
	return NULL;
}

TEST_MODES(crowd_CR4_references)
{
	turns = thread_turns(2000, 20000, 400000);
	shared_page = alloc_pages(GFP_KERNEL, 0);
	REQUIRE(shared_page != NULL);
	thread_run(CROWD, pages_thread);
	EXPECT_EQ(thread_faults(), 0);
	EXPECT_EQ(page_count(shared_page), 1);
	put_page(shared_page);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- CR5 -------------------------------------------------------------------------------- */

static void *fork_thread(void *number)
{
	while (!thread_stopping())
		crowd_thread(number);
	return NULL;
}

static void fork_child(void)
{
	alarm(20);
	for (unsigned i = 0; i < 200; i++)
		crowd_free(crowd_make(i * 0x9e3779b97f4a7c15u), i);
	ashlar_purge();
	_exit(ashlar_audit() != 0);
}

TEST_MODES(crowd_CR5_fork)
{
	unsigned forks = thread_turns(20, 200, 2000);
	pthread_t threads[3];

	if (THREAD_SANITIZED)
		SKIP("ThreadSanitizer cannot follow a child of a program with threads");
	turns = 500;
	cache = kmem_cache_create("crowd", 160, 0, 0, NULL);
	REQUIRE(cache != NULL);
	thread_start(threads, 3, fork_thread);
	for (unsigned i = 0; i < forks; i++) {
		int status = -1;
		pid_t child = fork();

		if (child == 0)
			fork_child();
		waitpid(child, &status, 0);
		thread_fault(status == 0);
	}
	thread_stop(true);
	thread_join(threads, 3);
	for (unsigned i = 0; i < CROWD_PLACES; i++)
		crowd_free(places[i].block, 1);
	thread_close(cache);
}
