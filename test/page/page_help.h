/* SPDX-License-Identifier: MIT */
/*
 * page_help.h - what the tests of the page floor's front share: a machine, and is all of it free?
 */
#ifndef ASHLAR_TEST_PAGE_PAGE_HELP_H
#define ASHLAR_TEST_PAGE_PAGE_HELP_H

#include "page/map.h"
#include "page/node.h"
#include "page/page.h"
#include "sim_help.h"

#define LARGEST ((size_t)1 << MAX_ORDER)

static inline bool setup(unsigned nodes)
{
	sim_reset();
	sim.nodes = nodes;
	node_init(nodes, 0);
	return page_init(sim.arena_bytes, sim.cpus, PAGE_SIZE);
}

static inline struct page_stat stat(void)
{
	struct page_stat s;

	page_stat(&s);
	return s;
}

/* All that was allocated is free, none of it hidden on a CPU's list. */
static inline bool all_free(void)
{
	struct page_stat s;

	page_drain();
	s = stat();
	return s.free_pages == s.online_pages && s.pcp_pages == 0 && page_audit() == 0;
}

#endif
