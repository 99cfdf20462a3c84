/* SPDX-License-Identifier: MIT */
/*
 * guard_help.h - a simulated machine with guarded objects, and a cache of cats
 */
#ifndef ASHLAR_TEST_GUARD_HELP_H
#define ASHLAR_TEST_GUARD_HELP_H

#include "cache/guard_slot.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "sim_help.h"

static struct kmem_cache *cats;

static inline bool setup_guard(const char *text)
{
	sim_reset();
	sim.options = text;
	sim.frames[0] = (void *)0x1000;
	sim.frames[1] = (void *)0x2000;
	sim.thread = 6;
	sim.now_ns = 5000000;
	cats = kmem_cache_create("cats", 100, 0, 0, NULL);
	return cats != NULL;
}

static inline void *alloc(void)
{
	return kmem_cache_alloc(cats, GFP_KERNEL);
}

/* Where the room of a guarded object begins. */
static inline char *room_of(const void *p)
{
	return guard_find(p)->start;
}

#endif
