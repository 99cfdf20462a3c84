/* SPDX-License-Identifier: MIT */
/* free_inside.c - free 24 bytes inside an object of 64 */
#include "misuse.h"

int main(void)
{
	char *p = malloc(64);

	free(say(p + 24, p));
	return 0;
}
