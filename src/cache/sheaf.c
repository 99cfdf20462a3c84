/* SPDX-License-Identifier: MIT */
/*
 * sheaf.c - objects that are allocated beforehand
 *
 * What    A sheaf is a block of kmalloc with pointers to objects of one cache. Taking one out is a
 *         load and a store of its state: no lock, no call, no way to fail.
 * Why     In a section that must not wait or fail, as under a spin lock, a tree's nodes come out
 *         of a sheaf that was filled before the section began.
 * Rules   SH1 an object in a sheaf is in use for its slab, and nobody's: it is held
 *         SH2 a sheaf has objects of the cache it was filled from, and is asked with it
 *         SH3 it is held, too: kmem_cache_return_sheaf alone ends it
 * Source  Linux mm/slub.c, kmem_cache_prefill_sheaf
 */
#include "ashlar/mempool.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/text.h"
#include "cache/cache.h"
#include "cache/hold.h"
#include "cache/report.h"

#define SHEAF_ENOMEM (-12)

struct slab_sheaf {
	struct kmem_cache *cache;
	u32 count;    /* objects that are left */
	u32 capacity; /* room for objects */
	void *object[];
};

static _Noreturn cold noinline void
sheaf_refuse(const struct kmem_cache *c, const struct slab_sheaf *sheaf, const char *function)
{
	struct text why;

	text_init(&why);
	text_str(&why, "the sheaf was filled from another cache, ");
	text_str(&why, sheaf->cache->name);
	text_char(&why, '\0');
	report_refusal(function, c->name, why.bytes);
	check_end();
}

/* SH2 */
static void sheaf_check(const struct kmem_cache *c, const struct slab_sheaf *sheaf,
			const char *function)
{
	if (unlikely(sheaf->cache != c))
		sheaf_refuse(c, sheaf, function);
}

/* More objects until it has @count; false, with none added, iff they cannot be had. */
static bool sheaf_fill(struct slab_sheaf *sheaf, gfp_t gfp, unsigned count)
{
	unsigned more = count - sheaf->count;
	void **first = sheaf->object + sheaf->count;

	if (kmem_cache_alloc_bulk(sheaf->cache, gfp & ~__GFP_ZERO, more, first) != (int)more)
		return false;
	for (unsigned i = 0; i < more; i++)
		hold(first[i]); /* SH1 */
	sheaf->count = count;
	return true;
}

static struct slab_sheaf *sheaf_make(struct kmem_cache *c, gfp_t gfp, unsigned capacity)
{
	struct slab_sheaf *sheaf =
		ashlar_kmalloc(ashlar_flex_bytes(sizeof(*sheaf), sizeof(void *), capacity),
			       gfp & ~(__GFP_ZERO | ASHLAR_GFP_TYPES));

	if (sheaf) {
		sheaf->cache = c;
		sheaf->count = 0;
		sheaf->capacity = capacity;
		hold(sheaf); /* SH3 */
	}
	return sheaf;
}

static void sheaf_end(struct slab_sheaf *sheaf)
{
	hold_end(sheaf);
	kfree(sheaf);
}

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *c, gfp_t gfp, unsigned int count)
{
	struct slab_sheaf *sheaf;

	if (count == 0)
		return NULL;
	sheaf = sheaf_make(c, gfp, count);
	if (sheaf && !sheaf_fill(sheaf, gfp, count)) {
		sheaf_end(sheaf);
		sheaf = NULL;
	}
	return sheaf;
}

void *kmem_cache_alloc_from_sheaf(struct kmem_cache *c, gfp_t gfp, struct slab_sheaf *sheaf)
{
	void *p;

	sheaf_check(c, sheaf, "kmem_cache_alloc_from_sheaf");
	if (sheaf->count == 0)
		return NULL;
	p = sheaf->object[--sheaf->count];
	CHECK(hold_is(p), "an object in a sheaf is nobody's"); /* SH1 */
	hold_end(p);
	return (gfp & __GFP_ZERO) && !c->ctor ? memset(p, 0, c->object_size) : p;
}

int kmem_cache_refill_sheaf(struct kmem_cache *c, gfp_t gfp, struct slab_sheaf **sheaf,
			    unsigned int count)
{
	struct slab_sheaf *old = *sheaf;
	struct slab_sheaf *larger;

	sheaf_check(c, old, "kmem_cache_refill_sheaf");
	if (count <= old->count)
		return 0;
	if (count <= old->capacity)
		return sheaf_fill(old, gfp, count) ? 0 : SHEAF_ENOMEM;
	larger = sheaf_make(c, gfp, count);
	if (!larger)
		return SHEAF_ENOMEM;
	memcpy(larger->object, old->object, old->count * sizeof(void *));
	larger->count = old->count;
	if (!sheaf_fill(larger, gfp, count)) {
		sheaf_end(larger);
		return SHEAF_ENOMEM;
	}
	sheaf_end(old);
	*sheaf = larger;
	return 0;
}

void kmem_cache_return_sheaf(struct kmem_cache *c, gfp_t gfp, struct slab_sheaf *sheaf)
{
	(void)gfp;
	sheaf_check(c, sheaf, "kmem_cache_return_sheaf");
	for (u32 i = 0; i < sheaf->count; i++)
		hold_end(sheaf->object[i]);
	kmem_cache_free_bulk(c, sheaf->count, sheaf->object);
	sheaf_end(sheaf);
}

unsigned int kmem_cache_sheaf_size(const struct slab_sheaf *sheaf)
{
	return sheaf->count;
}
