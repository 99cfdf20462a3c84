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
#define MODEL_CRASH ((void *)-2) /* the seed would follow a null pointer */
#define MODEL_HEAD 4096u         /* what a later slab of a small class keeps of its own block */

struct model_slab {
	char *start;
	size_t using;
	size_t free;
	size_t objects;
	struct model_slab *next; /* a ring */
	uint64_t bits[MODEL_BYTES / 16 / 64];
};

static struct {
	size_t size;
	size_t using;
	size_t free;
	size_t slabs;                /* made */
	size_t slabs_most;           /* memory there is */
	size_t beyond;               /* bits changed behind the last object's */
	size_t pinned;               /* pages taken by the start */
	size_t unclean;              /* blocks given back without their attributes cleared */
	size_t looked;               /* slabs that the last kfree looked at */
	bool grouped;                /* it is a class of kmalloc, whose slabs are cut in two ways */
	bool locked;                 /* the class's lock; slab_malloc and slab_free know none */
	bool no_memory;              /* for what describes a slab */
	bool scan_fails;             /* as X3 makes it, without its endless loop */
	void (*watch)(void);         /* while a slab is made */
	void (*writer)(uint64_t *w); /* another CPU, in the middle of a scan */
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
	if (model.watch)
		model.watch();
	*s = (struct model_slab){ .start = &model_arena[model.slabs * MODEL_BYTES],
				  .objects = MODEL_BYTES / model.size };
	if (model.grouped && model.slabs && model.size < 1024)
		s->objects = (MODEL_BYTES - MODEL_HEAD) / model.size;
	s->free = s->objects;
	s->next = model.slabs ? anchor->next : s;
	anchor->next = s;
	model.free += s->free;
	model.slabs++;
	return true;
}

static inline bool model_create(size_t size, pool_callback ctor, pool_callback dtor)
{
	model.size = (size + 7) & ~(size_t)7;
	model.using = model.free = model.slabs = model.beyond = model.unclean = 0;
	model.grouped = model.locked = model.no_memory = model.scan_fails = false;
	model.watch = NULL;
	model.writer = NULL;
	model.slabs_most = MODEL_SLABS;
	model.ctor = ctor;
	model.dtor = dtor;
	if (model.size == 0)
		return true; /* and divides by it below */
	return model_grow();
}

/* The first clear bit from where 63 are skipped after a word without one; past the end: none. */
static inline size_t model_scan(struct model_slab *s)
{
	size_t i = 0;

	for (; i < s->objects; i++) {
		if (s->bits[i / 64] == UINT64_MAX) {
			i += 63;
			continue;
		}
		if (!(s->bits[i / 64] >> (i % 64) & 1))
			break;
		if (model.writer && i % 64 == 31)
			model.writer(&s->bits[i / 64]);
	}
	return i;
}

static inline void *model_malloc(unsigned long arg)
{
	struct model_slab *s = &model.slab[0];

	if (model.free == 0) {
		if (!model_grow())
			return NULL;
		s = &model.slab[model.slabs - 1];
		if (model.scan_fails) { /* the tail: the slab goes, its objects stay in the sum */
			model.slab[0].next = s->next;
			model.slabs--;
			model.unclean++;
			return NULL;
		}
	}
	do {
		if (s->free == 0) {
			s = s->next;
			continue;
		}
		size_t i = model_scan(s);

		if (i < s->objects) {
			char *p = s->start + i * model.size;

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

/* The start takes the first slab of each of 16 classes, wherever they lie. */
static inline void model_init(void)
{
	model.pinned = 16 * (MODEL_BYTES / 4096);
}

/* One class at a time: powers of two from 32 bytes to 1 MiB; of the flags it knows none. */
static inline void *model_kmalloc(size_t size)
{
	size_t class = 32;
	void *p;

	if (size > (size_t)1 << 20)
		return NULL;
	while (class < size)
		class *= 2;
	if (!model.grouped || model.size != class) {
		model_create(class, NULL, NULL);
		model.grouped = true;
	}
	if (model.locked)
		return MODEL_SPINS;
	model.locked = true;
	if (model.free == 0 && model.no_memory)
		return MODEL_CRASH; /* its descriptor and its bitmap are written at once */
	p = model_malloc(0);
	model.locked = false;
	return p;
}

/* All slabs of all classes, until one has the address. */
static inline int model_kfree(void *address)
{
	model.looked = 16; /* a list for each class */
	for (size_t i = 0; i < model.slabs; i++) {
		struct model_slab *s = &model.slab[i];
		size_t index = (size_t)((char *)address - s->start) / model.size;

		model.looked++;
		if ((char *)address < s->start || (char *)address >= s->start + MODEL_BYTES)
			continue;
		s->bits[index / 64] ^= (uint64_t)1 << (index % 64);
		s->free++;
		s->using --;
		model.free++;
		model.using --;
		return 0;
	}
	return 1; /* ECANNOT_FREE_MEM */
}

#endif
