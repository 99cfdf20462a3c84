/* SPDX-License-Identifier: MIT */
/* free_aligned_sized_wrong.c - free_aligned_sized with a size of another class */
#include "misuse.h"

void free_aligned_sized(void *p, size_t alignment, size_t size);

int main(void)
{
	void *p = aligned_alloc(64, 64);

	free_aligned_sized(say(p, p), 64, 100);
	return 0;
}
