/* SPDX-License-Identifier: MIT */
/*
 * shrinker_test.c - shrinkers that come and go in several threads at once, on slob
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "ashlar/slab.h"
#include "tap.h"

#define WORKERS 3u
#define KEPT 2000u

static struct shrinker kept[KEPT], passing[WORKERS];
static unsigned asked[KEPT];
static bool stop; /* atomic */

static size_t count_nothing(struct shrinker *s, gfp_t gfp)
{
	(void)gfp;
	if (s >= kept && s < kept + KEPT)
		asked[s - kept]++;
	return 0;
}

static size_t scan_nothing(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)gfp;
	(void)n;
	return 0;
}

static void *come_and_go(void *argument)
{
	struct shrinker *s = argument;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		*s = (struct shrinker){ .count = count_nothing, .scan = scan_nothing };
		register_shrinker(s);
		unregister_shrinker(s);
	}
	return NULL;
}

TEST(shrinker_none_is_lost_while_others_come_and_go)
{
	pthread_t threads[WORKERS];
	unsigned lost = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, come_and_go, &passing[i]) == 0);
	for (unsigned i = 0; i < KEPT; i++) {
		kept[i] = (struct shrinker){ .count = count_nothing, .scan = scan_nothing };
		register_shrinker(&kept[i]);
		for (volatile unsigned k = 0; k < 5000; k++)
			continue;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_NULL(ashlar_kmalloc((size_t)1 << 44, GFP_KERNEL));
	for (unsigned i = 0; i < KEPT; i++)
		lost += asked[i] == 0;
	EXPECT_EQ(lost, 0);
	for (unsigned i = 0; i < KEPT; i++)
		unregister_shrinker(&kept[i]);
}
