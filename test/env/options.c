/* SPDX-License-Identifier: MIT */
/* options.c - change ASHLAR_OPTIONS while the program runs: nothing may happen */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	for (size_t n = 1; n < 1 << 20; n *= 2) {
		free(malloc(n));
		setenv("ASHLAR_OPTIONS", "no_such_option=1;foreign=libc", 1);
	}
	puts("end");
	return 0;
}
