/* SPDX-License-Identifier: MIT */
/* usable_inside.c - ask for the size at a pointer into the middle of an object */
#include <malloc.h>

#include "misuse.h"

int main(void)
{
	char *p = malloc(1280);

	return malloc_usable_size(say(p + 16, p)) == 0;
}
