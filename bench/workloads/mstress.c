/* SPDX-License-Identifier: MIT */
/*
 * mstress.c - a server under stress: phases, long-lived data, objects that change hands.
 *
 *   mstress [THREADS [PHASES [SCALE]]]
 *
 * Written from the description of mstress in D. Leijen, B. Zorn and L. de Moura, "Mimalloc: Free
 * List Sharding in Action", MSR-TR-2019-18: N threads allocate power-of-two sizes, mostly small,
 * sometimes large; objects migrate between threads, some live long; between phases all threads end
 * and new ones begin. Allocators lose here that forget the memory of dead threads, or that map and
 * unmap large blocks one at a time.
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>

#define SHARED 1000 /* slots through which threads exchange objects */

static struct mstress {
	uint32_t threads, phases, scale;
	_Atomic(void *) shared[SHARED];
	atomic_uint_least64_t ops;
} mstress;

struct stack {
	void **object;
	uint32_t used, room;
};

static void stack_push(struct stack *s, void *object)
{
	if (s->used == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->object = realloc(s->object, s->room * sizeof(*s->object));
		if (!s->object)
			bench_die("realloc");
	}
	s->object[s->used++] = object;
}

/* Mostly 8..512 bytes; one in 256 up to 64 KiB, one in 8192 up to 2 MiB. */
static size_t mstress_size(struct bench_rng *rng)
{
	uint32_t dice = bench_below(rng, 8192);

	if (dice == 0)
		return (size_t)1 << bench_between(rng, 17, 21);
	if (dice <= 32)
		return (size_t)1 << bench_between(rng, 10, 16);
	return (size_t)1 << bench_between(rng, 3, 9);
}

static void *mstress_new(struct bench_rng *rng)
{
	size_t size = mstress_size(rng);
	char *p = bench_alloc(size);

	for (size_t at = 0; at < size; at += 512)
		p[at] = (char)at;
	return p;
}

/* Put one of ours into a shared slot, and own what was there. */
static void mstress_exchange(struct stack *s, struct bench_rng *rng)
{
	uint32_t at = bench_below(rng, s->used);
	uint32_t slot = bench_below(rng, SHARED);

	s->object[at] = atomic_exchange(&mstress.shared[slot], s->object[at]);
}

static void mstress_free_random(struct stack *s, struct bench_rng *rng)
{
	uint32_t at = bench_below(rng, s->used);

	free(s->object[at]);
	s->object[at] = s->object[--s->used];
}

static void mstress_drain(struct stack *s)
{
	while (s->used)
		free(s->object[--s->used]);
	free(s->object);
}

static void *mstress_thread(void *argument)
{
	struct bench_rng rng = bench_seed((uintptr_t)argument);
	struct stack live = { NULL, 0, 0 }, kept = { NULL, 0, 0 };
	uint64_t made = 0;

	for (uint32_t left = mstress.scale * 1000; left; left--) {
		uint32_t dice = bench_below(&rng, 100);

		if (dice < 50 || !live.used) {
			stack_push(dice < 10 ? &kept : &live, mstress_new(&rng));
			made++;
		} else if (dice < 75) {
			mstress_free_random(&live, &rng);
		} else {
			mstress_exchange(&live, &rng);
		}
	}
	mstress_drain(&live);
	mstress_drain(&kept);
	atomic_fetch_add(&mstress.ops, made);
	return NULL;
}

static void mstress_phase(uint32_t phase)
{
	pthread_t thread[64];

	for (uint32_t t = 0; t < mstress.threads; t++)
		if (pthread_create(&thread[t], NULL, mstress_thread,
				   (void *)(uintptr_t)(phase * mstress.threads + t)))
			bench_die("pthread_create");
	for (uint32_t t = 0; t < mstress.threads; t++)
		pthread_join(thread[t], NULL);
	/* Half of what was left for others dies with the phase. */
	for (uint32_t slot = phase % 2; slot < SHARED; slot += 2)
		free(atomic_exchange(&mstress.shared[slot], NULL));
}

int main(int argc, char **argv)
{
	struct bench_meter m;

	mstress.threads = bench_arg(argc, argv, 1, 2);
	mstress.phases = bench_arg(argc, argv, 2, 10);
	mstress.scale = bench_arg(argc, argv, 3, 200);
	if (mstress.threads > 64)
		bench_die("THREADS <= 64");
	bench_start(&m);
	for (uint32_t phase = 0; phase < mstress.phases; phase++)
		mstress_phase(phase);
	bench_stop(&m);
	m.ops = atomic_load(&mstress.ops);
	bench_print("mstress", &m);
	return 0;
}
