/* SPDX-License-Identifier: MIT */
/* free_stack.c - free a variable on the stack */
#include "misuse.h"

int main(void)
{
	_Alignas(16) char c[64];

	free(say(c, c));
	return 0;
}
