/* SPDX-License-Identifier: MIT */
/*
 * start_help.h - a simulated machine on which the caches have started
 */
#ifndef ASHLAR_TEST_START_HELP_H
#define ASHLAR_TEST_START_HELP_H

#include "cache/init.h"
#include "sim_help.h"

/* With @text as its option string; NULL: none. */
static inline bool start(const char *text)
{
	sim_reset();
	sim.options = text;
	return init_ready();
}

static inline bool setup(void)
{
	return start(NULL);
}

#endif
