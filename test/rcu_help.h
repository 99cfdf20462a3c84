/* SPDX-License-Identifier: MIT */
/*
 * rcu_help.h - an RCU whose grace periods the test ends
 */
#ifndef ASHLAR_TEST_RCU_HELP_H
#define ASHLAR_TEST_RCU_HELP_H

#include "ashlar/rcu.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "sim_help.h"

/* Callbacks that wait; a grace period ends when the test says so. */
static struct call {
	struct ashlar_rcu_head *head;
	void (*func)(struct ashlar_rcu_head *head);
} calls[16];
static unsigned nr_calls;
static unsigned readers;
static unsigned synchronized;
static unsigned barriers;

static inline void test_lock(void)
{
	readers++;
}

static inline void test_unlock(void)
{
	readers--;
}

static inline void test_call(struct ashlar_rcu_head *head,
			     void (*func)(struct ashlar_rcu_head *head))
{
	EXPECT_LT(nr_calls, ARRAY_SIZE(calls));
	calls[nr_calls++] = (struct call){ head, func };
}

static inline void grace(void)
{
	unsigned n = nr_calls;
	struct call ended[ARRAY_SIZE(calls)];

	memcpy(ended, calls, sizeof(calls));
	nr_calls = 0;
	for (unsigned i = 0; i < n; i++)
		ended[i].func(ended[i].head);
}

static inline void test_synchronize(void)
{
	synchronized++;
}

static inline void test_barrier(void)
{
	barriers++;
	grace();
}

static const struct ashlar_rcu_ops test_rcu = {
	.read_lock = test_lock,
	.read_unlock = test_unlock,
	.call = test_call,
	.synchronize = test_synchronize,
	.barrier = test_barrier,
};

static inline bool setup_unbound(void)
{
	sim_reset();
	return init_ready();
}

static inline bool setup(void)
{
	return setup_unbound() && ashlar_rcu_bind(&test_rcu) == 0;
}

struct thing {
	int value;
	struct ashlar_rcu_head rcu;
};

static unsigned long script_flags;

/* For fail_each: 1,500 objects of a cache with script_flags, freed in three ways. */
static inline void script(bool must_work)
{
	struct kmem_cache *c = kmem_cache_create("safe", 4096, 0, script_flags, NULL);
	struct thing *t[1500];

	EXPECT(c || !must_work);
	if (!c)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		t[i] = kmem_cache_alloc(c, GFP_KERNEL);
		EXPECT(t[i] || !must_work);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		if (i % 3 == 0)
			kmem_cache_free(c, t[i]);
		else if (i % 3 == 1)
			kfree_rcu(t[i], rcu);
		else
			kvfree_rcu_mightsleep(t[i]);
		if (i % 100 == 99)
			grace();
	}
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_rcu_pending(), 0);
	EXPECT_TEXT_EQ(sim.text, "");
	ashlar_purge();
}

#endif
