/* SPDX-License-Identifier: MIT */
/* debug_write.c - malloc(SIZE), then one byte at OFFSET: "end", "-1" ..., then free */
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
	char *volatile p = take(size);

	say(p, p);
	if (strcmp(argv[2], "end") == 0)
		p[size] = 'A';
	else
		p[atol(argv[2])] = 'A';
	give(p);
	return 0;
}
