/* SPDX-License-Identifier: MIT */
/* free_first.c - free a static variable before anything was allocated */
#include <unistd.h>

#include "misuse.h"

static _Alignas(16) char c[64];

int main(void)
{
	free(c);
	return 0;
}
