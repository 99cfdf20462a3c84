/* SPDX-License-Identifier: MIT */
/* alignment.c - alignments that are no powers of two: EINVAL or more alignment, no report */
#include <errno.h>

#include "misuse.h"

int main(void)
{
	for (volatile size_t a = 0; a < 5000; a++) {
		void *p = NULL, *q;
		int good = a >= sizeof(p) && !(a & (a - 1)), error = posix_memalign(&p, a, 100);

		errno = 0;
		q = aligned_alloc(a, 100);
		if (error != (good ? 0 : EINVAL) || (!q && errno != EINVAL) || (uintptr_t)q % 16)
			return 1;
		free(p);
		free(q);
	}
	return 0;
}
