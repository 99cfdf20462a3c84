/* SPDX-License-Identifier: MIT */
/* free_sized_wrong.c - free_sized with a size of another class */
#include "misuse.h"

void free_sized(void *p, size_t size);

int main(int argc, char **argv)
{
	void *p = malloc(64);

	free_sized(say(p, p), strtoul(argv[argc - 1], NULL, 10));
	return 0;
}
