/* SPDX-License-Identifier: MIT */
/* usable_freed.c - ask for the size of an object that is free */
#include <malloc.h>

#include "misuse.h"

int main(void)
{
	void *p = malloc(64);

	free(p);
	return malloc_usable_size(say(p, p)) == 0;
}
