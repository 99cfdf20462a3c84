/* SPDX-License-Identifier: MIT */
/* free_beside.c - free just below (or above) the mappings that the heap lies in */
#include "misuse.h"

int main(int argc, char **argv)
{
	FILE *f = fopen("/proc/self/maps", "r");
	uintptr_t p = (uintptr_t)malloc(100), from = 0, to = 0, a, b;
	int above = argc > 1 && !strcmp(argv[1], "above");
	char line[512];

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx", &a, &b) != 2)
			continue;
		if (a != to && to > p)
			break;
		if (a != to)
			from = a;
		to = b;
	}
	free(say((void *)(above ? to : from - 16), NULL));
	return 0;
}
