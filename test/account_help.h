/* SPDX-License-Identifier: MIT */
/*
 * account_help.h - groups that pay, and their figures
 */
#ifndef ASHLAR_TEST_ACCOUNT_HELP_H
#define ASHLAR_TEST_ACCOUNT_HELP_H

#include "ashlar/account.h"
#include "sim_help.h"

/* A group that is not to be refused. */
static inline struct ashlar_group *payer(const char *name, struct ashlar_group *parent,
					 size_t limit)
{
	struct ashlar_group *g = ashlar_group_create(name, parent, limit);

	EXPECT_NOT_NULL(g);
	return g;
}

static inline size_t bytes_of(const struct ashlar_group *g)
{
	struct ashlar_group_stat s;

	ashlar_group_stat(g, &s);
	return s.bytes;
}

static inline size_t objects_of(const struct ashlar_group *g)
{
	struct ashlar_group_stat s;

	ashlar_group_stat(g, &s);
	return s.objects;
}

static inline size_t refused_of(const struct ashlar_group *g)
{
	struct ashlar_group_stat s;

	ashlar_group_stat(g, &s);
	return s.refused;
}

#endif
