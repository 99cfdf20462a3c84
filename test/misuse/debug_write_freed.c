/* SPDX-License-Identifier: MIT */
/* debug_write_freed.c - a write after free, seen when the object is taken again */
#include "misuse.h"

__attribute__((noinline)) char *take(size_t size)
{
	char *volatile p = malloc(size);

	return p;
}

__attribute__((noinline)) void give(char *p)
{
	free(p);
	__asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
	size_t size = strtoul(argv[1], NULL, 0);
	char *volatile p = take(size), *volatile other = take(size);

	say(p, p);
	give(p);
	p[size / 2] = 'A';
	take(size);
	return other == NULL;
}
