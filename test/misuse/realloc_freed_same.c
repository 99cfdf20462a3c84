/* SPDX-License-Identifier: MIT */
/* realloc_freed_same.c - realloc an object that is free to the size it has */
#include "misuse.h"

int main(void)
{
	void *p = malloc(64);

	free(p);
	p = realloc(say(p, p), 64);
	return !p;
}
