/* SPDX-License-Identifier: MIT */
/* fine.c - a program that does nothing wrong */
#include "misuse.h"

int main(void)
{
	for (size_t n = 1; n < 1 << 20; n *= 2)
		free(malloc(n));
	puts("fine");
	return 0;
}
