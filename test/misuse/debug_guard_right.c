/* SPDX-License-Identifier: MIT */
/* debug_guard_right.c - with guard=1 every size may be used in full, from end to end, in any of
 * many blocks; sizes are exact; what is fresh is clear for calloc */
#include <malloc.h>

#include "misuse.h"

int main(void)
{
	unsigned char *held[300];

	for (size_t size = 1; size < 40000; size += size / 16 + 1) {
		unsigned char *volatile p = malloc(size), *volatile q;

		if (malloc_usable_size(p) < size)
			return 1;
		memset(p, 1, malloc_usable_size(p));
		q = realloc(p, size + 100);
		if (q[0] != 1 || q[size - 1] != 1)
			return 3;
		memset(q, 2, size + 100);
		q = realloc(q, size / 2 + 1);
		if (q[size / 2] != 2)
			return 4;
		free(q);
		q = calloc(1, size);
		for (size_t i = 0; i < size; i++)
			if (q[i])
				return 5;
		free(q);
		q = aligned_alloc(256, size);
		if ((uintptr_t)q % 256)
			return 6;
		memset(q, 3, size);
		free(q);
	}
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 300; i++)
			memset(held[i] = malloc(i * 13 + 1), i, i * 13 + 1);
		for (int i = 0; i < 300; i++)
			if (held[i][0] != (unsigned char)i || held[i][i * 13] != (unsigned char)i)
				return 7;
		for (int i = 0; i < 300; i++)
			free(held[i * 7 % 300]);
	}
	return 0;
}
