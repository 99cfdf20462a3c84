/* SPDX-License-Identifier: MIT */
/* realloc_inside.c - realloc a pointer into the middle of an object */
#include "misuse.h"

int main(void)
{
	char *p = malloc(64);

	p = realloc(say(p + 32, p), 200);
	return !p;
}
