/* SPDX-License-Identifier: MIT */
/*
 * debug_help.h - a debugged cache of cats on the simulated machine, and one object of it
 */
#ifndef ASHLAR_TEST_DEBUG_HELP_H
#define ASHLAR_TEST_DEBUG_HELP_H

#include "ashlar/debug.h"
#include "base/bits.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "sim_help.h"

#define FZP (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON)
#define FZPU (FZP | SLAB_STORE_USER)

static struct kmem_cache *c;
static u8 *p;

static inline bool setup_flags(unsigned size, unsigned long flags, void (*ctor)(void *))
{
	sim_reset();
	sim.frames[0] = (void *)0x1000;
	sim.frames[1] = (void *)0x2000;
	sim.thread = 6;
	sim.now_ns = 5000000;
	c = kmem_cache_create("cats", size, 0, flags, ctor);
	p = c ? kmem_cache_alloc(c, GFP_KERNEL) : NULL;
	return p != NULL;
}

static inline bool setup(void)
{
	return setup_flags(100, FZPU, NULL);
}

static inline void free_p(void)
{
	kmem_cache_free(c, p);
}

static inline void alloc_p(void)
{
	kmem_cache_alloc(c, GFP_KERNEL);
}

static inline void shrink_c(void)
{
	kmem_cache_shrink(c);
}

static inline bool all_are(const u8 *from, size_t bytes, u8 byte)
{
	for (size_t i = 0; i < bytes; i++)
		if (from[i] != byte)
			return false;
	return true;
}

#endif
