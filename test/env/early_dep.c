/* SPDX-License-Identifier: MIT */
/* early_dep.c - a dependency that allocates before main and after it */
#include "stamp.h"

static struct stamp own[40];

static void at_exit(void)
{
	struct stamp s;

	stamp_new(&s, 3000, 9);
	stamp_free(&s);
}

__attribute__((constructor)) static void come(void)
{
	for (uint64_t i = 0; i < 40; i++)
		stamp_new(&own[i], 1 + i * i * 30, i);
	atexit(at_exit);
}

__attribute__((destructor)) static void go(void)
{
	for (int i = 0; i < 40; i++)
		stamp_free(&own[i]);
	puts("dependency: allocated in its constructor, freed in its destructor");
}

void dep_take(struct stamp *s);
void dep_take(struct stamp *s)
{
	*s = own[0];
	own[0].p = NULL;
}
