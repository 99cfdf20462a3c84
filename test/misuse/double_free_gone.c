/* SPDX-License-Identifier: MIT */
/* double_free_gone.c - free an object twice when all its neighbours are gone, too */
#include "misuse.h"

int main(int argc, char **argv)
{
	size_t size = strtoul(argv[argc - 1], NULL, 10);
	void *p[1000];

	for (int i = 0; i < 1000; i++)
		p[i] = malloc(size);
	for (int i = 0; i < 1000; i++)
		free(p[i]);
	free(say(p[500], p[500]));
	return 0;
}
