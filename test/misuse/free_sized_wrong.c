/* SPDX-License-Identifier: MIT */
/* free_sized_wrong.c - free_sized of a block of the size given, with the size given after it */
#include "misuse.h"

void free_sized(void *p, size_t size);

int main(int argc, char **argv)
{
	void *p = malloc(strtoul(argv[argc - 2], NULL, 10));

	free_sized(say(p, p), strtoul(argv[argc - 1], NULL, 10));
	return 0;
}
