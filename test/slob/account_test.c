/* SPDX-License-Identifier: MIT */
/*
 * account_test.c - who pays, written down in blocks of slob: what it costs, and what is checked
 *
 * See     test/public/account_test.c for what both engines do
 */
#include "account_help.h"
#include "ashlar/mm.h"
#include "ashlar/rcu.h"
#include "cache/account_object.h"
#include "cache/block.h"
#include "cache/nolock.h"
#include "rcu_help.h"
#include "slob_help.h"

static struct ashlar_group *payer_of_all(void)
{
	struct ashlar_group *g = payer("g", NULL, 0);

	ashlar_group_set_default(g);
	return g;
}

/* SL9: a unit for each block that is paid for; 16 bytes where that is one too many. */
TEST(account_SL9_price)
{
	static const struct {
		size_t size, plain, paid;
	} of[] = {
		{ 12, 16, 16 },    { 13, 16, 32 },    { 64, 80, 80 },
		{ 100, 112, 112 }, { 109, 112, 128 },
	};
	struct ashlar_group *g;
	struct kmem_cache *c;
	void *p;

	REQUIRE(slob_setup());
	g = payer_of_all();
	for (unsigned i = 0; i < ARRAY_SIZE(of); i++) {
		p = ashlar_kmalloc(of[i].size, GFP_KERNEL);
		EXPECT_EQ(units_of(p) * SLOB_UNIT, of[i].plain);
		EXPECT_EQ(ksize(p), of[i].plain - 2);
		EXPECT_EQ(bytes_of(g), 0);
		kfree(p);
		p = ashlar_kmalloc(of[i].size, GFP_KERNEL_ACCOUNT);
		EXPECT_EQ(units_of(p) * SLOB_UNIT, of[i].paid);
		EXPECT_EQ(ksize(p), of[i].paid - 4);
		EXPECT_EQ(bytes_of(g), of[i].paid);
		kfree(p);
		EXPECT_EQ(bytes_of(g), 0);
	}
	c = kmem_cache_create("paid", 200, 0, SLAB_ACCOUNT, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(bytes_of(g), 206);
	kfree(p);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Who could pay is asked first: without a payer there is no room for one. */
TEST(account_SL9_nobody_is_not_written_down)
{
	struct slob_place place;
	void *p;

	REQUIRE(slob_setup());
	p = ashlar_kmalloc(13, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(units_of(p), 8);
	slob_find(pages_zone(p), p, &place);
	EXPECT_EQ(place.payer, 0);
	kfree(p);
}

static struct ashlar_group *changing;

/* Pays when it is asked whether anybody does, and then not. */
static struct ashlar_group *current_changes(void)
{
	struct ashlar_group *g = changing;

	changing = NULL;
	return g;
}

TEST(account_SL9_nobody_after_all)
{
	struct slob_place place;
	struct ashlar_group *g;
	void *p;

	REQUIRE(slob_setup());
	g = changing = payer("g", NULL, 0);
	ashlar_group_bind(current_changes);
	p = ashlar_kmalloc(13, GFP_KERNEL_ACCOUNT);
	slob_find(pages_zone(p), p, &place);
	EXPECT_EQ(place.payer, SLOB_NOBODY);
	EXPECT_EQ(ksize(p), 28);
	EXPECT_NULL(ashlar_group_of(p));
	EXPECT_EQ(ashlar_audit(), 0);
	kfree(p);
	EXPECT_EQ(bytes_of(g), 0);
}

static char *victim;

static void free_it(void)
{
	kfree(victim);
}

/* What is behind the object says who pays: who writes there is found, but for 1 time in 16. */
TEST(account_SL9_an_overrun_is_damage)
{
	struct ashlar_group *g;
	uint16_t *word;
	unsigned passed = 0;

	REQUIRE(slob_setup());
	g = payer_of_all();
	victim = ashlar_kmalloc(60, GFP_KERNEL_ACCOUNT);
	word = (uint16_t *)(void *)(victim + ksize(victim));
	EXPECT_EQ(*word & 0xfff, 1); /* the first number */
	for (unsigned bit = 0; bit < 16; bit++) {
		*word ^= (uint16_t)(1u << bit);
		EXPECT(help_aborts(free_it));
		EXPECT(help_contains(sim.text, "damage: headers of the page were overwritten"));
		*word ^= (uint16_t)(1u << bit);
	}
	for (unsigned value = 0; value < 0x10000; value++) {
		struct slob_place place;
		uint16_t was = *word;

		*word = (uint16_t)value;
		slob_find(pages_zone(victim), victim, &place);
		passed += place.found == SLOB_USED;
		*word = was;
	}
	EXPECT_LE(passed, 0x1000);
	EXPECT_EQ(bytes_of(g), units_of(victim) * SLOB_UNIT);
	free_it();
	EXPECT_EQ(bytes_of(g), 0);
}

/* AC6 */
TEST(account_AC6_blocks_without_payment_are_found)
{
	struct ashlar_group *g;
	void *p, *q;

	REQUIRE(slob_setup());
	g = payer_of_all();
	p = ashlar_kmalloc(60, GFP_KERNEL_ACCOUNT);
	q = ashlar_kmalloc(60000, GFP_KERNEL_ACCOUNT);
	EXPECT_EQ(account_audit_blocks(), 0);
	g->owner->bytes--;
	EXPECT_EQ(account_audit_blocks(), 1);
	EXPECT_NE(ashlar_audit(), 0); /* AC1, too */
	g->owner->bytes++;
	kfree(p);
	kfree(q);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* NL3: the charge ends under a lock. */
TEST(account_nolock_is_settled_later)
{
	struct ashlar_group *g;
	void *p[2];

	REQUIRE(slob_setup());
	g = payer_of_all();
	p[0] = ashlar_kmalloc(60, GFP_KERNEL_ACCOUNT);
	p[1] = ashlar_kmalloc(10000, GFP_KERNEL_ACCOUNT);
	account_lock_all();
	kfree_nolock(p[0]);
	kfree_nolock(p[1]);
	account_unlock_all();
	EXPECT_EQ(objects_of(g), 2);
	nolock_settle();
	EXPECT_EQ(objects_of(g), 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(sim.waits, 0);
}

/* SL8 and SL9 in one block: the room to be queued is before the number, and aligned. */
TEST(account_SL9_what_waits_for_readers_is_paid_meanwhile)
{
	struct ashlar_group *g;
	struct kmem_cache *c;
	void *p, *room;
	u16 id;

	REQUIRE(setup());
	g = payer_of_all();
	c = kmem_cache_create("both", 21, 0, SLAB_TYPESAFE_BY_RCU | SLAB_ACCOUNT, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	room = block_wait_room(p, &id);
	EXPECT_PTR_EQ(room, (char *)p + 24);
	EXPECT_EQ(bytes_of(g), 4 + 24 + 16 + 2);
	kmem_cache_free(c, p);
	EXPECT_EQ(objects_of(g), 1);
	EXPECT_PTR_EQ(ashlar_group_of(p), g);
	ashlar_rcu_barrier();
	EXPECT_EQ(objects_of(g), 0);
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Each migration leaves an owner with what it has to pay for: the numbers end, and come back. */
TEST(account_numbers_run_out)
{
	static void *p[SLOB_PAYERS];
	struct ashlar_group *a, *b;
	unsigned n = 0;

	REQUIRE(slob_setup());
	a = payer_of_all();
	b = payer("b", NULL, 0);
	do
		p[n++] = ashlar_kmalloc(16, GFP_KERNEL_ACCOUNT);
	while (ashlar_group_migrate(a, b) == 0);
	EXPECT_EQ(n, SLOB_PAYERS - 1 - 1); /* b has one that pays for nothing */
	EXPECT_EQ(objects_of(b), n - 1);
	EXPECT_EQ(objects_of(a), 1);
	EXPECT_NULL(ashlar_group_create("one more", NULL, 0));
	EXPECT_EQ(ashlar_audit(), 0);
	kfree(p[7]);
	EXPECT_EQ(ashlar_group_migrate(a, b), 0);
	EXPECT_PTR_EQ(ashlar_group_of(p[n - 1]), b);
	for (unsigned i = 0; i < n; i++)
		if (i != 7)
			kfree(p[i]);
	EXPECT_EQ(bytes_of(b), 0);
	EXPECT_NOT_NULL(ashlar_group_create("one more", NULL, 0));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* It stays where it is as long as a new block would be no other; else who pays is settled anew. */
TEST(account_krealloc_in_place)
{
	struct ashlar_group *g;
	void *p, *q;

	REQUIRE(slob_setup());
	g = payer_of_all();
	p = ashlar_kmalloc(65, GFP_KERNEL_ACCOUNT);
	EXPECT_PTR_EQ(krealloc(p, 70, GFP_KERNEL_ACCOUNT), p);
	EXPECT_EQ(bytes_of(g), 80);
	q = krealloc(p, 300, GFP_KERNEL); /* nobody is to pay for it any more */
	EXPECT_NE((uintptr_t)q, (uintptr_t)p);
	EXPECT_EQ(bytes_of(g), 0);
	EXPECT_PTR_EQ(krealloc(q, 301, GFP_KERNEL_ACCOUNT), q);
	EXPECT_NULL(ashlar_group_of(q));
	q = krealloc(q, 500, GFP_KERNEL_ACCOUNT);
	EXPECT_PTR_EQ(ashlar_group_of(q), g);
	EXPECT_EQ(objects_of(g), 1);
	kfree(q);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* AC5: a charge comes before its block, so one that is refused has found no lock but its own. */
TEST(account_AC5_refused_without_waiting)
{
	const gfp_t gfp = GFP_ATOMIC | __GFP_ACCOUNT;
	struct page *pages[2] = { NULL };
	struct ashlar_group *g;
	struct kmem_cache *c;
	void *p;

	REQUIRE(slob_setup());
	g = payer_of_all();
	c = kmem_cache_create("paid", 64, 0, SLAB_ACCOUNT, NULL);
	for (unsigned round = 0; round < 2; round++) { /* the lock is held; the limit is reached */
		if (round == 0) {
			account_lock_all();
		} else {
			ashlar_group_set_limit(g, 10);
			init_guards(true);
		}
		EXPECT_NULL(ashlar_kmalloc(100, gfp));
		EXPECT_NULL(ashlar_kmalloc(100000, gfp));
		EXPECT_NULL(kmem_cache_alloc(c, GFP_ATOMIC));
		EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_ATOMIC, 3, &p), 0);
		EXPECT_NULL(alloc_pages(gfp, 2));
		EXPECT_NULL(alloc_pages_exact(3 * PAGE_SIZE, gfp));
		EXPECT_EQ(alloc_pages_bulk(gfp, 2, pages), 0);
		if (round == 0)
			account_unlock_all();
		else
			init_guards(false);
	}
	EXPECT_EQ(sim.waits + sim.wakes, 0);
	EXPECT_EQ(refused_of(g), 7);
	EXPECT_EQ(objects_of(g), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}
