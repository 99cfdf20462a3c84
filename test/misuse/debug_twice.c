/* SPDX-License-Identifier: MIT */
/* debug_twice.c - a double free: both frees and the allocation have a stack */
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

int main(void)
{
	char *volatile p = take(50), *volatile other = take(50);

	say(p, p);
	give(p);
	give(p);
	return other == NULL;
}
