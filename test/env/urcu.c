/* SPDX-License-Identifier: MIT */
/*
 * urcu.c - kfree_rcu and SLAB_TYPESAFE_BY_RCU on liburcu, with readers on every CPU
 *
 * What    Readers follow a table of pointers inside liburcu's sections and look twice, with work in
 *         between, at what they find. Writers replace entries and free the old ones; a third kind
 *         of thread allocates the same sizes and overwrites them.
 *           objects    old objects go through kfree_rcu: what a reader sees does not change
 *           early      the same with kfree: readers must notice, or the test proves nothing
 *           typesafe   old objects go back to their cache at once: what a reader sees is always
 *                      an object of this cache, though perhaps another, also when its memory goes
 * Use     urcu MODE MILLISECONDS
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef FLAVOUR_BP
#include <urcu-bp.h>
#else
#include <urcu.h>
#endif

#include <ashlar/rcu.h>

enum { SLOTS = 64, READERS = 2, MAGIC = 0x600df00d };

struct thing {
	unsigned magic; /* constructed: always there */
	unsigned a;
	unsigned b; /* equal to a */
	struct rcu_head rcu;
	char room[200];
};

static struct thing *slots[SLOTS];
static struct kmem_cache *things;
static int stop;
static int typesafe;
static int early;
static unsigned long looks;
static unsigned long changed;

/* liburcu's, under the names of struct ashlar_rcu_ops. */
static void bound_lock(void)
{
	rcu_read_lock();
}

static void bound_unlock(void)
{
	rcu_read_unlock();
}

static void bound_call(struct ashlar_rcu_head *head, void (*func)(struct ashlar_rcu_head *))
{
	call_rcu((struct rcu_head *)head, (void (*)(struct rcu_head *))func);
}

static const struct ashlar_rcu_ops bound = {
	bound_lock, bound_unlock, bound_call, synchronize_rcu, rcu_barrier,
};

_Static_assert(sizeof(struct rcu_head) == sizeof(struct ashlar_rcu_head), "two words");

static void build(void *p)
{
	memset(p, 0, sizeof(struct thing));
	((struct thing *)p)->magic = MAGIC;
}

static int running(void)
{
	return !__atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* One reader's section: what is wrong with what it sees. */
static unsigned look(struct thing *t)
{
	volatile unsigned *a = &t->a;
	volatile unsigned *magic = &t->magic;
	unsigned first = *a;
	unsigned bad;

	for (volatile int k = 0; k < 200; k++)
		;
	bad = *magic != MAGIC;
	if (!typesafe)
		bad += *a != first || t->b != first;
	return bad;
}

static void *reader(void *unused)
{
	rcu_register_thread();
	for (unsigned i = 0; running(); i++) {
		struct thing *t;
		unsigned bad = 0;

		ashlar_rcu_read_lock();
		t = rcu_dereference(slots[i % SLOTS]);
		if (t)
			bad = look(t);
		ashlar_rcu_read_unlock();
		__atomic_fetch_add(&looks, t != NULL, __ATOMIC_RELAXED);
		__atomic_fetch_add(&changed, bad, __ATOMIC_RELAXED);
	}
	rcu_unregister_thread();
	return unused;
}

static struct thing *make(unsigned value)
{
	struct thing *t =
		typesafe ? kmem_cache_alloc(things, GFP_KERNEL) : kmalloc_obj(struct thing);

	if (!t)
		abort();
	t->a = value;
	t->b = value;
	t->magic = MAGIC;
	return t;
}

/* Each way in which an object may come back. */
static void drop_typesafe(struct thing *t)
{
	switch (t->a % 5) {
	case 0:
		kfree(t);
		break;
	case 1:
		kfree_nolock(t);
		break;
	case 2:
		kfree_rcu(t, rcu);
		break;
	case 3:
		kmem_cache_free_bulk(NULL, 1, (void **)&t);
		break;
	default:
		kmem_cache_free(things, t);
	}
}

static void drop(struct thing *t)
{
	if (typesafe)
		drop_typesafe(t);
	else if (early)
		kfree(t);
	else
		kfree_rcu(t, rcu);
}

static void *writer(void *unused)
{
	rcu_register_thread();
	for (unsigned i = 1; running(); i++) {
		struct thing *t = make(i);
		struct thing *old = slots[i * 7 % SLOTS];

		rcu_assign_pointer(slots[i * 7 % SLOTS], t);
		if (old)
			drop(old);
		if (typesafe && i % 500 == 0) { /* all of them go, and their slabs */
			for (unsigned k = 0; k < SLOTS; k++) {
				old = slots[k];
				rcu_assign_pointer(slots[k], NULL);
				if (old)
					drop(old);
			}
			kmem_cache_shrink(things);
			ashlar_purge();
		}
	}
	rcu_unregister_thread();
	return unused;
}

static void *overwriter(void *unused)
{
	rcu_register_thread(); /* kfree may give a slab to call_rcu */
	while (running()) {
		void *p[64];

		for (unsigned i = 0; i < 64; i++) {
			p[i] = kmalloc(sizeof(struct thing), GFP_KERNEL);
			if (p[i])
				memset(p[i], 0xff, sizeof(struct thing));
		}
		for (unsigned i = 0; i < 64; i++)
			kfree(p[i]);
	}
	rcu_unregister_thread();
	return unused;
}

static int enough(void)
{
	return __atomic_load_n(early ? &changed : &looks, __ATOMIC_RELAXED) > (early ? 0 : 1000);
}

int main(int argc, char **argv)
{
	void *(*const work[])(void *) = { reader, reader, writer, overwriter };
	pthread_t thread[4];
	const struct timespec slice = { 0, 1000000 };
	long ms = argc > 2 ? atol(argv[2]) : 500;

	typesafe = argc > 1 && !strcmp(argv[1], "typesafe");
	early = argc > 1 && !strcmp(argv[1], "early");
	rcu_register_thread();
	if (ashlar_rcu_bind(&bound) != 0)
		return 2;
	things = kmem_cache_create("things", sizeof(struct thing), 0,
				   typesafe ? SLAB_TYPESAFE_BY_RCU : 0, build);
	if (!things)
		return 2;
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, work[i], NULL);
	/* On a busy machine it takes as long as it takes. */
	for (long i = 0; i < ms || (i < 20000 && !enough()); i++)
		nanosleep(&slice, NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < SLOTS; i++)
		if (slots[i])
			drop(slots[i]);
	kmem_cache_destroy(things);
	ashlar_rcu_barrier();
	printf("%s %lu changed, %lu waiting, %zu faults\n",
	       looks > 1000 ? "many looks," : "few looks,", changed,
	       (unsigned long)ashlar_rcu_pending(), ashlar_audit());
	fprintf(stderr, "# %lu looks\n", looks);
	rcu_unregister_thread();
	return early ? changed == 0 : changed != 0 || ashlar_rcu_pending() || looks <= 1000;
}
