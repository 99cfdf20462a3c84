/* SPDX-License-Identifier: MIT */
/*
 * seed_model.h - a pool that does what the first seed does, faults included
 *
 * What    The behaviour that docs/lineage.md tells of seed 001, written anew in few lines:
 *         a ring of 2 MiB slabs, the first of which is the anchor; a bitmap of objects in use;
 *         counters beside it. Where the seed would spin for ever or destroy
 *         memory, the model says so.
 * Why     A test that shows that a fault is gone is worth something if it finds the fault where
 *         it is: each is run on this, and must fail, and on the pools, and must hold.
 */
#ifndef ASHLAR_TEST_POOL_SEED_MODEL_H
#define ASHLAR_TEST_POOL_SEED_MODEL_H

#include "ashlar/pool.h"
#include "sim_help.h"

#define MODEL_SLABS 6u
#define MODEL_BYTES ((size_t)2 << 20)
#define MODEL_SPINS ((void *)-1) /* the seed would never return */

struct model_slab {
	char *start;
	size_t using;
	size_t free;
	struct model_slab *next; /* a ring */
	uint64_t bits[MODEL_BYTES / 16 / 64];
};

static struct {
	size_t size;
	size_t using;
	size_t free;
	size_t slabs;      /* made */
	size_t slabs_most; /* memory there is */
	size_t beyond;     /* bits changed behind the last object's */
	pool_callback ctor;
	pool_callback dtor;
	struct model_slab slab[MODEL_SLABS];
} model;

static char model_arena[MODEL_SLABS * MODEL_BYTES] __attribute__((aligned(1 << 21)));

/* Linked right behind the anchor. */
static inline bool model_grow(void)
{
	struct model_slab *s = &model.slab[model.slabs];
	struct model_slab *anchor = &model.slab[0];

	if (model.slabs == model.slabs_most)
		return false;
	*s = (struct model_slab){ .start = &model_arena[model.slabs * MODEL_BYTES],
				  .free = MODEL_BYTES / model.size };
	s->next = model.slabs ? anchor->next : s;
	anchor->next = s;
	model.free += s->free;
	model.slabs++;
	return true;
}

static inline bool model_create(size_t size, pool_callback ctor, pool_callback dtor)
{
	model.size = (size + 7) & ~(size_t)7;
	model.using = model.free = model.slabs = model.beyond = 0;
	model.slabs_most = MODEL_SLABS;
	model.ctor = ctor;
	model.dtor = dtor;
	if (model.size == 0)
		return true; /* and divides by it below */
	return model_grow();
}

static inline void *model_malloc(unsigned long arg)
{
	struct model_slab *s = &model.slab[0];

	if (model.free == 0) {
		if (!model_grow())
			return NULL;
		s = &model.slab[model.slabs - 1];
	}
	do {
		if (s->free == 0) {
			s = s->next;
			continue;
		}
		for (size_t i = 0; i < MODEL_BYTES / model.size; i++) {
			char *p = s->start + i * model.size;

			if (s->bits[i / 64] >> (i % 64) & 1)
				continue;
			s->bits[i / 64] |= (uint64_t)1 << (i % 64);
			s->using ++;
			s->free--;
			model.using ++;
			model.free--;
			return model.ctor ? model.ctor(p, arg) : p;
		}
		if (s != &model.slab[0])
			return MODEL_SPINS; /* the same slab again */
	} while (s != &model.slab[0]);
	return NULL;
}

static inline int model_free(void *address, unsigned long arg)
{
	struct model_slab *s = &model.slab[0];
	size_t index;

	/* The first turn of the loop is the last. */
	if ((char *)address < s->start || (char *)address > s->start + MODEL_BYTES)
		return 0;
	index = (size_t)((char *)address - s->start) / model.size;
	model.beyond += index >= MODEL_BYTES / model.size;
	s->bits[index / 64] ^= (uint64_t)1 << (index % 64);
	s->free++;
	s->using --;
	model.free++;
	model.using --;
	if (model.dtor)
		model.dtor(s->start + index * model.size, arg);
	return 0;
}

#endif
