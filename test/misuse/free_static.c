/* SPDX-License-Identifier: MIT */
/* free_static.c - free a static variable */
#include "misuse.h"

static _Alignas(16) char c[64] = "static";

int main(void)
{
	free(malloc(10));
	free(say(c, c));
	return 0;
}
