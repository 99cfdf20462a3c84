/* SPDX-License-Identifier: MIT */
/* realloc_freed.c - realloc an object that is free */
#include "misuse.h"

int main(void)
{
	void *p = malloc(64);

	free(p);
	p = realloc(say(p, p), 200);
	return !p;
}
