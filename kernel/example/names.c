/* SPDX-License-Identifier: MIT */
/*
 * names.c - a kernel's own names may be any
 *
 * What    Functions and variables whose names the library uses inside. It shows none but its public
 *         ones, so the link neither fails nor takes one for the other.
 */
#include <stddef.h>

int options[4] = { 1, 2, 3, 4 };
int map[4] = { 1, 2, 3, 4 };
int zones[4] = { 1, 2, 3, 4 };
int arrays[4] = { 1, 2, 3, 4 };
int pcp[4] = { 1, 2, 3, 4 };

void *cache_of(unsigned id);
void report_pointer(const char *function, const void *p);

void *cache_of(unsigned id)
{
	(void)id;
	return NULL;
}

void report_pointer(const char *function, const void *p)
{
	(void)function;
	(void)p;
}
