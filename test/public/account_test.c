/* SPDX-License-Identifier: MIT */
/*
 * account_test.c - groups that pay: charges, limits, migration
 *
 * What    Public behaviour: compiled for both engines. What an object costs differs between them:
 *         it is measured here, and stated in test/cache and test/slob.
 */
#include "account_help.h"
#include "ashlar/mempool.h"
#include "ashlar/mm.h"
#include "cache/cache.h"
#include "cache/kmalloc.h"
#include "start_help.h"

/* What @p of @bytes, the only thing that @g was charged for since it had @before, has cost. */
static size_t cost(const struct ashlar_group *g, size_t before, const void *p, size_t bytes)
{
	size_t price = bytes_of(g) - before;

	EXPECT_NOT_NULL(p);
	EXPECT_GE(price, bytes);
	EXPECT_LE(price, bytes + bytes / 8 + 32);
	return price;
}

TEST(account_AC2_every_way_in)
{
	struct ashlar_group *g;
	struct kmem_cache *c;
	struct kmem_cache *plain;
	size_t one, small;
	void *p[6];

	REQUIRE(setup());
	g = payer("payer", NULL, 0);
	c = kmem_cache_create("paid", 200, 0, SLAB_ACCOUNT, NULL);
	plain = kmem_cache_create("plain", 200, 0, 0, NULL);
	p[0] = kmem_cache_alloc(c, GFP_KERNEL); /* nobody is current */
	EXPECT_NULL(ashlar_group_of(p[0]));
	kmem_cache_free(c, p[0]);
	EXPECT_NULL(ashlar_group_set_default(g));
	p[0] = kmem_cache_alloc(c, GFP_KERNEL);
	one = cost(g, 0, p[0], 200);
	p[1] = kmem_cache_alloc(plain, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(bytes_of(g), 2 * one);
	p[2] = ashlar_kmalloc(100, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	EXPECT(is_filled(p[2], ksize(p[2]), 0));
	small = 2 * one + cost(g, 2 * one, p[2], 100);
	p[3] = ashlar_kmalloc(100000, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(bytes_of(g), small + size_align(100000, PAGE_SIZE));
	p[4] = ashlar_kmalloc(9u << 20, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(bytes_of(g), small + size_align(100000, PAGE_SIZE) + (9u << 20));
	p[5] = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT, 3);
	EXPECT_EQ(bytes_of(g), small + size_align(100000, PAGE_SIZE) + 8 * PAGE_SIZE + (9u << 20));
	EXPECT_EQ(objects_of(g), 6);
	for (unsigned i = 0; i < 5; i++) {
		REQUIRE(p[i] != NULL);
		EXPECT_PTR_EQ(ashlar_group_of(p[i]), g);
		EXPECT_NULL(ashlar_group_of((char *)p[i] + 16));
		EXPECT_GE(ksize(p[i]), 100);
		memset(p[i], 0xff, ksize(p[i])); /* nothing of it is in what may be used */
		EXPECT_PTR_EQ(ashlar_group_of(p[i]), g);
	}
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_free(c, p[0]);
	kfree(p[1]);
	kfree(p[2]);
	kfree(p[3]);
	kvfree(p[4]);
	free_pages((unsigned long)p[5], 3);
	EXPECT_EQ(bytes_of(g), 0);
	kmem_cache_destroy(c);
	kmem_cache_destroy(plain);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(account_AC2_many_at_once)
{
	struct ashlar_group *g;
	struct kmem_cache *c;
	void *many[200];
	void *p;

	REQUIRE(setup());
	g = payer("payer", NULL, 0);
	ashlar_group_set_default(g);
	c = kmem_cache_create("paid", 200, 0, SLAB_ACCOUNT, NULL);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 200, many), 200);
	EXPECT_EQ(objects_of(g), 200);
	kmem_cache_free_bulk(c, 100, many);
	kmem_cache_free_bulk(NULL, 100, many + 100);
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_EQ(objects_of(g), 0);
	p = kmalloc(64, GFP_KERNEL); /* not asked to be charged */
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_NULL(ashlar_group_of(p));
	kfree(p);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Each page of an exact run, and of bulk, is charged by itself, until its last reference goes. */
TEST(account_pages_and_references)
{
	static struct page *taken[256];
	static u8 orders[ARRAY_SIZE(taken)];
	struct page *a[20] = { NULL };
	struct ashlar_group *g;
	struct page *block;
	unsigned count = 0;
	void *p;

	REQUIRE(setup());
	g = payer("pages", NULL, 10 * PAGE_SIZE);
	ashlar_group_set_default(g);
	EXPECT_NULL(alloc_pages_exact(11 * PAGE_SIZE, GFP_KERNEL_ACCOUNT));
	EXPECT_EQ(objects_of(g), 0);
	ashlar_group_set_limit(g, 0); /* all charges of what could not be had go at once */
	for (unsigned order = ASHLAR_MAX_ORDER + 1; order-- > 0;)
		while (count < ARRAY_SIZE(taken) && (block = alloc_pages(GFP_KERNEL, order))) {
			orders[count] = (u8)order;
			taken[count++] = block;
		}
	EXPECT_NULL(alloc_pages_exact(PAGE_SIZE << ASHLAR_MAX_ORDER, GFP_KERNEL_ACCOUNT));
	EXPECT_EQ(objects_of(g) + bytes_of(g), 0);
	while (count--)
		__free_pages(taken[count], orders[count]);
	ashlar_group_set_limit(g, 10 * PAGE_SIZE);
	p = alloc_pages_exact(7 * PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	REQUIRE(p != NULL);
	EXPECT_EQ(alloc_pages_bulk(GFP_KERNEL_ACCOUNT, 20, a), 3);
	EXPECT_EQ(bytes_of(g), 10 * PAGE_SIZE);
	EXPECT_EQ(objects_of(g), 10);
	get_page(virt_to_page(p));
	free_pages_exact(p, 7 * PAGE_SIZE);
	EXPECT_EQ(bytes_of(g), 4 * PAGE_SIZE);
	put_page(virt_to_page(p));
	for (unsigned i = 0; i < 3; i++)
		put_page(a[i]);
	EXPECT_EQ(bytes_of(g), 0);
	for (unsigned round = 0; round < 2; round++) {
		block = alloc_pages(GFP_KERNEL_ACCOUNT | (round ? __GFP_COMP : 0), 2);
		REQUIRE(block != NULL);
		EXPECT_EQ(bytes_of(g), 4 * PAGE_SIZE);
		get_page(block);
		__free_pages(block, 2); /* without COMP one page stays, and nobody pays for it */
		EXPECT_EQ(bytes_of(g), round ? 4 * PAGE_SIZE : 0);
		put_page(block);
		EXPECT_EQ(bytes_of(g), 0);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

/* What one object of @c costs @g, which is current and pays for nothing. */
static size_t price_of(struct kmem_cache *c, const struct ashlar_group *g)
{
	void *p = kmem_cache_alloc(c, GFP_KERNEL);
	size_t price = cost(g, 0, p, kmem_cache_size(c));

	kmem_cache_free(c, p);
	EXPECT_EQ(bytes_of(g), 0);
	return price;
}

TEST(account_limit_refuses)
{
	struct ashlar_group *top;
	struct ashlar_group *g;
	struct ashlar_group_stat s;
	struct kmem_cache *c;
	void *p[40];
	unsigned n = 0;
	size_t one;

	REQUIRE(setup());
	top = payer("top", NULL, 0);
	g = payer("below", top, 0);
	c = kmem_cache_create("paid", 128, 0, SLAB_ACCOUNT, NULL);
	ashlar_group_set_default(g);
	one = price_of(c, g);
	ashlar_group_set_limit(top, 10 * one);
	while (n < 40 && (p[n] = kmem_cache_alloc(c, GFP_KERNEL)))
		n++;
	EXPECT_EQ(n, 10);
	EXPECT_EQ(refused_of(top), 1);
	EXPECT_EQ(refused_of(g), 0);
	EXPECT_EQ(bytes_of(g), 10 * one);
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, 5, p + 10), 0);
	EXPECT_EQ(bytes_of(g), 10 * one);
	EXPECT_NULL(ashlar_kmalloc(100000, GFP_KERNEL_ACCOUNT));
	EXPECT_NULL(ashlar_kmalloc(9u << 20, GFP_KERNEL_ACCOUNT));
	EXPECT_NULL(alloc_pages(GFP_KERNEL_ACCOUNT, 0));
	p[10] = kmem_cache_alloc(c, GFP_KERNEL | __GFP_NOFAIL); /* above the limit */
	EXPECT_NOT_NULL(p[10]);
	EXPECT_EQ(bytes_of(top), 11 * one);
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
	EXPECT_EQ(s.peak, 11 * one);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* ---- migration ------------------------------------------------------------------------ */

static void allocate_ten(void **p)
{
	for (unsigned i = 0; i < 10; i++)
		p[i] = ashlar_kmalloc(64, GFP_KERNEL_ACCOUNT);
}

static void free_from(void **p, unsigned first)
{
	for (unsigned i = first; i < 10; i++)
		kfree(p[i]);
}

TEST(account_migrate)
{
	struct ashlar_group *top;
	struct ashlar_group *a;
	struct ashlar_group *b;
	void *first[10], *second[10];
	size_t one;

	REQUIRE(setup());
	top = payer("top", NULL, 0);
	a = payer("a", top, 0);
	b = payer("b", top, 0);
	ashlar_group_set_default(a);
	allocate_ten(first);
	one = bytes_of(a) / 10;
	EXPECT_GE(one, 64);
	ashlar_group_set_limit(b, 20 * one - 1);
	EXPECT_EQ(ashlar_group_migrate(a, b), 0);
	EXPECT_EQ(bytes_of(a), 0);
	EXPECT_EQ(bytes_of(b), 10 * one);
	EXPECT_EQ(bytes_of(top), 10 * one);
	EXPECT_PTR_EQ(ashlar_group_of(first[3]), b);
	allocate_ten(second);
	EXPECT_PTR_EQ(ashlar_group_of(second[3]), a);
	EXPECT_EQ(ashlar_group_migrate(a, b), -12);
	EXPECT_EQ(bytes_of(a), 10 * one);
	EXPECT_EQ(refused_of(b), 1);
	EXPECT_EQ(ashlar_group_migrate(b, b), 0);
	kfree(first[0]);
	EXPECT_EQ(bytes_of(b), 9 * one);
	EXPECT_EQ(ashlar_audit(), 0);
	free_from(first, 1);
	free_from(second, 0);
	EXPECT_EQ(bytes_of(top), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(account_destroy_leaves_it_to_the_parent)
{
	struct ashlar_group *top;
	struct ashlar_group *a;
	void *p[10];
	size_t one;

	REQUIRE(setup());
	top = payer("top", NULL, 0);
	a = payer("a", top, 0);
	ashlar_group_set_default(a);
	allocate_ten(p);
	one = bytes_of(a) / 10;
	EXPECT_EQ(ashlar_group_destroy(top), -16);
	EXPECT_EQ(ashlar_group_destroy(a), -16); /* the default */
	EXPECT_PTR_EQ(ashlar_group_set_default(NULL), a);
	EXPECT_EQ(ashlar_group_destroy(a), 0);
	EXPECT_PTR_EQ(ashlar_group_of(p[3]), top);
	EXPECT_EQ(bytes_of(top), 10 * one);
	EXPECT_EQ(ashlar_audit(), 0);
	kfree(p[0]);
	EXPECT_EQ(bytes_of(top), 9 * one);
	EXPECT_EQ(ashlar_group_destroy(top), 0);
	EXPECT_NULL(ashlar_group_of(p[3])); /* nobody pays any more */
	free_from(p, 1);
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
	a = payer("a", NULL, 0);
	mine = payer("mine", NULL, 0);
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
	g[17] = payer("again", NULL, 0);
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
	ashlar_group_set_default(payer("g", NULL, 0));
	wrong = kmem_cache_create("wrong", 64, 0, 0, NULL);
	p = ashlar_kmalloc(256, GFP_KERNEL_ACCOUNT);
	victim = p + 16;
	EXPECT(help_aborts(free_it));
	EXPECT(help_contains(sim.text, "invalid free: 16 bytes inside "));
	victim = p + 64;
	EXPECT(help_aborts(free_it));
	victim = p;
	EXPECT(help_aborts(free_to_wrong));
	EXPECT(help_contains(sim.text, "wrong cache: freed to wrong, this object is of "));
	EXPECT_NOT_NULL(ashlar_group_of(p));
	free_it();
	EXPECT(help_aborts(free_it));
	EXPECT(help_contains(sim.text, "double free: this "));
}

TEST(account_held_stays_charged)
{
	struct ashlar_group *g;
	struct slab_sheaf *sheaf;
	struct kmem_cache *c;
	void *p;

	REQUIRE(setup());
	g = payer("g", NULL, 0);
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
	g = payer("g", NULL, 0);
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
