/* SPDX-License-Identifier: MIT */
/* double_free_later.c - free an object twice, with other work between; a neighbour in use keeps the
 * slab what it is */
#include "misuse.h"

int main(void)
{
	void *other[2000], *p = malloc(1000), *neighbour = malloc(1000);

	say(p, p);
	free(p);
	for (int i = 0; i < 2000; i++)
		other[i] = malloc((size_t)i % 900);
	for (int i = 0; i < 2000; i++)
		free(other[i]);
	free(p);
	free(neighbour);
	return 0;
}
