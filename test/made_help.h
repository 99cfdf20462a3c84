/* SPDX-License-Identifier: MIT */
/*
 * made_help.h - a cache that is made, and one that is refused
 */
#ifndef ASHLAR_TEST_MADE_HELP_H
#define ASHLAR_TEST_MADE_HELP_H

#include "ashlar/slab.h"
#include "start_help.h"

/* A cache that is not to be refused. */
static inline struct kmem_cache *make(unsigned size)
{
	struct kmem_cache *c = kmem_cache_create("things", size, 0, 0, NULL);

	EXPECT_NOT_NULL(c);
	return c;
}

/* Asks for a cache that is refused, with just these words. */
static inline void refused(const char *name, unsigned size, unsigned align, unsigned long flags,
			   const char *why)
{
	struct help_text t;

	help_clear();
	EXPECT_NULL(kmem_cache_create(name, size, align, flags, NULL));
	EXPECT_TEXT_EQ(sim.text,
		       name ? help_format(&t, "ashlar: kmem_cache_create(\"%s\"): refused: %s\n",
					  name, why) :
			      help_format(&t, "ashlar: kmem_cache_create(): refused: %s\n", why));
}

#endif
