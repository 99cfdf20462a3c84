/* SPDX-License-Identifier: MIT */
/*
 * lowered.c - RLIMIT_AS is lowered below what is already reserved, and the heap still grows
 *
 * Why     The kernel then refuses every new mapping, even one in place of another; memory that
 *         is reserved must come online another way. Programs that sandbox themselves do this.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

int main(void)
{
	struct rlimit limit = { 1ul << 30, 1ul << 30 };
	int blocks = 0;

	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 2;
	for (; blocks < 2000; blocks++) {
		char *p = malloc(100000);

		if (!p)
			break;
		memset(p, 1, 100000);
	}
	printf("blocks: %d\n", blocks);
	return blocks == 2000 ? 0 : 1;
}
