/* SPDX-License-Identifier: MIT */
/* free_inside_aligned.c - free inside an object that was asked for with an alignment */
#include "misuse.h"

int main(void)
{
	char *p = aligned_alloc(256, 512);

	free(say(p + 256, p));
	return 0;
}
