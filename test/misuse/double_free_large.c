/* SPDX-License-Identifier: MIT */
/* double_free_large.c - free a large block of the size given twice */
#include "misuse.h"

int main(int argc, char **argv)
{
	char *p = malloc(strtoul(argv[argc - 1], NULL, 10));

	memset(p, 1, 10000);
	free(say(p, p));
	free(p);
	return 0;
}
