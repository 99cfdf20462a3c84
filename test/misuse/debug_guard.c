/* SPDX-License-Identifier: MIT */
/* debug_guard.c - with guard=1: an access at ARG, beside a block of 100 bytes or after its free, or
 * a wrong free; the block lies at the left or the right end of its page, as it is asked for */
#include <malloc.h>

#include "misuse.h"

#define PAGE 4096

/* Is it guarded (others have 112 bytes), and at this side? */
static int is_there(char *p, int right)
{
	return malloc_usable_size(p) == 100 && ((uintptr_t)p + (right ? 112 : 0)) % PAGE == 0;
}

__attribute__((noinline)) char *take(int right)
{
	char *volatile p = malloc(100);

	while (!is_there(p, right)) {
		free(p);
		p = malloc(100);
	}
	return p;
}

__attribute__((noinline)) void give(char *p)
{
	free(p);
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) int look(volatile char *p)
{
	int c = *p;

	__asm__ volatile("" ::: "memory");
	return c;
}

__attribute__((noinline)) void change(volatile char *p)
{
	*p = 'A';
	__asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
	const char *what = argv[1];
	int at = argc > 2 ? atoi(argv[2]) : 0;
	char *volatile p = take(at >= 100 || (argc > 3 && argv[3][0] == 'r'));

	if (strstr(what, "freed"))
		give(p);
	say(p + at, p);
	if (strncmp(what, "read", 4) == 0)
		return look(p + at) == 0;
	if (strncmp(what, "write", 5) == 0)
		change(p + at);
	if (strstr(what, "twice"))
		give(p);
	give(p + (strcmp(what, "inside") == 0 ? at : 0));
	return 0;
}
