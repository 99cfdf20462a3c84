/* SPDX-License-Identifier: MIT */
/* deepbind_plugin.c - a plugin that says which malloc it has got, and uses it */
#include <stdlib.h>
#include <string.h>

void *plugin_malloc(void);
void *plugin_malloc(void)
{
	return (void *)malloc;
}

void *plugin_take(size_t n);
void *plugin_take(size_t n)
{
	return memset(malloc(n), 7, n);
}

void plugin_give(void *p);
void plugin_give(void *p)
{
	free(p);
}
