/* SPDX-License-Identifier: MIT */
/* realloc_stack.c - realloc a variable on the stack */
#include "misuse.h"

int main(void)
{
	_Alignas(16) char c[64] = "stack";
	void *p = realloc(say(c, c), 200);

	return !p;
}
