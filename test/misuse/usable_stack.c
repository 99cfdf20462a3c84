/* SPDX-License-Identifier: MIT */
/* usable_stack.c - ask for the size of a variable on the stack */
#include <malloc.h>

#include "misuse.h"

int main(void)
{
	_Alignas(16) char c[64] = "stack";

	return malloc_usable_size(say(c, c)) == 0;
}
