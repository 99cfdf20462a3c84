/* SPDX-License-Identifier: MIT */
/*
 * mempool_test.c - MP1 to MP3, SH1, SH2: pools and sheaves
 *
 * What    Public behaviour: compiled for both engines.
 */
#include "ashlar/mempool.h"
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "cache/hold.h"
#include "cache/kmalloc.h"
#include "fail_help.h"
#include "start_help.h"

/* An allocator that the test can run dry. */
static bool dry;
static gfp_t asked[4];
static unsigned asks;
static size_t out;

static void *take(gfp_t gfp, void *data)
{
	asked[asks++ % 4] = gfp;
	if (dry)
		return NULL;
	out++;
	return ashlar_kmalloc((size_t)(uintptr_t)data, gfp);
}

static void give(void *element, void *data)
{
	(void)data;
	out--;
	kfree(element);
}

static mempool_t *make(int min)
{
	mempool_t *pool;

	dry = false;
	pool = mempool_create(min, take, give, (void *)100);
	EXPECT_NOT_NULL(pool);
	return pool;
}

TEST(mempool_MP1_keeps_as_many_as_were_asked_for)
{
	mempool_t *pool;
	void *p[5];

	REQUIRE(setup());
	pool = make(3);
	EXPECT_EQ(ashlar_mempool_min(pool), 3);
	EXPECT_EQ(ashlar_mempool_available(pool), 3);
	EXPECT_EQ(out, 3);
	for (unsigned i = 0; i < 5; i++)
		p[i] = mempool_alloc(pool, GFP_KERNEL);
	EXPECT_EQ(ashlar_mempool_available(pool), 3); /* the allocator is asked first */
	EXPECT_EQ(out, 8);
	for (unsigned i = 0; i < 5; i++)
		mempool_free(p[i], pool);
	EXPECT_EQ(out, 3);
	mempool_free(NULL, pool);
	mempool_destroy(pool);
	mempool_destroy(NULL);
	EXPECT_EQ(out, 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mempool_MP2_order_of_attempts)
{
	mempool_t *pool;
	void *p;
	void *q;

	REQUIRE(setup());
	pool = make(2);
	dry = true;
	asks = 0;
	p = mempool_alloc(pool, GFP_KERNEL);
	q = mempool_alloc(pool, GFP_ATOMIC);
	REQUIRE(p && q);
	EXPECT_EQ(asks, 2); /* the pool comes before an attempt that may wait */
	EXPECT_EQ(asked[0] & (__GFP_DIRECT_RECLAIM | __GFP_IO), 0);
	EXPECT_EQ(asked[0] & (__GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC),
		  __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC);
	EXPECT_NULL(mempool_alloc(pool, GFP_ATOMIC));
	EXPECT_NULL(mempool_alloc_preallocated(pool));
	EXPECT_EQ(sim.waits, 0);
	mempool_free(p, pool); /* refills first */
	EXPECT_EQ(ashlar_mempool_available(pool), 1);
	EXPECT_PTR_EQ(mempool_alloc_preallocated(pool), p);
	mempool_free(p, pool);
	mempool_free(q, pool);
	mempool_destroy(pool);
	EXPECT_EQ(out, 0);
}

static mempool_t *waited;
static void *returned;

static void come_back(void)
{
	void *p = returned;

	returned = NULL;
	if (p)
		mempool_free(p, waited);
}

TEST(mempool_MP2_waits_for_what_comes_back)
{
	void *p;

	REQUIRE(setup());
	waited = make(1);
	dry = true;
	p = mempool_alloc(waited, GFP_KERNEL);
	returned = p;
	asks = 0;
	sim.watch = come_back;
	EXPECT_PTR_EQ(mempool_alloc(waited, GFP_NOIO), p);
	EXPECT_EQ(asks, 2); /* once without, once with all that it may do */
	EXPECT_EQ(asked[1] & __GFP_DIRECT_RECLAIM, __GFP_DIRECT_RECLAIM);
	EXPECT_EQ(sim.waits, 1);
	sim.watch = NULL;
	mempool_free(p, waited);
	mempool_destroy(waited);
}

static mempool_t *misused;
static void *victim;

static void return_again(void)
{
	mempool_free(victim, misused);
}

static void free_pooled(void)
{
	kfree(victim);
}

TEST(mempool_MP3_what_is_in_a_pool_is_nobodys)
{
	static const size_t sizes[] = { 64, 100000 };

	REQUIRE(setup());
	for (unsigned i = 0; i < 2; i++) {
		misused = mempool_create_kmalloc_pool(3, sizes[i]);
		victim = mempool_alloc_preallocated(misused);
		EXPECT_FALSE(hold_is(victim));
		mempool_free(victim, misused);
		EXPECT(hold_is(victim));
		EXPECT(help_aborts(free_pooled));
		EXPECT(help_contains(sim.text, "ashlar: kfree(0x"));
		EXPECT(help_contains(sim.text, "double free: this "));
		kfree(mempool_alloc_preallocated(misused)); /* room for one */
		EXPECT_EQ(ashlar_mempool_available(misused), 2);
		victim = mempool_alloc_preallocated(misused);
		mempool_free(victim, misused);
		EXPECT(help_aborts(return_again));
		EXPECT(help_contains(sim.text, "ashlar: mempool_free(0x"));
		EXPECT(help_contains(sim.text, "double free: this "));
	}
}

TEST(mempool_resize_up_and_down)
{
	mempool_t *pool;

	REQUIRE(setup());
	pool = make(2);
	EXPECT_EQ(mempool_resize(pool, 0), -22);
	EXPECT_EQ(mempool_resize(pool, 10), 0);
	EXPECT_EQ(ashlar_mempool_available(pool), 10);
	EXPECT_EQ(mempool_resize(pool, 4), 0);
	EXPECT_EQ(ashlar_mempool_available(pool), 4);
	EXPECT_EQ(out, 4);
	dry = true;
	EXPECT_EQ(mempool_resize(pool, 6), -12);
	EXPECT_EQ(ashlar_mempool_available(pool), 4);
	mempool_destroy(pool);
	EXPECT_EQ(out, 0);
}

TEST(mempool_of_objects_pages_and_kmalloc)
{
	struct kmem_cache *c;
	mempool_t *pool[3];

	REQUIRE(setup());
	c = kmem_cache_create("elements", 200, 0, 0, NULL);
	pool[0] = mempool_create_slab_pool(4, c);
	pool[1] = mempool_create_kmalloc_pool(4, 3000);
	pool[2] = mempool_create_page_pool(4, 2);
	for (unsigned i = 0; i < 3; i++) {
		char *p;
		char *q;

		REQUIRE(pool[i] != NULL);
		p = mempool_alloc(pool[i], GFP_KERNEL);
		q = mempool_alloc_preallocated(pool[i]);
		REQUIRE(p && q);
		if (i == 2)
			memset(page_address((struct page *)(void *)p), 1, 4 * 4096);
		else
			memset(p, 1, i ? 3000 : 200);
		mempool_free(p, pool[i]);
		mempool_free(q, pool[i]);
		EXPECT_EQ(ashlar_mempool_available(pool[i]), 4);
		EXPECT_EQ(ashlar_audit(), 0);
		mempool_destroy(pool[i]);
	}
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(mempool_refused)
{
	mempool_t *pool;

	REQUIRE(setup());
	EXPECT_NULL(mempool_create(0, take, give, NULL));
	EXPECT_TEXT_EQ(sim.text, "ashlar: mempool_create(): refused: a pool keeps at least one "
				 "element\n");
	EXPECT_NULL(mempool_create(1, NULL, give, NULL));
	EXPECT_NULL(mempool_create(1, take, NULL, NULL));
	pool = make(1);
	help_clear();
	EXPECT_NULL(mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO));
	EXPECT_TEXT_EQ(sim.text, "ashlar: mempool_alloc(): refused: __GFP_ZERO: what comes out "
				 "of a pool was used\n");
	mempool_destroy(pool);
	EXPECT_NULL(mempool_create_page_pool(1, 30));
	EXPECT_EQ(ashlar_audit(), 0);
}

static void script(bool must_work)
{
	mempool_t *pool = mempool_create_kmalloc_pool(30, 100000);
	void *p[60];

	EXPECT(pool || !must_work);
	if (!pool)
		return;
	for (unsigned i = 0; i < 30; i++) {
		p[i] = mempool_alloc(pool, GFP_KERNEL);
		EXPECT_NOT_NULL(p[i]); /* fewer than it keeps: always */
	}
	for (unsigned i = 0; i < 30; i++)
		mempool_free(p[i], pool);
	EXPECT(mempool_resize(pool, 60) == 0 || !must_work);
	mempool_destroy(pool);
	ashlar_purge();
}

TEST(mempool_each_request_fails)
{
	fail_each(setup, script);
}

/* ---- sheaves ---------------------------------------------------------------------------- */

TEST(mempool_sheaf_never_fails_and_makes_no_call)
{
	struct kmem_cache *c;
	struct slab_sheaf *sheaf;
	uint64_t requests;
	char *p[500];

	REQUIRE(setup());
	c = kmem_cache_create("nodes", 256, 0, 0, NULL);
	EXPECT_NULL(kmem_cache_prefill_sheaf(c, GFP_KERNEL, 0));
	sheaf = kmem_cache_prefill_sheaf(c, GFP_KERNEL, 500);
	REQUIRE(sheaf != NULL);
	EXPECT_EQ(kmem_cache_sheaf_size(sheaf), 500);
	requests = sim.requests;
	sim.fail_at = 1;
	sim.fail_on = true;
	for (unsigned i = 0; i < 500; i++) {
		p[i] = kmem_cache_alloc_from_sheaf(c, i % 2 ? GFP_NOWAIT | __GFP_ZERO : GFP_NOWAIT,
						   sheaf);
		REQUIRE(p[i] != NULL);
		EXPECT(i % 2 == 0 || p[i][255] == 0);
		memset(p[i], 1, 256);
	}
	EXPECT_NULL(kmem_cache_alloc_from_sheaf(c, GFP_KERNEL, sheaf));
	EXPECT_EQ(sim.requests, requests);
	EXPECT_EQ(kmem_cache_sheaf_size(sheaf), 0);
	sim.fail_at = 0;
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_return_sheaf(c, GFP_KERNEL, sheaf);
	for (unsigned i = 0; i < 500; i++)
		kmem_cache_free(c, p[i]);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(mempool_sheaf_refill_and_return)
{
	struct kmem_cache *c;
	struct slab_sheaf *sheaf;
	void *p;

	REQUIRE(setup());
	c = kmem_cache_create("nodes", 64, 0, 0, NULL);
	sheaf = kmem_cache_prefill_sheaf(c, GFP_KERNEL, 4);
	p = kmem_cache_alloc_from_sheaf(c, GFP_KERNEL, sheaf);
	EXPECT_EQ(kmem_cache_refill_sheaf(c, GFP_KERNEL, &sheaf, 2), 0);
	EXPECT_EQ(kmem_cache_sheaf_size(sheaf), 3);
	EXPECT_EQ(kmem_cache_refill_sheaf(c, GFP_KERNEL, &sheaf, 4), 0);
	EXPECT_EQ(kmem_cache_sheaf_size(sheaf), 4);
	EXPECT_EQ(kmem_cache_refill_sheaf(c, GFP_KERNEL, &sheaf, 300), 0);
	EXPECT_EQ(kmem_cache_sheaf_size(sheaf), 300);
	help_clear();
	kmem_cache_destroy(c); /* what is in a sheaf is in use */
	EXPECT(help_contains(sim.text, "301 objects are still in use"));
	kmem_cache_return_sheaf(c, GFP_KERNEL, sheaf);
	kmem_cache_free(c, p);
	help_clear();
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

static struct kmem_cache *other;
static struct slab_sheaf *confused;

static void wrong_cache(void)
{
	kmem_cache_alloc_from_sheaf(other, GFP_KERNEL, confused);
}

TEST(mempool_SH1_SH2_misuse)
{
	struct kmem_cache *c;
	void *nodes[7];

	REQUIRE(setup());
	c = kmem_cache_create("nodes", 64, 0, 0, NULL);
	other = kmem_cache_create("others", 64, 0, 0, NULL);
	confused = kmem_cache_prefill_sheaf(c, GFP_KERNEL, 4);
	EXPECT(help_aborts(wrong_cache));
	EXPECT(help_contains(sim.text,
			     "kmem_cache_alloc_from_sheaf(\"others\"): refused: the sheaf was "
			     "filled from another cache, nodes\n"));
	kmem_cache_return_sheaf(c, GFP_KERNEL, confused);
	confused = kmem_cache_prefill_sheaf(c, GFP_KERNEL, 8);
	for (unsigned i = 0; i < ARRAY_SIZE(nodes); i++)
		nodes[i] = kmem_cache_alloc_from_sheaf(c, GFP_KERNEL, confused);
	kmem_cache_free_bulk(c, ARRAY_SIZE(nodes), nodes);
	EXPECT_EQ(kmem_cache_refill_sheaf(c, GFP_KERNEL, &confused, 8), 0);
	victim = NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(nodes) && !victim; i++)
		victim = hold_is(nodes[i]) ? nodes[i] : NULL; /* what was free is taken again */
	REQUIRE(victim != NULL);
	EXPECT(help_aborts(free_pooled));
	EXPECT(help_contains(sim.text, "double free: this "));
}

static void sheaf_script(bool must_work)
{
	struct kmem_cache *c = kmem_cache_create("nodes", 30000, 0, 0, NULL);
	struct slab_sheaf *sheaf;

	EXPECT(c || !must_work);
	if (!c)
		return;
	sheaf = kmem_cache_prefill_sheaf(c, GFP_KERNEL, 50);
	EXPECT(sheaf || !must_work);
	if (sheaf) {
		EXPECT_EQ(kmem_cache_sheaf_size(sheaf), 50);
		kmem_cache_free(c, kmem_cache_alloc_from_sheaf(c, GFP_KERNEL, sheaf));
		if (kmem_cache_refill_sheaf(c, GFP_KERNEL, &sheaf, 400) == 0)
			EXPECT_EQ(kmem_cache_sheaf_size(sheaf), 400);
		else
			EXPECT(!must_work && kmem_cache_sheaf_size(sheaf) == 49);
		kmem_cache_return_sheaf(c, GFP_KERNEL, sheaf);
	}
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	ashlar_purge();
}

TEST(mempool_sheaf_each_request_fails)
{
	fail_each(setup, sheaf_script);
}
