/* SPDX-License-Identifier: MIT */
/* overflow.c - products that overflow: an answer, no report */
#include <errno.h>

#include "misuse.h"

void *reallocarray(void *p, size_t n, size_t size);

int main(void)
{
	for (volatile size_t n = 2; n; n *= 2) {
		void *volatile p = calloc(n, SIZE_MAX / n + 1), *volatile q = malloc(10);

		if (p || reallocarray(q, SIZE_MAX / n + 1, n) || errno != ENOMEM)
			return 1;
		free(q);
	}
	return 0;
}
