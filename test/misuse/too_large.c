/* SPDX-License-Identifier: MIT */
/* too_large.c - ask for nearly all the address space: an answer, no report */
#include <errno.h>

#include "misuse.h"

int main(void)
{
	for (size_t n = 0; n < 100000; n += n < 100 ? 1 : 999) {
		void *volatile p = malloc(SIZE_MAX - n), *volatile q =
								 realloc(malloc(10), SIZE_MAX - n);

		if (p || q || errno != ENOMEM)
			return 1;
	}
	return 0;
}
