/* SPDX-License-Identifier: MIT */
/* double_free_sizes.c - free an object of the size given twice, while its neighbours live */
#include "misuse.h"

int main(int argc, char **argv)
{
	size_t size = strtoul(argv[argc - 1], NULL, 10);
	void *p[1000];

	for (int i = 0; i < 1000; i++)
		p[i] = malloc(size);
	for (int i = 0; i < 1000; i += 2)
		free(p[i]);
	free(say(p[500], p[500]));
	return 0;
}
