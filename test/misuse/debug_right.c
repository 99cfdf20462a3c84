/* SPDX-License-Identifier: MIT */
/* debug_right.c - with slab_debug=FZP: every size may be used in full, sizes are exact, and what
 * was not written shows the poison */
#include <malloc.h>

#include "misuse.h"

int main(void)
{
	for (size_t size = 1; size < 40000; size += size / 16 + 1) {
		unsigned char *volatile p = malloc(size), *volatile q;

		if (size <= 32768 && (malloc_usable_size(p) != size || p[0] != 0x5a))
			return 1;
		if (size <= 32768 && p[size - 1] != 0x5a)
			return 2;
		memset(p, 1, size);
		q = realloc(p, size + 100);
		if (q[size - 1] != 1)
			return 3;
		memset(q, 2, size + 100);
		free(q);
		q = calloc(1, size);
		for (size_t i = 0; i < size; i++)
			if (q[i])
				return 4;
		free(q);
		q = aligned_alloc(256, size);
		if ((uintptr_t)q % 256)
			return 5;
		memset(q, 3, size);
		free(q);
	}
	return 0;
}
