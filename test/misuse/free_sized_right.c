/* SPDX-License-Identifier: MIT */
/* free_sized_right.c - free_sized and free_aligned_sized as they are meant: no report */
#include "misuse.h"

void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t alignment, size_t size);

int main(void)
{
	free_sized(NULL, 10);
	free_aligned_sized(NULL, 64, 10);
	free_aligned_sized(aligned_alloc(0, 10), 0, 10);
	free_aligned_sized(aligned_alloc(48, 100), 48, 100);
	free_aligned_sized(aligned_alloc(3000, 10), 3000, 10);
	for (size_t n = 0; n < 1 << 20; n = n * 3 / 2 + 1) {
		free_sized(malloc(n), n);
		free_sized(calloc(n, 1), n);
		for (size_t a = 16; a <= 16 << 20; a *= 2)
			free_aligned_sized(aligned_alloc(a, n), a, n);
	}
	return 0;
}
