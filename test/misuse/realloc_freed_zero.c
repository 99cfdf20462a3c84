/* SPDX-License-Identifier: MIT */
/* realloc_freed_zero.c - realloc an object that is free to nothing */
#include "misuse.h"

int main(void)
{
	void *p = malloc(64);

	free(p);
	p = realloc(say(p, p), 0);
	return !p;
}
