/* SPDX-License-Identifier: MIT */
/*
 * migrate_test.c - threads that change CPUs while others stop these CPUs
 *
 * What    Movers jump to random CPUs with sched_setaffinity between and inside their
 *         operations; objects change hands through a box, so that most are freed by another
 *         thread than their owner was. Beside them one thread shrinks and purges without
 *         a pause, and two make, use and destroy caches.
 * Rules   MG1 an object has one owner, whichever CPU he is on
 *         MG2 what a destroyed cache leaves behind, its id and its arrays, harms nobody
 *         MG3 purge, shrink and statistics may run beside everything, also a destroy
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "cache/cache.h"
#include "cache/stat.h"
#include "thread/thread.h"

#define MIGRATE_MOVERS 4u
#define MIGRATE_MAKERS 2u
#define MIGRATE_PURGERS 2u
#define MIGRATE_BOX 512u
#define MIGRATE_CPUS 64u

static struct kmem_cache *cache;
static unsigned cpus[MIGRATE_CPUS];
static unsigned nr_cpus;
static void *box[MIGRATE_BOX]; /* atomic: objects on their way to another thread */
static unsigned turns;

struct parcel {
	uint64_t mark;
	uint64_t size;
	uint64_t body[]; /* to size */
};

static void *migrate_alloc(uint64_t *random)
{
	uint64_t mark = thread_random(random);
	size_t size = mark & 1 ? 96 : 16 + (mark >> 8) % 2048 / 8 * 8;
	struct parcel *p =
		mark & 1 ? kmem_cache_alloc(cache, GFP_KERNEL) : ashlar_kmalloc(size, GFP_KERNEL);

	p->mark = mark;
	p->size = size;
	stamp(p->body, size - sizeof(*p), mark);
	return p;
}

static void migrate_free(struct parcel *p)
{
	if (!p)
		return;
	thread_fault(stamp_remove(p->body, p->size - sizeof(*p), p->mark));
	if (p->mark & 1)
		kmem_cache_free(cache, p);
	else
		kfree(p);
}

static void *migrate_mover(void *number)
{
	uint64_t random = thread_seed() * 64 + (uintptr_t)number;

	for (unsigned i = 0; i < turns; i++) {
		uint64_t r = thread_random(&random);

		if (r % 16 == 0)
			thread_pin(cpus[(r >> 32) % nr_cpus]);
		migrate_free(__atomic_exchange_n(&box[(r >> 16) % MIGRATE_BOX],
						 migrate_alloc(&random), __ATOMIC_ACQ_REL));
	}
	return NULL;
}

/* MG2: sizes differ, so that an id's arrays are inherited with another limit. */
static void *migrate_maker(void *number)
{
	uint64_t random = thread_seed() * 32 + (uintptr_t)number;

	while (!thread_stopping()) {
		size_t size = 32u << (thread_random(&random) % 8);
		unsigned n = (unsigned)(thread_random(&random) % 200) + 1;
		struct kmem_cache *c = kmem_cache_create("made", (unsigned)size, 0, 0, NULL);
		void *objects[200];

		for (unsigned i = 0; i < n; i++) {
			objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
			stamp(objects[i], size, i + 1 + (uintptr_t)number * 1000);
			if (i % 50 == 0)
				thread_pin(cpus[thread_random(&random) % nr_cpus]);
		}
		for (unsigned i = 0; i < n; i++) {
			thread_fault(
				stamp_remove(objects[i], size, i + 1 + (uintptr_t)number * 1000));
			kmem_cache_free(c, objects[i]);
		}
		kmem_cache_destroy(c);
	}
	return NULL;
}

/* MG3 */
static void *migrate_purger(void *number)
{
	struct stat_sum sum;

	while (!thread_stopping()) {
		if (number) {
			kmem_cache_shrink(cache);
			stat_sum(&sum);
			sched_yield();
		} else {
			ashlar_purge();
			usleep(200);
		}
	}
	return NULL;
}

static unsigned migrate_caches(void)
{
	unsigned n = 0;

	for (unsigned id = 1; id < CONFIG_MAX_IDS; id++)
		n += map_ids[id].node != NULL;
	return n;
}

TEST_MODES(migrate_MG1_MG2_MG3)
{
	pthread_t makers[MIGRATE_MAKERS];
	pthread_t purgers[MIGRATE_PURGERS];
	unsigned caches;

	turns = thread_turns(40000, 400000, 4000000);
	nr_cpus = thread_cpus(cpus, MIGRATE_CPUS);
	cache = kmem_cache_create("migrate", 96, 0, 0, NULL);
	caches = migrate_caches();
	thread_start(makers, MIGRATE_MAKERS, migrate_maker);
	thread_start(purgers, MIGRATE_PURGERS, migrate_purger);
	thread_run(MIGRATE_MOVERS, migrate_mover);
	thread_stop(true);
	thread_join(makers, MIGRATE_MAKERS);
	thread_join(purgers, MIGRATE_PURGERS);
	for (unsigned i = 0; i < MIGRATE_BOX; i++)
		migrate_free(box[i]);
	EXPECT_EQ(migrate_caches(), caches); /* MG3: every destroy found its cache unused */
	thread_close(cache);
}
