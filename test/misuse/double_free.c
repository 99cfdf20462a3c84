/* SPDX-License-Identifier: MIT */
/* double_free.c - free an object twice, at once */
#include "misuse.h"

int main(void)
{
	void *p = malloc(50);

	say(p, p);
	free(p);
	free(p);
	return 0;
}
