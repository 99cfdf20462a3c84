/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - a library that allocates as it comes, while it is used, and as it goes
 */
#include "stamp.h"

static struct stamp own[50];
static __thread char big_tls[6000];

__attribute__((constructor)) static void plugin_come(void)
{
	for (uint64_t i = 0; i < 50; i++)
		stamp_new(&own[i], 8 + i * 20, i);
}

__attribute__((destructor)) static void plugin_go(void)
{
	for (int i = 0; i < 50; i++)
		stamp_free(&own[i]);
}

void plugin_use(struct stamp *s, uint64_t seed);
void plugin_use(struct stamp *s, uint64_t seed)
{
	memset(big_tls, (int)seed, sizeof(big_tls));
	stamp_new(s, 100 + seed % 3000, seed);
}
