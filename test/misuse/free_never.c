/* SPDX-License-Identifier: MIT */
/* free_never.c - free memory of the heap that was never allocated */
#include "misuse.h"

int main(int argc, char **argv)
{
	char *p = malloc(32768);

	free(say(p + strtoul(argv[argc - 1], NULL, 0), p));
	return 0;
}
