/* SPDX-License-Identifier: MIT */
/*
 * account_test.c - groups that pay: charges, limits, migration, and where it is written down
 */
#include "ashlar/mempool.h"
#include "ashlar/mm.h"
#include "cache/account_object.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "fail_help.h"
#include "start_help.h"

static struct ashlar_group *make(const char *name, struct ashlar_group *parent, size_t limit)
{
	struct ashlar_group *g = ashlar_group_create(name, parent, limit);

	EXPECT_NOT_NULL(g);
	return g;
}

static size_t bytes_of(const struct ashlar_group *g)
{
	struct ashlar_group_stat s;

	ashlar_group_stat(g, &s);
	return s.bytes;
}

static size_t objects_of(const struct ashlar_group *g)
{
	struct ashlar_group_stat s;

	ashlar_group_stat(g, &s);
	return s.objects;
}

static size_t refused_of(const struct ashlar_group *g)
{
	struct ashlar_group_stat s;

	ashlar_group_stat(g, &s);
	return s.refused;
}

/* Charged where the slow path goes by, but taken from the array and given back to it. */
TEST(account_AC2_arrays_are_used)
{
	struct kmem_cache *c;
	void *p;

	sim_reset();
	sim.options = "stats=1";
	REQUIRE(init_ready());
	c = kmem_cache_create("paid", 200, 0, SLAB_ACCOUNT, NULL);
	REQUIRE(ashlar_group_set_default(make("payer", NULL, 0)) == NULL);
	for (unsigned i = 0; i < 10; i++) {
		p = kmem_cache_alloc(c, GFP_KERNEL);
		EXPECT_NOT_NULL(ashlar_group_of(p));
		kmem_cache_free(c, p);
	}
	EXPECT_EQ(c->counts.alloc_miss, 1);
	EXPECT_EQ(c->counts.alloc_hit, 9);
	EXPECT_EQ(c->counts.free_hit, 10);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(account_AC2_every_way_in_and_out)
{
	struct ashlar_group *g;
	struct kmem_cache *c;
	struct kmem_cache *plain;
	void *p[6];
	void *many[200];

	REQUIRE(setup());
	g = make("payer", NULL, 0);
	c = kmem_cache_create("paid", 200, 0, SLAB_ACCOUNT, NULL); /* 208 */
	plain = kmem_cache_create("plain", 200, 0, 0, NULL);
	p[0] = kmem_cache_alloc(c, GFP_KERNEL); /* nobody is current */
	EXPECT_NULL(ashlar_group_of(p[0]));
	kmem_cache_free(c, p[0]);
	EXPECT_NULL(ashlar_group_set_default(g));
	p[0] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(bytes_of(g), 208 + 8);
	p[1] = kmem_cache_alloc(plain, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(bytes_of(g), 2 * 216);
	p[2] = ashlar_kmalloc(100, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	EXPECT_EQ(bytes_of(g), 2 * 216 + 120);
	p[3] = ashlar_kmalloc(100000, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(bytes_of(g), 2 * 216 + 120 + size_align(100000, PAGE_SIZE));
	p[4] = ashlar_kmalloc(9u << 20, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(bytes_of(g), 2 * 216 + 120 + size_align(100000, PAGE_SIZE) + (9u << 20));
	p[5] = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT, 3);
	EXPECT_EQ(bytes_of(g),
		  2 * 216 + 120 + size_align(100000, PAGE_SIZE) + 8 * PAGE_SIZE + (9u << 20));
	EXPECT_EQ(objects_of(g), 6);
	for (unsigned i = 0; i < 5; i++) {
		REQUIRE(p[i] != NULL);
		EXPECT_PTR_EQ(ashlar_group_of(p[i]), g);
		EXPECT_GE(ksize(p[i]), 100);
	}
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_free(c, p[0]);
	kfree(p[1]);
	kfree(p[2]);
	kfree(p[3]);
	kvfree(p[4]);
	free_pages((unsigned long)p[5], 3);
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 200, many), 200);
	EXPECT_EQ(objects_of(g), 200);
	kmem_cache_free_bulk(c, 100, many);
	kmem_cache_free_bulk(NULL, 100, many + 100);
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_EQ(objects_of(g), 0);
	p[0] = kmalloc(64, GFP_KERNEL); /* not asked to be charged */
	EXPECT_EQ(bytes_of(g), 0);
	kfree(p[0]);
	kmem_cache_destroy(c);
	kmem_cache_destroy(plain);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(account_limit_refuses)
{
	struct ashlar_group *top;
	struct ashlar_group *g;
	struct ashlar_group_stat s;
	struct kmem_cache *c;
	void *p[40];
	unsigned n = 0;

	REQUIRE(setup());
	top = make("top", NULL, 10 * 136);
	g = make("below", top, 0);
	c = kmem_cache_create("paid", 128, 0, SLAB_ACCOUNT, NULL);
	ashlar_group_set_default(g);
	while (n < 40 && (p[n] = kmem_cache_alloc(c, GFP_KERNEL)))
		n++;
	EXPECT_EQ(n, 10);
	EXPECT_EQ(refused_of(top), 1);
	EXPECT_EQ(refused_of(g), 0);
	EXPECT_EQ(bytes_of(g), 1360);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 5, p + 10), 0);
	EXPECT_EQ(bytes_of(g), 1360);
	EXPECT_NULL(ashlar_kmalloc(100000, GFP_KERNEL_ACCOUNT));
	EXPECT_NULL(ashlar_kmalloc(9u << 20, GFP_KERNEL_ACCOUNT));
	EXPECT_NULL(alloc_pages(GFP_KERNEL_ACCOUNT, 0));
	p[10] = kmem_cache_alloc(c, GFP_KERNEL | __GFP_NOFAIL); /* above the limit */
	EXPECT_NOT_NULL(p[10]);
	EXPECT_EQ(bytes_of(top), 11 * 136);
	kmem_cache_free(c, p[10]);
	ashlar_group_set_limit(top, 100);
	EXPECT_NULL(kmem_cache_alloc(c, GFP_KERNEL));
	ashlar_group_set_limit(top, 0);
	p[10] = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_NOT_NULL(p[10]);
	for (unsigned i = 0; i < 11; i++)
		kmem_cache_free(c, p[i]);
	ashlar_group_stat(top, &s);
	EXPECT_EQ(s.bytes, 0);
	EXPECT_EQ(s.peak, 11 * 136);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(account_AC3_no_vector_without_charges)
{
	const struct page *head;
	void *const *payers;
	char *p;

	REQUIRE(setup());
	p = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT); /* nobody pays */
	head = &map.pages[map_pfn(p) & ~(((size_t)1 << PORT_SLAB_ORDER) - 1)];
	payers = PORT_SLAB_ORDER ? &head[1].owner : (void *const *)&head->bits[PAGE_OWNER_WORD];
	EXPECT_EQ(*map_state(p), map_state_in_use(p));
	EXPECT_NULL(*payers);
	kfree(p);
	ashlar_group_set_default(make("payer", NULL, 0));
	p = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(*map_state(p), STATE_CHARGED);
	EXPECT_NOT_NULL(*payers);
	kfree(p);
	ashlar_purge(); /* the slab goes, and its vector */
	EXPECT_NULL(*payers);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- migration ------------------------------------------------------------------------ */

TEST(account_migrate_and_destroy)
{
	struct ashlar_group *top;
	struct ashlar_group *a;
	struct ashlar_group *b;
	void *p[30];

	REQUIRE(setup());
	top = make("top", NULL, 0);
	a = make("a", top, 0);
	b = make("b", top, 1000);
	ashlar_group_set_default(a);
	for (unsigned i = 0; i < 10; i++)
		p[i] = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(bytes_of(a), 720);
	EXPECT_EQ(ashlar_group_migrate(a, b), 0);
	EXPECT_EQ(bytes_of(a), 0);
	EXPECT_EQ(bytes_of(b), 720);
	EXPECT_EQ(bytes_of(top), 720);
	EXPECT_PTR_EQ(ashlar_group_of(p[3]), b);
	for (unsigned i = 10; i < 20; i++)
		p[i] = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT);
	EXPECT_PTR_EQ(ashlar_group_of(p[13]), a);
	EXPECT_EQ(ashlar_group_migrate(a, b), -12); /* 1440 > 1000 */
	EXPECT_EQ(bytes_of(a), 720);
	EXPECT_EQ(refused_of(b), 1);
	EXPECT_EQ(ashlar_group_migrate(b, b), 0);
	kfree(p[0]);
	EXPECT_EQ(bytes_of(b), 648);
	EXPECT_EQ(ashlar_audit(), 0);

	EXPECT_EQ(ashlar_group_destroy(top), -16);
	EXPECT_EQ(ashlar_group_destroy(a), -16); /* the default */
	EXPECT_PTR_EQ(ashlar_group_set_default(NULL), a);
	EXPECT_EQ(ashlar_group_destroy(a), 0);
	EXPECT_PTR_EQ(ashlar_group_of(p[13]), top);
	EXPECT_EQ(bytes_of(top), 648 + 720);
	EXPECT_EQ(ashlar_group_destroy(b), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	for (unsigned i = 1; i < 10; i++)
		kfree(p[i]);
	EXPECT_EQ(bytes_of(top), 720);
	EXPECT_EQ(ashlar_group_destroy(top), 0);
	EXPECT_NULL(ashlar_group_of(p[13])); /* nobody pays any more */
	for (unsigned i = 10; i < 20; i++)
		kfree(p[i]);
	EXPECT_EQ(ashlar_group_destroy(NULL), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

static struct ashlar_group *mine;

static struct ashlar_group *current_group(void)
{
	return mine;
}

TEST(account_bind_says_who_pays)
{
	struct ashlar_group *a;
	void *p;

	REQUIRE(setup());
	a = make("a", NULL, 0);
	mine = make("mine", NULL, 0);
	ashlar_group_set_default(a);
	ashlar_group_bind(current_group);
	p = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT);
	EXPECT_PTR_EQ(ashlar_group_of(p), mine);
	kfree(p);
	ashlar_group_bind(NULL);
	p = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT);
	EXPECT_PTR_EQ(ashlar_group_of(p), a);
}

TEST(account_groups_run_out)
{
	static struct ashlar_group *g[300];
	unsigned n = 0;

	REQUIRE(setup());
	EXPECT_NULL(ashlar_group_create("", NULL, 0));
	EXPECT_NULL(ashlar_group_create(NULL, NULL, 0));
	EXPECT(help_contains(sim.text, "refused: a group needs a name"));
	while (n < 300 && (g[n] = ashlar_group_create("one of many", NULL, 0)))
		n++;
	EXPECT_EQ(n, 255);
	EXPECT_EQ(ashlar_group_destroy(g[17]), 0);
	g[17] = make("again", NULL, 0);
	while (n)
		EXPECT_EQ(ashlar_group_destroy(g[--n]), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- misuse of what is charged ------------------------------------------------------------ */

static char *victim;

static void free_it(void)
{
	kfree(victim);
}

static struct kmem_cache *wrong;

static void free_to_wrong(void)
{
	kmem_cache_free(wrong, victim);
}

TEST(account_misuse_is_found_as_ever)
{
	char *p;

	REQUIRE(setup());
	ashlar_group_set_default(make("g", NULL, 0));
	wrong = kmem_cache_create("wrong", 64, 0, 0, NULL);
	p = ashlar_kmalloc(256, GFP_KERNEL_ACCOUNT);
	victim = p + 16;
	EXPECT(help_aborts(free_it));
	EXPECT(help_contains(sim.text, "16 bytes inside an object of kmalloc-cg-256"));
	victim = p + 64;
	EXPECT(help_aborts(free_it));
	victim = p;
	EXPECT(help_aborts(free_to_wrong));
	EXPECT(help_contains(sim.text, "wrong cache: freed to wrong, this object is of "
				       "kmalloc-cg-256"));
	free_it();
	EXPECT(help_aborts(free_it));
	EXPECT(help_contains(sim.text, "double free: this object of kmalloc-cg-256"));
}

TEST(account_held_stays_charged)
{
	struct ashlar_group *g;
	struct slab_sheaf *sheaf;
	struct kmem_cache *c;
	void *p;

	REQUIRE(setup());
	g = make("g", NULL, 0);
	ashlar_group_set_default(g);
	c = kmem_cache_create("paid", 128, 0, SLAB_ACCOUNT, NULL);
	sheaf = kmem_cache_prefill_sheaf(c, GFP_KERNEL, 10);
	REQUIRE(sheaf != NULL);
	EXPECT_EQ(objects_of(g), 10);
	ashlar_group_set_limit(g, 1);
	p = kmem_cache_alloc_from_sheaf(c, GFP_NOWAIT, sheaf); /* paid beforehand */
	REQUIRE(p != NULL);
	EXPECT_PTR_EQ(ashlar_group_of(p), g);
	kmem_cache_free(c, p);
	EXPECT_EQ(objects_of(g), 9);
	kmem_cache_return_sheaf(c, GFP_KERNEL, sheaf);
	EXPECT_EQ(bytes_of(g), 0);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(account_krealloc_pays_for_what_there_is)
{
	static const size_t sizes[] = { 100, 30000, 50000, 200000, 40000, 9u << 20, 10u << 20, 64 };
	struct ashlar_group *g;
	char *p = NULL;

	REQUIRE(setup());
	g = make("g", NULL, 0);
	ashlar_group_set_default(g);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = krealloc(p, sizes[i], GFP_KERNEL_ACCOUNT);
		REQUIRE(p != NULL);
		EXPECT_EQ(objects_of(g), 1);
		EXPECT_GE(bytes_of(g), sizes[i]);
		EXPECT_LE(bytes_of(g), sizes[i] + sizes[i] / 2 + PAGE_SIZE);
	}
	kfree(p);
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- memory that runs out -------------------------------------------------------------------- */

static void script(bool must_work)
{
	struct ashlar_group *g = ashlar_group_create("g", NULL, 0);
	struct kmem_cache *c = kmem_cache_create("paid", 700, 0, SLAB_ACCOUNT, NULL);
	static void *p[700];

	EXPECT((g && c) || !must_work);
	ashlar_group_set_default(g);
	for (unsigned i = 0; c && i < ARRAY_SIZE(p); i++) {
		p[i] = i % 10 ? kmem_cache_alloc(c, GFP_KERNEL) :
				ashlar_kmalloc(20000 + i * 100, GFP_KERNEL_ACCOUNT);
		EXPECT(p[i] || !must_work);
	}
	for (unsigned i = 0; c && i < ARRAY_SIZE(p); i++)
		kfree(p[i]);
	kmem_cache_destroy(c);
	ashlar_group_set_default(NULL);
	if (g)
		EXPECT_EQ(bytes_of(g), 0);
	EXPECT_EQ(ashlar_group_destroy(g), 0);
	EXPECT_TEXT_EQ(sim.text, "");
	ashlar_purge();
}

static unsigned run_ways(const void *limit)
{
	const size_t most = *(const size_t *)limit;
	struct ashlar_group *g;
	void *p[5];

	sim_reset();
	sim.nodes = 2;
	if (!EXPECT(init_ready()))
		return 1;
	g = make("ways", NULL, most);
	p[4] = kmalloc(13 * PAGE_SIZE, GFP_KERNEL);
	ashlar_group_set_default(g);
	p[0] = kmalloc_node(100000, GFP_KERNEL_ACCOUNT, 1);
	p[1] = kvmalloc(100000, GFP_KERNEL_ACCOUNT);
	p[2] = kvmalloc((size_t)32 << 20, GFP_KERNEL_ACCOUNT);
	p[3] = alloc_pages_exact(100000, GFP_KERNEL_ACCOUNT);
	p[4] = krealloc(p[4], 15 * PAGE_SIZE, GFP_KERNEL_ACCOUNT); /* it could grow where it is */
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(p[i] != NULL, most == 0);
	if (most == 0) {
		EXPECT_EQ(bytes_of(g), 2 * size_align(100000, PAGE_SIZE) + ((size_t)32 << 20) +
					       size_align(100000, PAGE_SIZE) + 15 * PAGE_SIZE);
	} else {
		EXPECT_NULL(p[4]);
		EXPECT_GE(refused_of(g), 5);
	}
	for (unsigned i = 0; i < 5; i++)
		if (i != 3)
			kfree(p[i]);
	free_pages_exact(p[3], 100000);
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_EQ(objects_of(g), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	return tap_has_failed();
}

/* No way to a large block goes past the group: another node, a mapping, growing in place. */
TEST(account_large_blocks_by_every_way)
{
	static const size_t limits[] = { 0, 50000 };

	if (!tap_apart)
		SKIP("every run needs a machine that never started");
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQ(tap_apart(run_ways, &limits[i]), 0);
}

TEST(account_each_request_fails)
{
	fail_each(setup, script);
}
