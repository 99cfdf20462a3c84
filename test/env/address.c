/* SPDX-License-Identifier: MIT */
/*
 * address.c - a program that takes malloc's address, as dispatch tables do
 *
 * What    Built without position independence its own stub becomes malloc's address for
 *         everybody who asks dlsym. Ashlar must not take that for a malloc of the program's.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

struct table {
	void *(*get)(size_t);
	void *(*resize)(void *, size_t);
	void (*put)(void *);
};

static const struct table table = { malloc, realloc, free };

int main(void)
{
	void *p = table.get(100);

	p = table.resize(p, 200);
	table.put(p);
	malloc_stats();
	puts("end");
	return 0;
}
