/* SPDX-License-Identifier: MIT */
/* free_inside_large.c - free inside a large block of 25 pages, at the offset given */
#include "misuse.h"

int main(int argc, char **argv)
{
	char *p = malloc(25 * 4096);

	free(say(p + strtoul(argv[argc - 1], NULL, 10), p));
	return 0;
}
