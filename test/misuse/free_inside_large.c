/* SPDX-License-Identifier: MIT */
/* free_inside_large.c - free inside a large block of the size given, at the offset given */
#include "misuse.h"

int main(int argc, char **argv)
{
	char *p = malloc(strtoul(argv[argc - 2], NULL, 10));

	free(say(p + strtoul(argv[argc - 1], NULL, 10), p));
	return 0;
}
